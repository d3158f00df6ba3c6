package import RoamkeyEngine

/// A machine's monotonic clock: it began at another time than the world's, and may run a little fast or slow.
package struct SimulatedClock: Sendable {
  private static let million: Int128 = 1_000_000

  /// A moment of the world, and what this clock showed then, both in nanoseconds.
  private let origin: Int64
  private let shown: Int64
  /// Microseconds that it gains in a second of the world.
  private let drift: Int

  /// - Parameters:
  ///   - offset: how far it is ahead of the world's clock when the world begins.
  ///   - drift: how fast it is, in parts per million; from -500,000 to 500,000.
  package init(offset: Duration = .zero, drift: Int = 0) {
    origin = SimulatedWorld.start.nanoseconds
    shown = (SimulatedWorld.start + offset).nanoseconds
    self.drift = min(max(drift, -500_000), 500_000)
  }

  private init(origin: Int64, shown: Int64, drift: Int) {
    (self.origin, self.shown, self.drift) = (origin, shown, drift)
  }

  /// What it shows at a moment of the world.
  package func reading(at moment: Instant) -> Instant {
    if drift == 0 {
      // The usual case, asked for with every datagram.
      if shown == origin { return moment }
      return Instant(nanoseconds: Int64(clamping: Int128(moment.nanoseconds) - Int128(origin) + Int128(shown)))
    }
    let passed = (Int128(moment.nanoseconds) - Int128(origin)) * (Self.million + Int128(drift)) / Self.million
    return Instant(nanoseconds: Int64(clamping: Int128(shown) + passed))
  }

  /// The first moment of the world at which it shows that much, or more.
  package func moment(of reading: Instant) -> Instant {
    if drift == 0, shown == origin || reading == .distantFuture { return reading }
    let speed = Self.million + Int128(drift)
    let passed = ((Int128(reading.nanoseconds) - Int128(shown)) * Self.million + speed - 1) / speed
    return Instant(nanoseconds: Int64(clamping: Int128(origin) + passed))
  }

  /// The same clock where it shows `reading` at `moment`: it had stopped, as those of sleeping machines do.
  func showing(_ reading: Instant, at moment: Instant) -> SimulatedClock {
    SimulatedClock(origin: moment.nanoseconds, shown: reading.nanoseconds, drift: drift)
  }
}
