/// What several runs of something small came to, beside as many of its reference.
package struct TimingSummary: Sendable {
  /// In order.
  private let nanoseconds: [Double]
  private let ratios: [Double]

  /// - Parameter runs: nanoseconds a unit, in pairs; at least one.
  package init(_ runs: [(ours: Double, bare: Double)]) {
    precondition(!runs.isEmpty, "a middle needs a run")
    nanoseconds = runs.map(\.ours).sorted()
    ratios = runs.map { $0.ours / $0.bare }.sorted()
  }

  /// The middle of the runs; of an even number the upper one.
  package var median: Double { nanoseconds[nanoseconds.count / 2] }

  /// The middle of the ratios, not the ratio of the middles: a machine differs less from itself within a run than from
  /// run to run.
  package var ratio: Double { ratios[ratios.count / 2] }

  /// How far the middle half of the runs lies apart, in percent of their middle.
  package var spread: Double {
    100 * (nanoseconds[nanoseconds.count * 3 / 4] - nanoseconds[nanoseconds.count / 4]) / median
  }
}
