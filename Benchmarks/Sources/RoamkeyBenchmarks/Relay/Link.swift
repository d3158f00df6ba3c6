/// What one direction of the relay does to datagrams.
struct LinkConditions: Sendable, Hashable {
  /// How long each datagram is under way.
  var delay: Duration = .zero
  /// How many of all datagrams are dropped at random, 0 to 1.
  var loss: Double = 0
  /// UDP payload in bytes a second; nil for no limit.
  var bandwidth: Double?
  /// How many bytes may wait for the bandwidth; what exceeds it is dropped, as in a router.
  var queueLimit = 256 << 10
}

/// One direction of the relay, without its sockets: whether a datagram gets through, and when. It never reorders.
struct Link: Sendable {
  struct Counts: Sendable, Hashable {
    /// What came to the entrance, dropped or not.
    var datagrams = 0
    /// UDP payload of the same.
    var bytes = 0
    /// Dropped at random.
    var lost = 0
    /// Dropped because the queue was full.
    var overflowed = 0
    /// Refused by the system when they were to leave.
    var refused = 0
    /// Dropped because the network was cut, and their UDP payload.
    var cut = 0
    var cutBytes = 0
  }

  enum Fate: Hashable {
    case dropped
    /// It leaves at this moment.
    case leaves(Monotonic)
  }

  private let conditions: LinkConditions
  private let seed: UInt64
  private var random: SeededRandom
  private(set) var counts = Counts()
  /// While it is, nothing gets through.
  var isCut = false
  /// How late the datagrams left that did.
  private(set) var lateness: [Duration] = []
  /// When the last byte that waits will have been sent.
  private var isBusyUntil = Monotonic(nanoseconds: .min)
  private var lastExit = Monotonic(nanoseconds: .min)

  init(_ conditions: LinkConditions, seed: UInt64) {
    self.conditions = conditions
    self.seed = seed
    random = SeededRandom(seed: seed)
  }

  /// Counts from zero, and drops from the start of the random sequence: what was said before (a handshake) takes
  /// nothing from what is measured, and contestants of the same seed lose the same datagrams of the phase, by number.
  mutating func beginPhase() {
    random = SeededRandom(seed: seed)
    counts = Counts()
    lateness.removeAll(keepingCapacity: true)
  }

  /// Decides about a datagram of `size` bytes that came at `arrival`.
  mutating func admit(size: Int, at arrival: Monotonic) -> Fate {
    counts.datagrams += 1
    counts.bytes += size
    // Drawn in any case, so that datagram n has the same fate whether or not there was a cut before it.
    let isLost = random.chance(conditions.loss)
    if isCut {
      noteCut(size: size)
      return .dropped
    }
    if isLost {
      counts.lost += 1
      return .dropped
    }
    var sent = arrival
    if let bandwidth = conditions.bandwidth {
      let waits = isBusyUntil > arrival ? isBusyUntil - arrival : .zero
      guard waits.inSeconds * bandwidth + Double(size) <= Double(conditions.queueLimit) else {
        counts.overflowed += 1
        return .dropped
      }
      sent = arrival + waits + .nanoseconds(Int64(Double(size) / bandwidth * 1e9))
      isBusyUntil = sent
    }
    // Arrivals at two sockets may be read in another order than they came.
    lastExit = max(lastExit, sent + conditions.delay)
    return .leaves(lastExit)
  }

  /// Notes that a datagram of `size` bytes was stopped by a cut.
  mutating func noteCut(size: Int) {
    counts.cut += 1
    counts.cutBytes += size
  }

  /// Notes that a datagram which was due at `due` has left at `now`.
  mutating func didRelease(due: Monotonic, at now: Monotonic, wasTaken: Bool) {
    lateness.append(now - due)
    if !wasTaken { counts.refused += 1 }
  }
}
