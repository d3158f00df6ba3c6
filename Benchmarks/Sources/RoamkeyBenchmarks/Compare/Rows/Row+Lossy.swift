extension Row {
  /// H: the figures of lossy delivery that have targets. `lossy` tells all of them, in several runs.
  static func lossy(_ options: RowOptions) -> Row {
    Row(
      isOnce: true, letter: "H", title: "a message of 64 bytes 30 times a second, 5 % loss and 50 ms each way",
      figures: [LossyFigure.p50, .p90, .p99, .maximum, .bytesUp].map { figure in
        var targets: [Competitor: Target] = [:]
        for competitor in Competitor.allCases {
          guard let target = Contestant(rawValue: competitor.rawValue)?.targets[figure] else { continue }
          targets[competitor] = .fixed(target)
        }
        return RowFigure(
          name: figure.rawValue, heading: figure.heading, decimals: figure.decimals, targets: targets
        ) { _, _ in nil }
      },
      competitors: [.raw, .enet, .sealed, .signed], workload: nil)
  }
}
