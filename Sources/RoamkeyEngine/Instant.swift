/// A moment of the monotonic clock that the engine is handed: nanoseconds since an arbitrary start.
///
/// The engine never reads a clock; drivers pass `CLOCK_MONOTONIC`, simulators their virtual time.
package struct Instant: Hashable, Comparable, Sendable {
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static let distantFuture = Instant(nanoseconds: .max)

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
    .nanoseconds(a.nanoseconds.subtractingReportingOverflow(b.nanoseconds).partialValue)
  }
}

extension Duration {
  /// Whole nanoseconds, saturating at about 292 years.
  package var inNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds > 0 ? .max : .min }
    let (sum, carry) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carry ? (seconds > 0 ? .max : .min) : sum
  }
}
