/// Our monotonic clock as the peer sees it: microseconds since a random origin, so that it tells nobody how long this
/// machine has been up. One for each endpoint: a client has a session only, and a server is known to all its players.
package struct LocalClock: Sendable {
  private let origin: UInt64

  /// The lowest origin. It is above the microseconds that an `Instant` can go below zero, 2^53, and origin and
  /// `Instant` together stay below 2^62: this clock never wraps. One that does would jump in its low 24 bits, since
  /// 2^64 microseconds are no whole number of milliseconds.
  private static let lowestOrigin: UInt64 = 1 << 60
  /// The bits of the milliseconds that a message carries.
  static let messageTimeMask: UInt64 = 0xff_ffff

  /// - Parameter random: 64 random bits; 60 of them become the origin.
  package init(random: UInt64) { origin = Self.lowestOrigin | random & (Self.lowestOrigin - 1) }

  /// What the clock shows: whole microseconds.
  package func microseconds(_ now: Instant) -> UInt64 {
    let (quotient, remainder) = now.nanoseconds.quotientAndRemainder(dividingBy: 1000)
    return origin &+ UInt64(bitPattern: remainder < 0 ? quotient - 1 : quotient)
  }

  /// The time that a message carries in 3 bytes: the low 24 bits of what the clock shows in whole milliseconds. It
  /// comes round every 4 h 39 min 37 s.
  package func milliseconds24(_ now: Instant) -> UInt32 {
    UInt32(truncatingIfNeeded: microseconds(now) / 1000 & Self.messageTimeMask)
  }

  /// The first moment at which the clock shows `microseconds`; saturates where it never does.
  func instant(_ microseconds: UInt64) -> Instant {
    let sinceOrigin = Int64(bitPattern: microseconds &- origin)
    let (nanoseconds, overflow) = sinceOrigin.multipliedReportingOverflow(by: 1000)
    return Instant(nanoseconds: overflow ? (sinceOrigin > 0 ? .max : .min) : nanoseconds)
  }
}
