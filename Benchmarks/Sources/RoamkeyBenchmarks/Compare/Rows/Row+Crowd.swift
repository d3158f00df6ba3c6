extension Row {
  /// E: a server in play. Clients are one thread for all, whoever they are.
  static func crowd(_ options: RowOptions) -> Row {
    Row(
      letter: "E", title: "clients in play: 64 bytes in and 200 bytes out to each, 20 times a second, unreliable",
      figures: [
        RowFigure(
          name: "share", heading: "server CPU, % of a core", decimals: 1,
          targets: [.sealed: .times(1.1, .enet), .signed: .fixed(45 * Double(options.signedClients) / 300)]
        ) { outcome, _ in outcome.server["share"].map { $0 * 100 } },
        RowFigure(name: "perMessage", heading: "us/message", decimals: 2) { outcome, _ in outcome.server["perMessage"]
        },
        RowFigure(name: "clients", heading: "clients", decimals: 0, isCompared: false) { _, workload in
          Double(workload.peers)
        },
        RowFigure(name: "lost", heading: "lost in %", decimals: 1, isCompared: false) { outcome, _ in
          guard let received = outcome.server["received"], let expected = outcome.server["expected"], expected > 0
          else {
            return nil
          }
          return max(0, 100 * (1 - received / expected))
        },
      ],
      competitors: [.raw, .enet, .dtls, .sealed, .signed]
    ) { competitor in
      .crowd(
        Crowd(
          peers: competitor == .signed ? options.signedClients : options.clients, rateIn: 20, rateOut: 20, sizeIn: 64,
          sizeOut: 200, seconds: options.playSeconds))
    } problem: { outcome, _ in
      outcome.lostInPlay
    }
  }
}

extension Duel.Outcome {
  /// That a server got so little that its cost says nothing; nil otherwise.
  var lostInPlay: String? {
    guard let received = server["received"], let expected = server["expected"], received < 0.9 * expected else {
      return nil
    }
    return "the server got \(Int(received)) of \(Int(expected)) messages: too many clients for this machine"
  }
}
