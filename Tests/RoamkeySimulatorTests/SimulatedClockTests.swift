import RoamkeyEngine
import Testing

@testable import RoamkeySimulator

@Suite struct SimulatedClockTests {
  private static let start = SimulatedWorld.start

  @Test func theWorldsClock() {
    let clock = SimulatedClock()
    #expect(clock.reading(at: Self.start + .seconds(5)) == Self.start + .seconds(5))
    #expect(clock.moment(of: .distantFuture) == .distantFuture)
  }

  @Test func anOffset() {
    let clock = SimulatedClock(offset: .seconds(3))
    #expect(clock.reading(at: Self.start) == Self.start + .seconds(3))
    #expect(clock.moment(of: Self.start + .seconds(10)) == Self.start + .seconds(7))
    #expect(clock.moment(of: .distantFuture) == .distantFuture)
  }

  /// 100 ppm are 8.64 s a day.
  @Test func drift() {
    let day = Duration.seconds(86_400)
    #expect(SimulatedClock(drift: 100).reading(at: Self.start + day) == Self.start + day + .milliseconds(8640))
    #expect(SimulatedClock(drift: -100).reading(at: Self.start + day) == Self.start + day + .milliseconds(-8640))
  }

  /// A timer set to a reading fires when the clock shows it, and not a nanosecond of the world earlier.
  @Test(arguments: [0, 1, 7, -7, 100, -100, 333_333, -333_333, 500_000, -500_000, .max, .min])
  func momentsAndReadingsAgree(drift: Int) {
    let clock = SimulatedClock(offset: .seconds(1000), drift: drift)
    var random = SeededRandom(seed: 1)
    for _ in 0..<2000 {
      let reading = Self.start + .seconds(1000) + .nanoseconds(Int64.random(in: 1..<1 << 50, using: &random))
      let moment = clock.moment(of: reading)
      #expect(clock.reading(at: moment) >= reading)
      #expect(clock.reading(at: Instant(nanoseconds: moment.nanoseconds - 1)) < reading)
    }
  }

  @Test func showing() {
    let clock = SimulatedClock(offset: .seconds(3), drift: 1000)
    let later = Self.start + .seconds(60)
    let stopped = clock.showing(clock.reading(at: Self.start + .seconds(10)), at: later)
    #expect(stopped.reading(at: later) == clock.reading(at: Self.start + .seconds(10)))
    #expect(stopped.reading(at: later + .seconds(1)) == stopped.reading(at: later) + .milliseconds(1001))
  }

  @Test func extremesDoNotTrap() {
    for drift in [0, 1, -1] {
      let clock = SimulatedClock(offset: .seconds(Int64.max), drift: drift)
      #expect(clock.reading(at: Instant(nanoseconds: .max)) == .distantFuture)
      #expect(clock.moment(of: Instant(nanoseconds: .min)) < Self.start)
    }
  }
}
