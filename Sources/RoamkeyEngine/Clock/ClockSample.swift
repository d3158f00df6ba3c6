/// One comparison of the clocks, from a TIME_REQUEST and its answer (PROTOCOL §10.7). Readings are microseconds of the
/// two clocks; they count modulo 2^64, as a peer may start its clock anywhere.
///
/// With T3 = T2 + d, RFC 5905 §8 has
///
///     offset  θ = ((T2 - T1) + (T3 - T4)) / 2 = T2 + d/2 - (T1 + T4)/2
///     delay   δ = (T4 - T1) - (T3 - T2)       = (T4 - T1) - d
///
/// so at T4 the peer's clock shows T4 + θ = T2 + d + δ/2. That is wrong by δ/2 where all of the delay lies on one way:
/// the peer's clock has passed T2 + d when the answer comes, and has not passed T2 + (T4 - T1). Between these two the
/// middle is taken.
struct ClockSample: Sendable, Equatable {
  /// What our clock showed when the answer came.
  let local: UInt64
  /// What the peer's clock showed at that moment, in the middle of what is possible.
  let peer: UInt64
  /// How far off `peer` may be, in microseconds.
  let error: Int64

  /// Clocks show whole microseconds: T1, T2, d, T4, the halving and what is read off later, one each and two to spare.
  private static let resolution: Int64 = 8

  /// Keeps sums of errors far from overflow: 12 days.
  private static let longestElapsed: UInt64 = 1 << 40

  /// Nil where the answer cannot be true: the peer says that it kept the request longer than the whole trip took.
  ///
  /// - Parameters:
  ///   - elapsed: T4 - T1, by our clock.
  ///   - received: T2, by the peer's clock: any value.
  ///   - delay: d, by the peer's clock: any value.
  ///   - local: T4, by our clock.
  init?(elapsed: UInt64, received: UInt64, delay: UInt64, local: UInt64) {
    guard delay <= elapsed, elapsed <= Self.longestElapsed else { return nil }
    let roundTrip = elapsed - delay
    self.local = local
    peer = received &+ delay &+ roundTrip / 2
    // The way was timed by our clock, and the peer's may have gained on it meanwhile.
    let drift = ClockRate.maximum.gain(over: Int64(elapsed))
    error = Int64(roundTrip / 2) + drift + Self.resolution
  }
}
