import Planets

/// What both sides agree on.
public enum PlanetsWire {
  public static let application = "planets/1"

  // What messages are called.
  static let command = "do"
  /// A view, with the newest only: while a match goes on.
  static let state = "state"
  /// A view, for sure: in the lobby, and when a match is over.
  static let standing = "view"
  static let said = "said"
  static let refused = "refused"

  /// A command is never longer, in bytes; an order from all planets takes about 200.
  static let longestCommand = 1024
  /// A line of chat, in bytes of UTF-8.
  public static let longestLine = 200
  /// What is said must not wait behind orders, nor they behind it.
  static let chatChannel: UInt8 = 1
}

/// What the host chooses for the next match.
public struct MatchSettings: Codable, Hashable, Sendable {
  public var rules: Rules
  /// How many seats bots fill, beside those of people: 0 to 5. One alone gets a bot in any case.
  public var bots: Int
  /// How well bots play, those who stand in for people included.
  public var level: BotLevel
  /// What the map follows from; nil for another one each time.
  public var seed: UInt64?

  public init(rules: Rules = Rules(), bots: Int = 1, level: BotLevel = .medium, seed: UInt64? = nil) {
    (self.rules, self.bots, self.level, self.seed) = (rules, min(max(0, bots), 5), level, seed)
  }

  var isSound: Bool { rules.isSound && (0...5).contains(bots) }
}

/// What a guest tells the host.
enum Command: Codable, Hashable, Sendable {
  /// Numbers count from 1 in each session, without a gap.
  case order(match: Int, number: Int, order: Order)
  case ready(Bool)
  case say(String)
  /// Nothing: a router on the way is to know that somebody is here.
  case here
  // Only of the person that is the host.
  case start
  case configure(MatchSettings)
  case lobby
}

/// A line of chat.
public struct Said: Codable, Hashable, Sendable {
  /// Who has said it: a name as it was typed.
  public var name: String
  /// The speaker's seat in the view at that time; nil for one who watches.
  public var seat: Int?
  public var text: String

  var isSound: Bool { name.utf8.count <= 64 && text.utf8.count <= PlanetsWire.longestLine }
}

/// An order was not followed.
struct Refusal: Codable, Hashable, Sendable {
  var number: Int
  var reason: OrderError
}
