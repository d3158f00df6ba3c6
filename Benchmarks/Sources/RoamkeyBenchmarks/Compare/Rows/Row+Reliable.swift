extension Row {
  /// A: small reliable messages in one session.
  static func reliable(_ options: RowOptions) -> Row {
    Row(
      letter: "A", title: "reliable ordered messages of 64 bytes, one session",
      figures: [
        RowFigure(
          name: "rate", heading: "million/s", decimals: 2, isRate: true,
          targets: [.sealed: .times(2, .enet), .signed: .times(1, .enet)]
        ) { outcome, _ in outcome.server["rate"].map { $0 / 1e6 } },
        RowFigure(
          name: "processor", heading: "CPU us/message, both", decimals: 2,
          targets: [.sealed: .fixed(0.5), .signed: .fixed(0.9)]
        ) { outcome, _ in outcome.processorPerMessage },
      ],
      competitors: [.enet, .sealed, .signed]
    ) { _ in
      .flood(Flood(size: 64, promise: .reliable, seconds: options.scale))
    } problem: {
      $0.missing($1)
    }
  }
}

extension Duel.Outcome {
  /// What was promised to be reliable and in order, and was not.
  func missing(_ competitor: Competitor) -> String? {
    guard competitor != .raw, competitor != .gso, let sent = client["sent"], let received = server["received"],
      let misplaced = server["misplaced"], received != sent || misplaced > 0
    else { return nil }
    return "\(Int(received)) of \(Int(sent)) messages arrived, \(Int(misplaced)) not in order"
  }

  /// Of both processes, in microseconds.
  var processorPerMessage: Double? {
    guard let server = server["processor"], let client = client["processor"], let count = self.server["received"],
      count > 0
    else { return nil }
    return (server + client) / count
  }
}
