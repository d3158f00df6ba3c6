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

/// Something that the demo says, and whether it was so.
struct Claim: Sendable {
  var text: String
  var isTrue: Bool
}
