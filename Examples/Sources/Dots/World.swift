import Roamkey

/// A place on the board.
public struct Place: Codable, Hashable, Sendable {
  public var x: Int
  public var y: Int

  public init(x: Int, y: Int) { (self.x, self.y) = (x, y) }
}

/// One player's dot.
public struct Dot: Codable, Hashable, Sendable {
  public var name: String
  public var place: Place
  public var coins: Int
}

/// All that a screen needs, told 30 times a second: an object of a few hundred bytes, of which only the newest counts.
public struct World: Codable, Hashable, Sendable {
  public var dots: [Dot] = []
  public var coins: [Place] = []
  /// Which of the dots is the reader's own.
  public var you: Int?

  public static let width = 48
  public static let height = 16
}

/// What a player wants: a direction, until there is another.
public enum Move: String, Codable, CaseIterable, Sendable {
  case up, down, left, right, stay
}

/// What the two sides agree on.
public enum Dots {
  public static let application = "dots/1"
  public static let frame = Duration.nanoseconds(16_666_667)
}
