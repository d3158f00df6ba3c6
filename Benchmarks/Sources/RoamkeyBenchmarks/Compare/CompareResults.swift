/// All runs of a comparison.
struct CompareResults: Sendable {
  /// What one competitor's figures were in one run; nil where a figure says nothing.
  private var values: [Key: [Double?]] = [:]
  private(set) var failures: [String] = []

  private struct Key: Hashable {
    var row: Character
    var figure: String
    var competitor: Competitor
  }

  /// Notes a figure of the next run.
  mutating func add(_ value: Double?, row: Row, figure: RowFigure, competitor: Competitor) {
    values[Key(row: row.letter, figure: figure.name, competitor: competitor), default: []].append(value)
  }

  mutating func fail(_ failure: BenchmarkFailure, row: Row, competitor: Competitor) {
    failures.append("\(row.letter), \(competitor.title): \(failure)")
    for figure in row.figures { add(nil, row: row, figure: figure, competitor: competitor) }
  }

  func all(_ row: Row, _ figure: RowFigure, _ competitor: Competitor) -> [Double] {
    (values[Key(row: row.letter, figure: figure.name, competitor: competitor)] ?? []).compactMap { $0 }
  }

  func median(_ row: Row, _ figure: RowFigure, _ competitor: Competitor) -> Double? {
    RoamkeyBenchmarks.median(all(row, figure, competitor))
  }

  /// The median of what `competitor` is to `other` in the same run: machines differ less within a run than between two.
  func ratio(_ row: Row, _ figure: RowFigure, _ competitor: Competitor, to other: Competitor) -> Double? {
    let own = values[Key(row: row.letter, figure: figure.name, competitor: competitor)] ?? []
    let others = values[Key(row: row.letter, figure: figure.name, competitor: other)] ?? []
    return RoamkeyBenchmarks.median(
      zip(own, others).compactMap { own, other in
        guard let own, let other, other > 0 else { return nil }
        return own / other
      })
  }

  /// How a competitor's figure stands to its target; nil where it has none, or no figure.
  func verdict(_ row: Row, _ figure: RowFigure, _ competitor: Competitor) -> Verdict? {
    guard let target = figure.targets[competitor], let value = median(row, figure, competitor) else { return nil }
    switch target {
    case .times(let factor, let other):
      return ratio(row, figure, competitor, to: other).flatMap { Verdict($0, limit: factor, isRate: figure.isRate) }
    case .fixed, .above:
      return target.limit { median(row, figure, $0) }.flatMap { Verdict(value, limit: $0, isRate: figure.isRate) }
    }
  }
}
