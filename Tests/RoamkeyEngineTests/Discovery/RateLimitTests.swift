import Testing

@testable import RoamkeyEngine

struct RateLimitTests {
  private let start = Instant(nanoseconds: 5)

  @Test func aBurstThenAPace() {
    var limit = RateLimit(burst: 4, perSecond: 2)
    func taken(after milliseconds: Int) -> Int {
      (0..<10).filter { _ in limit.take(at: start + .milliseconds(milliseconds)) }.count
    }
    #expect(taken(after: 0) == 4)
    #expect(taken(after: 499) == 0)
    #expect(taken(after: 500) == 1)
    #expect(taken(after: 60_000) == 4)
  }

  @Test func sourcesDoNotShare() {
    var limits = SourceLimits(RateLimit(burst: 2, perSecond: 1))
    func taken(_ source: UInt128) -> Int { (0..<5).filter { _ in limits.take(source, at: start) }.count }
    #expect(taken(1) == 2)
    #expect(taken(2) == 2)
    #expect(taken(1) == 0)
  }

  /// A flood of sources takes no memory without end, and those that were there go on.
  @Test func manySources() {
    var limits = SourceLimits(RateLimit(burst: 2, perSecond: 1))
    func taken(_ sources: Range<UInt128>, after seconds: Int) -> Int {
      sources.filter { limits.take($0, at: start + .seconds(seconds)) }.count
    }
    #expect(taken(0..<10_000, after: 0) == SourceLimits.most)
    #expect(taken(0..<1, after: 0) == 1)
    // Once those are forgotten there is room again.
    #expect(taken(20_000..<20_001, after: 3) == 1)
  }
}
