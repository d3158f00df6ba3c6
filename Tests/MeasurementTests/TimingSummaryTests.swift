import MeasurementBudgets
import Testing

@Suite struct TimingSummaryTests {
  @Test("a machine that was twice as slow for some runs changes the spread, not the ratio")
  func slowRuns() {
    let summary = TimingSummary([(20, 10), (40, 20), (22, 11), (44, 22), (21, 10.5)])
    #expect(summary.median == 22)
    #expect(summary.ratio == 2)
    #expect(summary.spread == 100 * (40 - 21) / 22.0)
  }

  @Test("one run that was interrupted changes neither the middle nor the ratio")
  func anInterruption() {
    let summary = TimingSummary([(10, 5), (10, 5), (900, 5), (10, 5), (10, 700)])
    #expect(summary.median == 10 && summary.ratio == 2 && summary.spread == 0)
  }

  @Test func aLoneRun() {
    let summary = TimingSummary([(30, 20)])
    #expect(summary.median == 30 && summary.ratio == 1.5 && summary.spread == 0)
  }
}
