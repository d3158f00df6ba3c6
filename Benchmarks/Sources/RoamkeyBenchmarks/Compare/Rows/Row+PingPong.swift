extension Row {
  /// D: there and back.
  static func pingPong(_ options: RowOptions) -> Row {
    Row(
      letter: "D", title: "a reliable message of 64 bytes there and back",
      figures: [
        RowFigure(
          name: "p50", heading: "p50 us", decimals: 1,
          targets: [.sealed: .times(1.15, .raw), .signed: .above(.raw, by: 145)]
        ) { outcome, _ in outcome.client["p50"] },
        RowFigure(name: "p99", heading: "p99 us", decimals: 1) { outcome, _ in outcome.client["p99"] },
      ],
      competitors: [.raw, .enet, .sealed, .signed]
    ) { _ in .pingPong(PingPong(size: 64, seconds: options.scale)) }
  }
}
