import RoamkeySimulator
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §10.7: what a session's clock shows to the peer.
struct LocalClockTests {
  static let clock = LocalClock(random: 0)
  static let wrap: Int64 = 1 << 24

  @Test func microsecondsAreWholeAndCountOn() {
    let start = Self.clock.microseconds(Instant(nanoseconds: 0))
    #expect(Self.clock.microseconds(Instant(nanoseconds: 999)) == start)
    #expect(Self.clock.microseconds(Instant(nanoseconds: 1000)) == start + 1)
    #expect(Self.clock.microseconds(Instant(nanoseconds: -1)) == start - 1)
    #expect(Self.clock.microseconds(Instant(nanoseconds: -1000)) == start - 1)
    #expect(Self.clock.microseconds(Instant(nanoseconds: -1001)) == start - 2)
  }

  /// The reading says nothing of the uptime: the same moment shows anything, and no moment is outside of the range.
  @Test(arguments: [0, 1, UInt64.max, 0x1234_5678_9abc_def0])
  func theOriginIsRandomAndTheClockNeverWraps(random: UInt64) {
    let clock = LocalClock(random: random)
    let first = clock.microseconds(Instant(nanoseconds: .min))
    let last = clock.microseconds(Instant(nanoseconds: .max))
    #expect(first < last && last < 1 << 62)
    #expect(last - first == UInt64.max / 1000)
    let other = LocalClock(random: random ^ 1 << 59)
    let now = at(1)
    #expect(clock.microseconds(now) ^ other.microseconds(now) != 0)
  }

  @Test func readingsLeadBackToTheirMoments() {
    for nanoseconds in [0, 1000, 5_000_000_000_000, -7000, 9_223_372_036_854_775_000] as [Int64] {
      let moment = Instant(nanoseconds: nanoseconds)
      #expect(Self.clock.instant(Self.clock.microseconds(moment)) == moment)
    }
    #expect(Self.clock.instant(Self.clock.microseconds(Instant(nanoseconds: 1999))) == Instant(nanoseconds: 1000))
    #expect(Self.clock.instant(0) == Instant(nanoseconds: .min))
    #expect(Self.clock.instant(.max) == Instant(nanoseconds: .min))
    #expect(Self.clock.instant(1 << 62) == Instant(nanoseconds: .max))
  }

  @Test func theTimeOfAMessageHas24Bits() {
    // 2^60 microseconds: 4,606,846 in the low 24 bits of the milliseconds, and 976 microseconds beyond.
    let start = UInt32((UInt64(1) << 60) / 1000 & 0xff_ffff)
    #expect(Self.clock.milliseconds24(at(0)) == start)
    #expect(Self.clock.milliseconds24(Instant(nanoseconds: 23_000)) == start)
    #expect(Self.clock.milliseconds24(Instant(nanoseconds: 24_000)) == start + 1)
    #expect(Self.clock.milliseconds24(at(Self.wrap)) == start)
    #expect(Self.clock.milliseconds24(at(Self.wrap - 1 - Int64(start))) == 0xff_ffff)
    #expect(Self.clock.milliseconds24(at(Self.wrap - Int64(start))) == 0)
  }
}
