/// Spreads packets over the round trip (RFC 9002 §7.7): a whole window in one burst overflows a queue that would carry
/// the same bytes spread out. A bucket of bytes fills a little faster than the window empties; who finds too little in
/// it waits.
///
/// It says when, never whether: the window is the congestion controller's, and what must not wait (bare
/// acknowledgements, probes, answers to challenges) leaves without asking. What leaves and counts as in flight is told
/// to `onSent` all the same.
package struct Pacer: Sendable {
  /// The longest burst, in datagrams, unless `burstTime` allows more: what RFC 9002 §7.7 and §7.2 let out at once.
  package static let minimumBurst = 10
  /// The longest burst of all, in datagrams: what fits into the send and receive buffers that systems give a socket.
  package static let maximumBurst = 256
  /// A burst may hold what the rate gives in this time: a loop that is busy for so long loses nothing by it.
  private static let burstTime: UInt64 = 2_000_000
  /// Waits below this are not worth a timer, which is only 50 to 100 us exact: the packet leaves, the bucket owes.
  private static let slack: UInt64 = 100_000
  /// Below this round trip nothing is held back: the window empties within a few ticks of the timer, so waiting for
  /// one would slow the sender down and spread nothing.
  private static let shortestRTT = 500_000
  private static let longestRTT = 3_600_000_000_000
  private static let largestWindow = 1 << 30
  /// What exempt packets may owe, in datagrams: a probe timeout sends two (RFC 9002 §6.2.4). The next window, perhaps
  /// the lowest, must not pay for more.
  private static let maximumDebt = 2
  /// The bucket counts in 2^-30 of a byte: at the slowest rate that is what two nanoseconds give, and no call rounds
  /// off more than one of them.
  private static let unitBits: UInt64 = 30

  /// How fast the bucket fills: a fraction, rounded only once multiplied by a time.
  private struct Rate: Equatable, Sendable {
    /// At most 8 * 2^30, so that it fits 64 bits in units.
    let bytes: UInt64
    let nanoseconds: UInt64

    /// Units in `elapsed` nanoseconds, rounded down.
    func units(in elapsed: UInt64) -> UInt64 {
      let product = elapsed.multipliedFullWidth(by: bytes << unitBits)
      return product.high < nanoseconds ? nanoseconds.dividingFullWidth(product).quotient : .max
    }

    /// Nanoseconds until `units` have come; the slack covers the rounding.
    func time(for units: UInt64) -> UInt64 {
      let divisor = bytes << unitBits
      let product = units.multipliedFullWidth(by: nanoseconds)
      return product.high < divisor ? divisor.dividingFullWidth(product).quotient : .max
    }
  }

  /// Bytes of a full datagram: the unit of the burst's limits.
  package let maximumDatagramSize: Int
  /// Nil while nothing is held back.
  private var rate: Rate?
  private var tokens: Int64
  private var capacity: Int64
  /// The least that `tokens` may be, below zero.
  private var floor: Int64
  private var refilledAt = Instant(nanoseconds: .min)

  /// A full bucket: one burst of `minimumBurst` datagrams.
  package init(maximumDatagramSize: Int) {
    precondition((1...65_535).contains(maximumDatagramSize), "what a UDP datagram can hold")
    self.maximumDatagramSize = maximumDatagramSize
    capacity = Self.units(Self.minimumBurst * maximumDatagramSize)
    floor = -Self.units(Self.maximumDebt * maximumDatagramSize)
    tokens = capacity
  }

  /// A packet that counts as in flight left, whether it asked before or not.
  package mutating func onSent(bytes: Int, now: Instant) {
    refill(now: now)
    // No packet is longer; the limit keeps a wrong number from overflowing.
    tokens = max(tokens - Self.units(min(max(bytes, 0), 65_535)), floor)
  }

  /// When a packet may leave; nil: now. Ask again then, since the rate may have changed.
  ///
  /// Without an RTT sample nothing is held back: the rate would follow from a guess, and the initial window is no more
  /// than the burst that RFC 9002 §7.7 allows. That flight is counted, so what follows its acknowledgement is paced.
  ///
  /// - Parameters:
  ///   - size: bytes of its datagram.
  ///   - window: the congestion window in bytes, taken as at most 1 GiB.
  ///   - isInSlowStart: the window may double in this round trip, so twice of it must be able to leave.
  ///   - rtt: the smoothed RTT, taken as at most an hour.
  ///   - hasSample: whether it was measured on this path.
  package mutating func nextSend(
    size: Int, window: Int, isInSlowStart: Bool, rtt: Duration, hasSample: Bool, now: Instant
  ) -> Instant? {
    guard let rate = update(window: window, isInSlowStart: isInSlowStart, rtt: rtt, hasSample: hasSample, now: now)
    else { return nil }
    let needed = min(Self.units(min(max(size, 0), 65_535)), capacity)
    guard needed > tokens else { return nil }
    let wait = rate.time(for: UInt64(needed - tokens))
    guard wait >= Self.slack else { return nil }
    return now + .nanoseconds(Int64(clamping: wait))
  }

  /// How many datagrams of `size` bytes may leave now, one behind the other: `nextSend` will not hold them back. The
  /// other parameters are those of `nextSend`.
  package mutating func burst(
    size: Int, window: Int, isInSlowStart: Bool, rtt: Duration, hasSample: Bool, now: Instant
  ) -> Int {
    guard let rate = update(window: window, isInSlowStart: isInSlowStart, rtt: rtt, hasSample: hasSample, now: now)
    else { return .max }
    let each = min(Self.units(min(max(size, 1), 65_535)), capacity)
    // What comes within the slack is as good as there; rounded down, so that the last one is sure.
    let there = tokens + min(Int64(clamping: rate.units(in: Self.slack - 1)), capacity)
    return max(0, Int(there / each))
  }

  /// Fills the bucket at the rate of now; nil where nothing is held back.
  private mutating func update(
    window: Int, isInSlowStart: Bool, rtt: Duration, hasSample: Bool, now: Instant
  ) -> Rate? {
    refill(now: now)
    guard hasSample, let rate = rate(window: window, isInSlowStart: isInSlowStart, rtt: rtt) else {
      rate = nil
      return nil
    }
    if rate != self.rate { adopt(rate) }
    return rate
  }

  /// Starts anew: another network, of which nothing is known (PROTOCOL §5, RFC 9000 §9.4).
  package mutating func reset() { self = Pacer(maximumDatagramSize: maximumDatagramSize) }

  /// 5/4 of the window in a round trip, as RFC 9002 §7.7 recommends, so that pacing alone never leaves it unused;
  /// twice in slow start, as the window grows by all that is acknowledged. Nil where nothing is held back.
  private func rate(window: Int, isInSlowStart: Bool, rtt: Duration) -> Rate? {
    let nanoseconds = min(Int(rtt.inNanoseconds), Self.longestRTT)
    guard nanoseconds >= Self.shortestRTT else { return nil }
    let window = min(max(window, maximumDatagramSize), Self.largestWindow)
    return Rate(bytes: UInt64(window) * (isInSlowStart ? 8 : 5), nanoseconds: UInt64(nanoseconds) * 4)
  }

  private mutating func adopt(_ new: Rate) {
    rate = new
    let smallest = Self.units(Self.minimumBurst * maximumDatagramSize)
    let largest = Self.units(Self.maximumBurst * maximumDatagramSize)
    capacity = min(max(Int64(clamping: new.units(in: Self.burstTime)), smallest), largest)
    floor = -max(Int64(clamping: new.units(in: Self.slack)), Self.units(Self.maximumDebt * maximumDatagramSize))
    tokens = max(min(tokens, capacity), floor)
  }

  private mutating func refill(now: Instant) {
    guard now > refilledAt else { return }
    guard let rate, tokens < capacity else {
      refilledAt = now
      return
    }
    let (elapsed, isLong) = now.nanoseconds.subtractingReportingOverflow(refilledAt.nanoseconds)
    let gained = isLong ? .max : rate.units(in: UInt64(elapsed))
    refilledAt = now
    tokens += min(Int64(clamping: gained), capacity - tokens)
  }

  private static func units(_ bytes: Int) -> Int64 { Int64(bytes) << unitBits }
}
