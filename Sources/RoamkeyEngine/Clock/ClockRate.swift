/// How much faster one clock runs than another, in parts per billion: what one gains on the other, or loses.
struct ClockRate: Sendable, Equatable, Comparable {
  var partsPerBillion: Int64

  static let zero = ClockRate(partsPerBillion: 0)
  /// What two clocks may differ by: 500 ppm, as RFC 5905 Appendix A.1.1 has it (MAXFREQ). A quartz is off by less than
  /// 100 ppm, and who disciplines a clock bends it by somewhat more.
  static let maximum = ClockRate(partsPerBillion: 500_000)

  /// How much faster the other clock runs than this one: the speed is 1 + r, so that of the other is 1/(1 + r).
  var inverse: ClockRate {
    ClockRate(partsPerBillion: -partsPerBillion * 1_000_000_000 / (1_000_000_000 + partsPerBillion))
  }

  static func < (a: ClockRate, b: ClockRate) -> Bool { a.partsPerBillion < b.partsPerBillion }

  /// What is gained in so many microseconds. Whole seconds and the rest are multiplied by themselves: 2^63 ns of an
  /// `Instant` are 2^34 s, which times the largest rate stays far below 2^63.
  func gain(over microseconds: Int64) -> Int64 {
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return seconds * partsPerBillion / 1000 + rest * partsPerBillion / 1_000_000_000
  }

  /// The rate that gains `gain` in `microseconds`, more than 0; clamped to `maximum` either way.
  init(gain: Int64, over microseconds: Int64) {
    // Far beyond the largest rate times the longest time between samples, and 10^9 times it fits.
    let bounded = min(max(gain, -1 << 32), 1 << 32)
    let limit = Self.maximum.partsPerBillion
    partsPerBillion = min(max(bounded * 1_000_000_000 / microseconds, -limit), limit)
  }

  init(partsPerBillion: Int64) { self.partsPerBillion = partsPerBillion }
}
