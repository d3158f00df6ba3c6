extension Row {
  /// B: small unreliable messages in one session.
  static func unreliable(_ options: RowOptions) -> Row {
    Row(
      letter: "B", title: "unreliable messages of 64 bytes, one session",
      figures: [
        RowFigure(
          name: "rate", heading: "million/s received", decimals: 2, isRate: true,
          targets: [.sealed: .times(1.3, .enet), .signed: .times(0.8, .enet)]
        ) { outcome, _ in outcome.server["rate"].map { $0 / 1e6 } },
        RowFigure(name: "lost", heading: "lost in %", decimals: 1, isCompared: false) { outcome, _ in outcome.lost },
      ],
      competitors: [.raw, .gso, .enet, .sealed, .signed]
    ) { _ in
      .flood(Flood(size: 64, promise: .unreliable, seconds: options.scale))
    }
  }
}

extension Duel.Outcome {
  /// What did not arrive, in percent.
  var lost: Double? {
    guard let sent = client["sent"], let received = server["received"], sent > 0 else { return nil }
    return 100 * (1 - received / sent)
  }
}
