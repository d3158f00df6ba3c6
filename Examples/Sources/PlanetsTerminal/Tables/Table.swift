import Planets

/// What a screen plays on: a match in this process, or one of a host's.
///
/// Time is an argument: seconds, from any moment on.
public protocol Table {
  /// What is to be seen, orders that were just given included.
  var view: View { get }
  /// What is special about the connection, if anything: one line.
  var status: String? { get }
  /// Whether the match and its seats are for this player to arrange.
  var isHost: Bool { get }
  /// The moment that is to be shown, between two ticks.
  mutating func tick(at time: Double) -> Double
  /// Whether it may stand still for a while: not where others play.
  var canPause: Bool { get }
  /// Stands still at this moment.
  mutating func pause(at time: Double)
  /// Goes on, and tells what there is to tell.
  mutating func step(at time: Double) -> [TableNews]
  /// Sends ships.
  mutating func order(_ order: Order) throws(OrderError)
  /// Says something to all.
  mutating func say(_ text: String)
  /// What a key of the lobby or of the end asks for.
  mutating func ask(_ request: TableRequest)
}

/// What a player asks for outside of a match.
public enum TableRequest: Hashable, Sendable {
  case ready(Bool)
  /// Of the host alone: begins, fills up with bots, or makes another map.
  case start
  case bots(count: Int, level: BotLevel)
  case anotherMap
  /// After a match: back to the lobby.
  case again
}

/// Something that a view does not tell.
public enum TableNews: Hashable, Sendable {
  /// A line of chat: who, by number of the seat, and what, as it came.
  case said(seat: Int?, name: String, text: String)
  /// A line for the player.
  case note(String)
  /// It is over for this player, who reads why.
  case ended(String)
}

/// What a new match is like.
public struct MatchSetup: Hashable, Sendable {
  public var name: String
  public var bots: Int
  public var level: BotLevel
  public var seed: UInt64
  public var rules: Rules

  /// The same on another map.
  public var next: MatchSetup {
    var next = self
    next.seed &+= 1
    return next
  }

  /// As many bots as there may be at most.
  public static let mostBots = Rules.seats.upperBound - 1

  public init(name: String, bots: Int = 2, level: BotLevel = .medium, seed: UInt64, rules: Rules = Rules()) {
    (self.name, self.bots, self.level, self.seed, self.rules) = (name, bots, level, seed, rules)
  }
}
