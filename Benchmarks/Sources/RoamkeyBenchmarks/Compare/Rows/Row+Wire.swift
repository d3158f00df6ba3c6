extension Row {
  /// K: bytes that are not the app's.
  static func wire(_ options: RowOptions) -> Row {
    Row(
      isOnce: true, isConcurrent: true, letter: "K",
      title: "UDP payload beside a reliable message of 64 bytes, and without messages",
      figures: [
        RowFigure(
          name: "overhead", heading: "bytes around a message on its way", decimals: 1,
          targets: [.sealed: .fixed(40), .signed: .fixed(105)]
        ) { outcome, _ in outcome.client["overhead"] },
        RowFigure(
          name: "overheadBothWays", heading: "the same and what comes back", decimals: 1
        ) { outcome, _ in outcome.client["overheadBothWays"] },
        RowFigure(
          name: "keepAlive", heading: "idle client's bytes in 5 s", decimals: 1,
          targets: [.sealed: .fixed(30), .signed: .fixed(95)]
        ) { outcome, _ in outcome.client["keepAlive"] },
        RowFigure(
          name: "keepAliveBothWays", heading: "the same, both ways", decimals: 1
        ) { outcome, _ in outcome.client["keepAliveBothWays"] },
      ],
      competitors: [.enet, .sealed, .signed]
    ) { _ in
      .wire(Wire(seconds: 20 * options.scale))
    }
  }
}
