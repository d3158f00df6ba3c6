/// A moment of the monotonic clock that the engine is handed: nanoseconds since an arbitrary start.
///
/// The engine never reads a clock; drivers pass `CLOCK_MONOTONIC`, simulators their virtual time.
package struct Instant: Hashable, Comparable, Sendable {
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static let distantFuture = Instant(nanoseconds: .max)
  package static let distantPast = Instant(nanoseconds: .min)

  package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

  /// Saturates, so that no configured duration can trap.
  package static func + (instant: Instant, duration: Duration) -> Instant {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.inNanoseconds)
    return Instant(nanoseconds: overflow ? (duration > .zero ? .max : .min) : sum)
  }

  package static func - (instant: Instant, duration: Duration) -> Instant {
    let (difference, overflow) = instant.nanoseconds.subtractingReportingOverflow(duration.inNanoseconds)
    return Instant(nanoseconds: overflow ? (duration > .zero ? .min : .max) : difference)
  }

  package static func - (a: Instant, b: Instant) -> Duration {
    Duration(wholeNanoseconds: a.nanoseconds.subtractingReportingOverflow(b.nanoseconds).partialValue)
  }
}

// A packet has dozens of moments and durations on its way. `Duration.components` and `.nanoseconds` go through general
// arithmetic of 128 bits in the standard library, for a fifth of all instructions of ours.
extension Duration {
  private static let attosecondsInNanosecond: Int128 = 1_000_000_000

  /// Whole nanoseconds, saturating at about 292 years.
  package var inNanoseconds: Int64 {
    // Up to nine seconds, which is what nearly all are, 64 bits hold the attoseconds.
    if let small = Int64(exactly: attoseconds) { return small / 1_000_000_000 }
    return Int64(clamping: attoseconds / Self.attosecondsInNanosecond)
  }

  /// The standard library's is for whole numbers of any type, and spends more on finding out which than on the product.
  static func * (duration: Duration, factor: Int) -> Duration {
    Duration(attoseconds: duration.attoseconds * Int128(factor))
  }

  /// So many nanoseconds.
  init(wholeNanoseconds: Int64) {
    self.init(attoseconds: Int128(wholeNanoseconds) * Self.attosecondsInNanosecond)
  }
}
