import Foundation
import Testing

@testable import RoamkeyBenchmarks

/// Medians, ratios and verdicts, on figures that were made up.
struct CompareResultsTests {
  private static let rate = RowFigure(
    name: "rate", heading: "per s", decimals: 1, isRate: true, targets: [.sealed: .times(2, .enet), .signed: .fixed(5)]
  ) { _, _ in nil }
  private static let cost = RowFigure(
    name: "cost", heading: "us", decimals: 1, targets: [.sealed: .above(.raw, by: 3)]
  ) { _, _ in nil }
  private static let row = Row(
    letter: "X", title: "a row", figures: [rate, cost], competitors: [.raw, .enet, .sealed, .signed])

  private func results(_ figure: RowFigure, _ values: [Competitor: [Double?]]) -> CompareResults {
    var results = CompareResults()
    for (competitor, values) in values {
      for value in values { results.add(value, row: Self.row, figure: figure, competitor: competitor) }
    }
    return results
  }

  @Test func aMedianLeavesOutWhatSaysNothing() {
    let results = results(Self.rate, [.enet: [1, nil, 3, 100]])
    #expect(results.median(Self.row, Self.rate, .enet) == 3)
    #expect(results.median(Self.row, Self.rate, .sealed) == nil)
  }

  /// A machine that is three times as slow in one run is so for both.
  @Test func ratiosAreTakenWithinARun() {
    let results = results(Self.rate, [.enet: [30, 10, nil, 20], .sealed: [60, 21, 1000, 40]])
    #expect(results.ratio(Self.row, Self.rate, .sealed, to: .enet) == 2)
    #expect(results.ratio(Self.row, Self.rate, .signed, to: .enet) == nil)
  }

  @Test(arguments: [(40.0, true), (39, false)])
  func aTargetBesideAnotherOne(_ value: Double, _ isMet: Bool) throws {
    let results = results(Self.rate, [.enet: [20], .sealed: [value]])
    #expect(try #require(results.verdict(Self.row, Self.rate, .sealed)).isMet == isMet)
  }

  @Test(arguments: [(13.0, true), (13.1, false)])
  func aTargetAboveAnotherOne(_ value: Double, _ isMet: Bool) throws {
    let results = results(Self.cost, [.raw: [10], .sealed: [value]])
    #expect(try #require(results.verdict(Self.row, Self.cost, .sealed)).isMet == isMet)
  }

  @Test func withoutTheOtherThereIsNoVerdict() {
    let results = results(Self.rate, [.sealed: [100], .enet: [nil]])
    #expect(results.verdict(Self.row, Self.rate, .sealed) == nil)
    #expect(results.verdict(Self.row, Self.rate, .enet) == nil)
  }

  @Test func aVerdictSaysByHowMuch() throws {
    #expect(try #require(Verdict(3, limit: 4, isRate: true)).words == "MISSED by 25 %")
    #expect(try #require(Verdict(5, limit: 4, isRate: false)).words == "MISSED by 25 %")
    #expect(try #require(Verdict(4, limit: 4, isRate: false)).words == "met")
    #expect(Verdict(1, limit: 0, isRate: true) == nil)
    #expect(Verdict(.nan, limit: 1, isRate: true) == nil)
  }

  @Test func aFailureIsToldAndHasNoFigures() {
    var results = results(Self.rate, [.enet: [1]])
    results.fail(BenchmarkFailure("it fell over"), row: Self.row, competitor: .enet)
    #expect(results.failures == ["X, ENet: it fell over"])
    #expect(results.all(Self.row, Self.rate, .enet) == [1])
  }

  @Test func theTableHasFiguresRatiosAndVerdicts() throws {
    let results = results(Self.rate, [.raw: [10], .enet: [20], .sealed: [30], .signed: [6]])
    let report = CompareReport(rows: [Self.row], results: results, runs: 1, machine: "a \"machine\"")
    let lines = report.text.split(separator: "\n").map {
      $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
    #expect(lines.contains("X a row to ENet to raw target"))
    #expect(lines.contains("ENet 20.0"))
    #expect(lines.contains("Roamkey sealed 30.0 1.50 x 3.00 x >= 2 x ENet MISSED by 25 %"))
    #expect(lines.contains("Roamkey signed 6.0 0.30 x 0.60 x >= 5 met"))
    let object = try JSONSerialization.jsonObject(with: Data(report.json.description.utf8))
    let fields = try #require(object as? [String: Any])
    #expect(fields["machine"] as? String == "a \"machine\"")
    #expect((fields["rows"] as? [Any])?.count == 1)
  }

  /// Each row of the real table can be asked for, has figures, and sets targets to those who take part.
  @Test func theRowsAreSound() {
    let rows = Row.all(RowOptions())
    #expect(rows.map(\.letter) == ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K"])
    for row in rows {
      #expect(Set(row.figures.map(\.name)).count == row.figures.count)
      #expect(row.figures.contains { !$0.targets.isEmpty })
      for figure in row.figures { #expect(Set(figure.targets.keys).isSubset(of: row.competitors)) }
      for competitor in row.competitors {
        guard let workload = row.workload?(competitor) else { continue }
        #expect(WorkloadChoice(word: workload.word) == workload)
      }
    }
  }
}
