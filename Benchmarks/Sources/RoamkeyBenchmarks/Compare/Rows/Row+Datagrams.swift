extension Row {
  /// J: messages of which each fills a datagram of its own, since two of them do not fit into one.
  static func datagrams(_ options: RowOptions) -> Row {
    Row(
      letter: "J", title: "unreliable messages of 700 bytes, each in a datagram of its own, one session",
      figures: [
        RowFigure(
          name: "rate", heading: "thousand/s received", decimals: 0, isRate: true,
          targets: [.sealed: .fixed(300), .signed: .fixed(19)]
        ) { outcome, _ in outcome.server["rate"].map { $0 / 1e3 } },
        RowFigure(name: "lost", heading: "lost in %", decimals: 1, isCompared: false) { outcome, _ in outcome.lost },
        RowFigure(name: "perDatagram", heading: "messages/datagram", decimals: 2, isCompared: false) { outcome, _ in
          guard let sent = outcome.client["sent"], let datagrams = outcome.client["datagrams"], datagrams > 0 else {
            return nil
          }
          return sent / datagrams
        },
      ],
      competitors: [.raw, .enet, .dtls, .sealed, .signed]
    ) { _ in
      .flood(Flood(size: 700, promise: .unreliable, seconds: options.scale))
    }
  }
}
