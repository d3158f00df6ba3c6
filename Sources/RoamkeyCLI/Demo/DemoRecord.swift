internal import Roamkey

/// What was seen while the story went on: the evidence for its claims.
struct DemoRecord: Sendable {
  /// Who speaks.
  enum Speaker: Sendable { case ada, ben }

  /// One direction of the conversation. The numbers begin with 0.
  struct Stream: Sendable {
    var sent = 0
    var received = 0
    var doubled = 0
    var outOfOrder = 0
    /// What was said, besides the numbered steps of the game.
    var heard: [String] = []

    var lost: Int { sent - received }

    /// Notes an arrival.
    mutating func receive(_ number: Int) {
      // In order, the number that is due is the count of those that came.
      switch number {
      case received: received += 1
      case ..<received: doubled += 1
      default:
        outOfOrder += 1
        received += 1
      }
    }
  }

  struct Move: Sendable, Equatable {
    var from: NetworkAddress
    var to: NetworkAddress
  }

  var fromAda = Stream()
  var fromBen = Stream()
  /// Ada's, as the server saw them.
  var moves: [Move] = []
  /// How often anybody joined, and left.
  var joins = 0
  var leaves = 0
  /// Why a session ended that should have gone on.
  var lastReason: EndReason?

  /// What a player has said, and the other one has heard.
  subscript(_ speaker: Speaker) -> Stream {
    get {
      switch speaker {
      case .ada: fromAda
      case .ben: fromBen
      }
    }
    set {
      switch speaker {
      case .ada: fromAda = newValue
      case .ben: fromBen = newValue
      }
    }
  }
}

// MARK: What the games do

extension DemoRecord {
  /// The room: what one player says, all others hear.
  mutating func host(_ event: Server.Event, _ server: some GameServer, ada: PlayerID) {
    switch event {
    case .joined: joins += 1
    case .message(let message, let player): server.broadcast(message, from: player)
    case .roamed(let player, let from, let to): if player == ada { moves.append(Move(from: from, to: to)) }
    case .offline, .online: break
    case .left(_, let reason):
      leaves += 1
      lastReason = reason
    }
  }

  /// A player says something as the next message of its stream: its number, and what is said.
  mutating func say(_ text: String, _ speaker: Speaker, _ player: some GameClient) -> SendError? {
    do throws(SendError) {
      try player.send("\(self[speaker].sent)|\(text)", as: text.isEmpty ? "step" : "chat")
    } catch {
      return error
    }
    self[speaker].sent += 1
    return nil
  }

  /// A player hears what `speaker` has said.
  mutating func hear(_ event: Client.Event, from speaker: Speaker) {
    guard case .message(let message) = event, let text = message.text else { return }
    let parts = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[0]) else { return }
    self[speaker].receive(number)
    if !parts[1].isEmpty { self[speaker].heard.append(String(parts[1])) }
  }
}

/// Something that the demo says, and whether it was so.
struct Claim: Sendable, CustomStringConvertible {
  var text: String
  var isTrue: Bool

  var description: String { "\(isTrue ? "true " : "FALSE")  \(text)" }
}
