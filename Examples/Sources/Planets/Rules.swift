/// What a match is played by: chosen by the host, told to all.
public struct Rules: Codable, Hashable, Sendable {
  /// Whether a seat sees owners, garrisons and fleets only within the range of its scanners.
  public var hasScanners: Bool
  /// After so many ticks whoever has most ships has won: 1 to ``Rules/longest``.
  public var length: Int
  /// Whether those who watch, and those who are out, see all while the others play. If not, nobody can look at the map
  /// through a second pair of eyes.
  public var watchersSeeAll: Bool
  /// How many times faster than usual ships grow and fleets travel, 1 to 8: for a quick match.
  public var pace: Int

  /// Takes each number into its range.
  public init(
    hasScanners: Bool = true, length: Int = 8 * 60 * Rules.ticksASecond, pace: Int = 1, watchersSeeAll: Bool = true
  ) {
    self.hasScanners = hasScanners
    self.watchersSeeAll = watchersSeeAll
    self.length = min(max(1, length), Rules.longest)
    self.pace = min(max(1, pace), 8)
  }

  /// How often the game moves on in a second.
  public static let ticksASecond = 20
  /// The longest match, in ticks: an hour.
  public static let longest = 60 * 60 * ticksASecond
  /// How many may play.
  public static let seats = 2...6
  /// The seats' colours.
  public static let colours = 0..<6
  /// Ticks between the host's start and the first one that counts.
  public static let countdown = 3 * ticksASecond
  /// What a ship is counted in while it is being built.
  public static let partsOfShip = 100
  /// How many fleets of one seat may be under way.
  public static let fleetsOfSeat = 64

  /// Whether all is in range: the rules may come from somebody else's program.
  public var isSound: Bool { (1...Rules.longest).contains(length) && (1...8).contains(pace) }

  /// How far a planet sees, in units of the map.
  public static func scannerRange(ofSize size: Int) -> Int { 24 + 2 * size }
  /// How far a fleet sees, in units of the map.
  public static let scannerRangeOfFleet = 14

  /// From so many ships on a planet builds none.
  public static func limit(ofSize size: Int) -> Int { 40 * size }

  /// How many ticks a fleet is under way from here to there.
  public func travel(from a: Place, to b: Place) -> Int { max(6, (9 * a.squaredDistance(to: b)).squareRoot / pace) }

  /// What has become of a planet's stock, in parts of ships, after so many ticks.
  public func stock(_ stock: Int, size: Int, after ticks: Int) -> Int {
    let ticks = min(max(0, ticks), 2 * Rules.longest)
    return max(stock, min(stock + ticks * size * pace, Rules.limit(ofSize: size) * Rules.partsOfShip))
  }
}

/// A place on the map.
public struct Place: Codable, Hashable, Sendable {
  /// From left to right, 0 to 159.
  public var x: Int
  /// From top to bottom, 0 to 89.
  public var y: Int

  public init(x: Int, y: Int) { (self.x, self.y) = (x, y) }

  /// The map's size.
  public static let width = 160
  /// The map's size.
  public static let height = 90

  public func squaredDistance(to other: Place) -> Int {
    (x - other.x) * (x - other.x) + (y - other.y) * (y - other.y)
  }

  /// Whether `other` is so near, in units of the map.
  public func isWithin(_ range: Int, of other: Place) -> Bool { squaredDistance(to: other) <= range * range }
}

extension Int {
  /// The largest whole number whose square is not above this one; 0 for a negative one.
  var squareRoot: Int {
    guard self > 0 else { return 0 }
    var root = Int(Double(self).squareRoot())
    while root * root > self { root -= 1 }
    while (root + 1) * (root + 1) <= self { root += 1 }
    return root
  }
}
