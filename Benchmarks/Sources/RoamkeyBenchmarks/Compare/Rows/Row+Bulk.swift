extension Row {
  /// C: large reliable messages in one session.
  static func bulk(_ options: RowOptions) -> Row {
    Row(
      letter: "C", title: "64 MiB as reliable messages of 64 KiB, one session",
      figures: [
        RowFigure(
          name: "rate", heading: "MB/s", decimals: 0, isRate: true,
          targets: [.sealed: .fixed(500), .signed: .fixed(150)]
        ) { outcome, _ in outcome.server["byteRate"].map { $0 / 1e6 } },
        RowFigure(name: "processor", heading: "CPU ms/MB, both", decimals: 2) { outcome, _ in
          guard let count = outcome.server["bytes"], let each = outcome.processorPerMessage,
            let messages = outcome.server["received"]
          else { return nil }
          return each * messages / 1e3 / (count / 1e6)
        },
      ],
      competitors: [.raw, .gso, .enet, .sealed, .signed]
    ) { _ in
      .flood(Flood(size: 64 << 10, promise: .reliable, seconds: 20, limit: 1024))
    } problem: {
      $0.missing($1)
    }
  }
}
