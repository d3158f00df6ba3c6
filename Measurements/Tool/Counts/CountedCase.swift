import RoamkeyEngine
import RoamkeyWire

/// One kind of work, done again and again once it has reached its steady state.
struct CountedCase {
  enum Work {
    case messages(Messages)
    /// Nobody says anything for half a minute.
    case silence
    /// The loop wakes while packets await their acknowledgement, and nothing is due.
    case turns(Line.Direction)
  }

  struct Messages {
    var delivery = Delivery.reliableOrdered
    /// Of the body, in bytes.
    var size = CountedCase.small
    var direction: Line.Direction
    /// So many are said at once; twice in a round, but for large ones.
    var burst = 1
    var asksForReceipt = false
    /// One datagram of so many is lost; 0 for none.
    var lossPeriod = 0

    var sendsInRound: Int { size == CountedCase.large ? 1 : 2 }

    var options: MessageOptions { MessageOptions(delivery: delivery, receipt: asksForReceipt ? 1 : nil) }
  }

  var policy: SigningPolicy
  var players = 1
  var work: Work

  static let small = 64
  /// In pieces: some fifty packets.
  static let large = 64 << 10

  /// All of them, in the order of the table.
  static let all: [CountedCase] = [SigningPolicy.sealedOnly, .everyPacket].flatMap { policy in
    let modes = [small, large].flatMap { size in
      Delivery.allCases.flatMap { delivery in
        Line.Direction.allCases.map { Messages(delivery: delivery, size: size, direction: $0) }
      }
    }
    let others = [
      Messages(direction: .up, burst: 16), Messages(direction: .up, asksForReceipt: true),
      Messages(direction: .up, lossPeriod: 20), Messages(delivery: .latest, direction: .up, lossPeriod: 20),
    ]
    let ticks = Line.Direction.allCases.map { Messages(delivery: .latest, size: 200, direction: $0) }
    return (modes + others).map { CountedCase(policy: policy, work: .messages($0)) }
      + ticks.map { CountedCase(policy: policy, players: 16, work: .messages($0)) }
      + [.silence, .turns(.up), .turns(.down)].map { CountedCase(policy: policy, work: $0) }
  }

  /// What stands in tables and files: without spaces.
  var name: String {
    let policy = self.policy == .sealedOnly ? "sealed" : "signed"
    switch work {
    case .messages(let messages): return "\(policy)-\(messages.name)\(players == 1 ? "" : "-\(players)-players")"
    case .silence: return "\(policy)-silence"
    case .turns(let direction): return "\(policy)-turns-\(direction)"
    }
  }

  /// What its figures are for.
  var unit: String {
    switch work {
    case .messages: "message"
    case .silence: "datagram"
    case .turns: "turn"
    }
  }

  /// The phases that are counted, in the order in which each round has them.
  var phases: [Phase] {
    switch work {
    case .messages: [.send, .receive, .acknowledge]
    case .silence, .turns: [.idle]
    }
  }

  // MARK: How often

  /// Rounds until nothing grows any more: the window of a large message, every ring, every table.
  var warmUp: Int {
    switch work {
    case .messages(let messages): messages.size == Self.large ? 150 : 1000 / players
    case .silence: 4
    case .turns: 100
    }
  }

  /// The same where each instruction is followed, and rings that grow say nothing.
  var briefWarmUp: Int {
    switch work {
    case .messages(let messages): messages.size == Self.large ? 16 : messages.lossPeriod > 0 ? 64 : 32
    case .silence: 2
    case .turns: 16
    }
  }

  var briefRounds: Int {
    switch work {
    case .messages(let messages): messages.size == Self.large ? 2 : messages.lossPeriod > 0 ? 40 : 4
    case .silence, .turns: 2
    }
  }

  /// What the app says.
  var content: [UInt8] {
    var content = MessageContent(format: .bytes, action: "", body: [])
    var size = Self.small
    if case .messages(let messages) = work {
      size = messages.size
      content.wantsReceipt = messages.asksForReceipt
    }
    content.body = [UInt8](repeating: 7, count: size)
    return content.encoded()
  }
}

extension CountedCase.Messages {
  fileprivate var name: String {
    "\(delivery)-\(size)-\(direction)" + (burst > 1 ? "-burst" : "") + (asksForReceipt ? "-receipts" : "")
      + (lossPeriod > 0 ? "-lossy" : "")
  }
}
