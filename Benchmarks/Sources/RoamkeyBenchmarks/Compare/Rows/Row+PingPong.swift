extension Row {
  /// D: there and back. Raw UDP and ENet have one thread on each side, the app's own, so Roamkey is judged with its
  /// own as well; with threads of its own a message changes threads twice on each side.
  static func pingPong(_ options: RowOptions) -> Row {
    Row(
      letter: "D",
      title: "a reliable message of 64 bytes there and back; judged on the one thread that the others have",
      figures: [
        RowFigure(
          name: "p50", heading: "p50 us", decimals: 1,
          targets: [.sealedPolled: .times(1.15, .raw), .signedPolled: .above(.raw, by: 145)]
        ) { outcome, _ in outcome.client["p50"] },
        RowFigure(name: "p99", heading: "p99 us", decimals: 1) { outcome, _ in outcome.client["p99"] },
      ],
      competitors: [.raw, .enet, .sealedPolled, .signedPolled, .sealed, .signed]
    ) { _ in .pingPong(PingPong(size: 64, seconds: options.scale)) }
  }
}
