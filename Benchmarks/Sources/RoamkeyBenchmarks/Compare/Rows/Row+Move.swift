extension Row {
  /// I: a client whose address changes.
  static func move(_ options: RowOptions) -> Row {
    Row(
      isConcurrent: true, letter: "I", title: "the client's address changes in mid-stream, 50 ms each way",
      figures: [
        RowFigure(
          name: "gap", heading: "ms without an echo, at most", decimals: 0,
          targets: [.sealed: .fixed(130), .signed: .fixed(130)]
        ) { outcome, _ in outcome.client["gap"] },
        RowFigure(name: "lost", heading: "sessions lost", decimals: 0, isCompared: false) { outcome, _ in
          outcome.client["lost"] ?? 0
        },
      ],
      competitors: [.raw, .enet, .sealed, .signed]
    ) { _ in
      .move(Move(delay: 50))
    }
  }
}
