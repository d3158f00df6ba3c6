/// What a receiver sees for itself of how packets come: whether some were lost lately, and how far apart they are.
///
/// It knows before the sender does. That decides how acknowledgements leave: see `ReceivedPackets`.
package struct ArrivalPattern: Sendable {
  /// A number is missing once one this many higher has come: by the sender's own rule (kPacketThreshold, RFC 9002
  /// §6.1.1). Until then it may only be late.
  private static let reordering = 3
  /// How long a loss is remembered. At 30 packets a second and 1 % of loss there is one every 3.3 s.
  private static let memory: Duration = .seconds(5)
  /// From this far apart on packets are sparse: each could be answered alone, which is then less than 125 answers a
  /// second. Denser ones tell of each other's loss soon enough.
  private static let sparseInterval: Int64 = 8_000_000
  /// A longer pause counts as this long, so that after it a dense burst is not taken for sparse.
  private static let longestInterval: Int64 = 100_000_000

  private var largest: UInt64?
  /// Bit i: `largest - i` has come, or is no packet number.
  private var recent = UInt64.max
  private var lostAt: Instant?
  private var newestAckEliciting: Instant?
  /// Nanoseconds between ack-eliciting packets, on average; each counts 1/16.
  private var averageInterval: Int64?

  /// Nothing has come yet.
  package init() {}

  /// Whether each packet is worth an answer of its own: some were lost lately, and they are sparse.
  package func asksForPromptness(now: Instant) -> Bool {
    guard let lostAt, let averageInterval, averageInterval >= Self.sparseInterval else { return false }
    return now - lostAt <= Self.memory
  }

  /// How long after an acknowledgement that left alone its repetition follows. Not at once: what destroys a packet
  /// often destroys the one behind it. Before the next packet is expected, whose own answer would say the same.
  /// And before the sender becomes suspicious, which it is 3 ms late (`RTTEstimator.suspicionDelay`).
  package static let repetitionDelay = Duration.milliseconds(2)

  /// Notes a packet, each number once. Whoever leaves out numbers on purpose looks like a lossy path, and is answered
  /// more often: at most once a packet, and only while these are sparse.
  package mutating func record(_ packetNumber: UInt64, ackEliciting: Bool, now: Instant) {
    if ackEliciting { noteInterval(now: now) }
    let (step, isOlder) = largest.map { packetNumber.subtractingReportingOverflow($0) } ?? (packetNumber &+ 1, false)
    guard !isOlder else {
      let age = (largest ?? 0) - packetNumber
      if age < 64 { recent |= 1 << age }
      return
    }
    guard step > 0 else { return }
    largest = packetNumber
    // Shifted in are the numbers between as not come; shifts by 64 and more give 0.
    recent = recent << step | 1
    // Bits that are now beyond the reach of reordering and were not before.
    let passed = UInt64.max << UInt64(Self.reordering)
    let fresh =
      step >= 64 - UInt64(Self.reordering) ? passed : passed & ~(UInt64.max << (step + UInt64(Self.reordering)))
    if ~recent & fresh != 0 { lostAt = now }
  }

  private mutating func noteInterval(now: Instant) {
    defer { newestAckEliciting = now }
    guard let newestAckEliciting else { return }
    let elapsed = now.nanoseconds.subtractingReportingOverflow(newestAckEliciting.nanoseconds)
    let interval = elapsed.overflow ? Self.longestInterval : min(max(elapsed.partialValue, 0), Self.longestInterval)
    averageInterval = averageInterval.map { $0 + (interval - $0) / 16 } ?? interval
  }
}
