/// When we ask the peer for its time, and which of our requests may still be answered (PROTOCOL §10.7).
///
/// One beside the handshake's last packets and one beside the first message, then one every 10 s. They are not repeated
/// when they are lost: the next one follows anyway.
struct TimeRequests: Sendable {
  static let burst = 2
  static let burstInterval = Duration.milliseconds(250)
  static let interval = Duration.seconds(10)
  /// How long before it is due a request rides along with a packet that leaves anyway.
  static let earliness = Duration.milliseconds(25)
  /// How long after it was due it rides along with a keep-alive.
  static let idlePatience = Duration.seconds(50)
  /// Answers come out of order, and after a delay; but not ten requests later.
  private static let rememberedLimit = 8
  /// Microseconds after which an answer says too little: its error would be half of that.
  private static let longestElapsed: UInt64 = 30_000_000

  /// When the next one is due.
  private(set) var next: Instant
  private var burstLeft = Self.burst
  /// Our clock at the requests that were not answered yet, a ring.
  private var sent = InlineArray<8, UInt64?>(repeating: nil)
  private var position = 0

  init(now: Instant) { next = now }

  /// Takes note of a request that leaves now, at our clock's `reading`.
  mutating func onSent(_ reading: UInt64, now: Instant) {
    sent[position] = reading
    position = (position + 1) % Self.rememberedLimit
    burstLeft = max(0, burstLeft - 1)
    next = now + (burstLeft > 0 ? Self.burstInterval : Self.interval)
  }

  /// How long ago, in microseconds, the request with this reading left; nil if there was none lately, or it has been
  /// answered before.
  mutating func takeElapsed(_ reading: UInt64, now: UInt64) -> UInt64? {
    for i in sent.indices where sent[i] == reading {
      sent[i] = nil
      let elapsed = now &- reading
      return elapsed <= Self.longestElapsed ? elapsed : nil
    }
    return nil
  }

  /// An answer contradicted what was known: so soon that its confirmation is not worth waiting for.
  mutating func askSoon(now: Instant) { next = min(next, now + Self.burstInterval) }

  /// Something leaves in a moment: what is due rides along.
  mutating func waitForCompany(now: Instant) { next = max(next, now + Self.earliness) }

  /// A few requests again, the first at once.
  mutating func askAnew(now: Instant) {
    burstLeft = Self.burst
    next = min(next, now)
  }
}
