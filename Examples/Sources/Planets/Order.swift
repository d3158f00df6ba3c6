/// How much of a garrison goes.
public enum Share: Int, Codable, Hashable, Sendable, CaseIterable {
  case quarter = 25
  case half = 50
  case most = 75
  case all = 100

  /// So many of `ships`, rounded up: one is enough for a fleet.
  public func of(_ ships: Int) -> Int { (max(0, ships) * rawValue + 99) / 100 }
}

/// What a player wants: ships from one or several planets to another.
public struct Order: Codable, Hashable, Sendable {
  /// The planets they leave, each once.
  public var sources: [Int]
  /// The planet they go to.
  public var target: Int
  public var share: Share

  public init(from sources: [Int], to target: Int, share: Share) {
    (self.sources, self.target, self.share) = (sources, target, share)
  }
}

/// Why an order was not followed.
public enum OrderError: String, Error, Codable, Hashable, Sendable, CustomStringConvertible {
  case notPlaying, isOut, noSuchPlanet, notYours, nothingToSend, tooManyFleets, tooFast

  public var description: String {
    switch self {
    case .notPlaying: "there is no match going on"
    case .isOut: "your seat is out"
    case .noSuchPlanet: "there is no such planet"
    case .notYours: "none of these planets is yours any more"
    case .nothingToSend: "there are no ships to send"
    case .tooManyFleets: "at most \(Rules.fleetsOfSeat) fleets at once"
    case .tooFast: "so many orders at once are more than anybody can mean"
    }
  }
}

/// How well a bot plays.
public enum BotLevel: String, Codable, Hashable, Sendable, CaseIterable {
  case weak, medium, strong
}
