import Testing

@testable import RoamkeyBenchmarks

@Suite struct PercentileTests {
  @Test func nearestRank() {
    let hundred = Percentiles((1...100).shuffled().map { .milliseconds($0) })
    #expect(hundred[50] == .milliseconds(50))
    #expect(hundred[90] == .milliseconds(90))
    #expect(hundred[99] == .milliseconds(99))
    #expect(hundred[100] == .milliseconds(100))
    #expect(hundred.maximum == .milliseconds(100))
    #expect(hundred[0] == .milliseconds(1))
  }

  @Test func fewValues() {
    #expect(Percentiles([])[50] == nil)
    #expect(Percentiles([]).maximum == nil)
    let three = Percentiles([.milliseconds(30), .milliseconds(10), .milliseconds(20)])
    #expect(three[50] == .milliseconds(20))
    #expect(three[34] == .milliseconds(20))
    #expect(three[33] == .milliseconds(10))
    #expect(three[99] == .milliseconds(30))
  }

  @Test func medians() {
    #expect(median([]) == nil)
    #expect(median([3, 1, 2]) == 2)
    #expect(median([4, 1, 3, 2]) == 2.5)
  }

  @Test func numbers() {
    #expect(Text.number(50.049, decimals: 2) == "50.05")
    #expect(Text.number(0.004, decimals: 2) == "0.00")
    #expect(Text.number(-0.004, decimals: 2) == "0.00")
    #expect(Text.number(-1.5, decimals: 1) == "-1.5")
    #expect(Text.number(1234.5, decimals: 0) == "1235")
    #expect(Text.setting(30) == "30")
    #expect(Text.setting(0) == "0")
    #expect(Text.setting(0.05 * 100) == "5")
    #expect(Text.setting(0.25) == "0.25")
    #expect(Text.number(nil, decimals: 1) == "-")
    #expect(Text.number(.nan, decimals: 1) == "-")
  }

  @Test func durations() {
    let duration = Duration.microseconds(1500)
    #expect(duration.wholeNanoseconds == 1_500_000)
    #expect(duration.inMilliseconds == 1.5)
    #expect(Duration.milliseconds(-3).wholeNanoseconds == -3_000_000)
  }

  @Test func ticksAreSteady() {
    let ticks = Ticks(rate: 100, notBefore: Monotonic(nanoseconds: 123_456_789), offset: 0.25)
    #expect(ticks.first.nanoseconds == 132_500_000)
    #expect(ticks[3] - ticks[0] == .milliseconds(30))
    let exact = Ticks(rate: 100, notBefore: Monotonic(nanoseconds: 120_000_000), offset: 0)
    #expect(exact.first.nanoseconds == 120_000_000)
  }
}
