extension Row {
  /// F: many clients who come at once.
  static func connect(_ options: RowOptions) -> Row {
    Row(
      letter: "F", title: "\(options.newcomers) clients who connect at once",
      figures: [
        RowFigure(
          name: "time", heading: "ms until all are in", decimals: 0,
          targets: [.sealed: .fixed(350), .signed: .fixed(350)]
        ) { outcome, _ in outcome.client["connecting"] },
        RowFigure(
          name: "processor", heading: "server CPU us each", decimals: 0,
          targets: [.sealed: .fixed(250), .signed: .fixed(250)]
        ) { outcome, workload in outcome.server["connectProcessor"].map { $0 / Double(workload.peers) } },
      ],
      competitors: [.enet, .dtls, .sealed, .signed]
    ) { _ in
      .crowd(.resting(options.newcomers))
    }
  }

  /// G: the memory of clients who are in and do nothing.
  static func memory(_ options: RowOptions) -> Row {
    Row(
      letter: "G", title: "the server's memory for each of \(options.newcomers) idle sessions",
      figures: [
        RowFigure(
          name: "memory", heading: "KiB each", decimals: 1, targets: [.sealed: .fixed(6), .signed: .fixed(6)]
        ) { outcome, workload in
          guard let end = outcome.server["memoryEnd"], let start = outcome.server["memoryStart"] else { return nil }
          return (end - start) / 1024 / Double(workload.peers)
        }
      ],
      competitors: [.enet, .dtls, .sealed, .signed]
    ) { _ in
      .crowd(.resting(options.newcomers))
    }
  }
}

extension Crowd {
  /// Clients who come in and stay, and that is all.
  static func resting(_ peers: Int) -> Crowd {
    Crowd(peers: peers, rateIn: 0, rateOut: 1, sizeIn: 64, sizeOut: 200, seconds: 0)
  }
}
