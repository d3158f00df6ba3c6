package import RoamkeyEngine

/// One direction of a host's way to the network: a bottleneck with a queue, then what chance does.
package struct AccessLink {
  /// What happens to one copy of a datagram.
  struct Transit {
    var arrival: Instant
    var isCorrupted = false
  }

  enum Passage {
    case carried(Transit, copy: Transit?)
    case dropped(DropCause)
  }

  /// How it treats datagrams now.
  package private(set) var conditions: NetworkConditions
  /// What it has done since the world began.
  package private(set) var statistics = LinkStatistics()
  private var isInBurst = false
  /// When the bottleneck has sent all that waits for it.
  private var busyUntil = Instant(nanoseconds: .min)
  /// When the last datagram that keeps its place arrives.
  private var lastArrival = Instant(nanoseconds: .min)
  /// The conditions in whole nanoseconds: they are asked for with every datagram.
  private var pace: Pace

  private struct Pace {
    let delay: Int64
    let jitter: Int64
    let reorderingDelay: Int64
    let longestWait: Int64?
    /// Whether a datagram leaves as it came, whatever was before it.
    let isTransparent: Bool

    init(_ conditions: NetworkConditions) {
      delay = conditions.delay.inNanoseconds
      jitter = conditions.jitter.inNanoseconds
      reorderingDelay = conditions.reorderingDelay.inNanoseconds
      longestWait = conditions.queue.flatMap { queue in
        conditions.bandwidth.map { AccessLink.time(for: queue, bandwidth: $0) }
      }
      var chances = conditions
      chances.queue = NetworkConditions.perfect.queue
      chances.reorderingDelay = NetworkConditions.perfect.reorderingDelay
      chances.keepsOrder = false
      isTransparent = chances == .perfect
    }
  }

  /// An idle link.
  package init(_ conditions: NetworkConditions) {
    self.conditions = conditions
    pace = Pace(conditions)
  }

  /// Becomes another network: nothing that waited on the one before holds anything up. What is on its way arrives.
  mutating func change(to conditions: NetworkConditions) {
    self.conditions = conditions
    pace = Pace(conditions)
    busyUntil = Instant(nanoseconds: .min)
    lastArrival = Instant(nanoseconds: .min)
    isInBurst = false
  }

  /// How long a datagram that comes now waits for those before it.
  package func wait(at now: Instant) -> Duration { busyUntil > now ? busyUntil - now : .zero }

  /// What becomes of the next datagram, of so many bytes.
  mutating func carry(_ size: Int, now: Instant, using random: inout SeededRandom) -> Passage {
    guard !pace.isTransparent else {
      statistics.carried += 1
      statistics.bytesCarried += size
      return .carried(Transit(arrival: now), copy: nil)
    }
    if let mtu = conditions.mtu, size > mtu {
      statistics.tooLarge += 1
      return .dropped(.tooLarge)
    }
    guard let departure = send(size, now: now) else {
      statistics.overflowed += 1
      return .dropped(.overflowed)
    }
    if isLost(using: &random) {
      statistics.lost += 1
      return .dropped(.lost)
    }
    statistics.carried += 1
    statistics.bytesCarried += size
    let isDoubled = random.chance(conditions.duplication)
    if isDoubled { statistics.duplicated += 1 }
    let first = transit(from: departure, using: &random)
    return .carried(first, copy: isDoubled ? transit(from: departure, using: &random) : nil)
  }

  /// When the last bit of a datagram is through the bottleneck; nil when it finds no room.
  private mutating func send(_ size: Int, now: Instant) -> Instant? {
    guard let bandwidth = conditions.bandwidth else { return now }
    let own = Self.time(for: size, bandwidth: bandwidth)
    if busyUntil > now {
      let (wait, overflow) = (busyUntil.nanoseconds - now.nanoseconds).addingReportingOverflow(own)
      if let longest = pace.longestWait, overflow || wait > longest { return nil }
    }
    busyUntil = max(busyUntil, now) + .nanoseconds(own)
    return busyUntil
  }

  private mutating func isLost(using random: inout SeededRandom) -> Bool {
    if let bursts = conditions.bursts {
      isInBurst = random.chance(isInBurst ? 1 - bursts.end : bursts.begin)
      if isInBurst, random.chance(bursts.loss) { return true }
    }
    return random.chance(conditions.loss)
  }

  private mutating func transit(from departure: Instant, using random: inout SeededRandom) -> Transit {
    let jitter = pace.jitter > 0 ? Int64.random(in: 0..<pace.jitter, using: &random) : 0
    var arrival = departure + .nanoseconds(pace.delay) + .nanoseconds(jitter)
    if random.chance(conditions.reordering) {
      // It keeps no place in the order: the next ones need not wait for it.
      statistics.reordered += 1
      arrival = arrival + .nanoseconds(pace.reorderingDelay)
    } else if conditions.keepsOrder {
      arrival = max(arrival, lastArrival)
      lastArrival = arrival
    }
    let isCorrupted = random.chance(conditions.corruption)
    if isCorrupted { statistics.corrupted += 1 }
    return Transit(arrival: arrival, isCorrupted: isCorrupted)
  }

  /// How long so many bytes take, in nanoseconds, rounded up.
  private static func time(for bytes: Int, bandwidth: Int) -> Int64 {
    let (bytes, bandwidth) = (Int128(bytes), Int128(bandwidth))
    return Int64(clamping: (bytes * 1_000_000_000 + bandwidth - 1) / bandwidth)
  }
}
