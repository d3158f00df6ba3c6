/// What one seat may know at one moment: all that its screen needs, and what is sent to it.
///
/// Hardly anything in it changes from tick to tick: garrisons and positions follow from the tick and from numbers that
/// stay as they are until somebody acts. So differences between two views are small.
public struct View: Codable, Hashable, Sendable {
  /// Of two views of one host the newer one has the larger number.
  public var frame = 0
  /// Which of the host's matches it is, from 1; 0 before the first.
  public var match = 0
  /// The match's time: below 0 in the countdown, then 20 a second. It stands still in the lobby, and when it is over.
  public var tick = 0
  public var phase = Phase.lobby
  /// The seat that sees this; nil for one who only watches.
  public var you: Int?
  public var rules = Rules()
  public var seats: [Seat] = []
  /// All planets; a planet's id is its index. In the lobby the map as it will be if nobody comes or goes.
  public var planets: [Planet] = []
  /// The fleets that the seat sees, by id.
  public var fleets: [Fleet] = []
  /// All of this seat's orders up to the one of this number are in the view, or were refused.
  public var handledOrder = 0
  /// When the match is over: each seat's ships every five seconds.
  public var history: [[Int]] = []

  public init() {}

  public enum Phase: Codable, Hashable, Sendable {
    /// People come and go, and say when they are ready.
    case lobby
    /// All is there, and nothing may be ordered yet.
    case countdown
    case playing
    /// Nil where nobody has won.
    case over(winner: Int?)
  }

  /// One who plays.
  public struct Seat: Codable, Hashable, Sendable {
    /// A name is whatever somebody has typed: clean of what disturbs a line, at most 64 bytes.
    public var name: String
    /// 0 to 5, each once.
    public var colour: Int
    /// How well the bot plays whose seat it is; nil for a person's.
    public var bot: BotLevel?
    /// The person that starts matches.
    public var isHost = false
    /// In the lobby: wants to begin.
    public var isReady = false
    /// A person who has left: a bot plays until the person is back.
    public var isAway = false
    /// A person of whom nothing is heard at the moment; the seat waits.
    public var isOffline = false
    /// Has neither planets nor fleets any more.
    public var isOut = false
    /// All ships, those under way included, as they were counted last: once a second.
    public var ships = 0
    /// How many planets, as they were counted last: once a second.
    public var planets = 0

    public var isBot: Bool { bot != nil }

    public init(name: String, colour: Int, bot: BotLevel? = nil) {
      (self.name, self.colour, self.bot) = (name, colour, bot)
    }
  }

  /// What is known of a planet.
  public struct Planet: Codable, Hashable, Sendable {
    public var id: Int
    public var name: String
    public var place: Place
    /// 1 to 5: a planet of size 3 builds three ships in the time in which one of size 1 builds one.
    public var size: Int
    /// The seat that owns it, as far as is known; nil for nobody.
    public var owner: Int?
    /// Its ships at `asOf`, in parts of a ship (``Rules/partsOfShip``); nil if it was never seen.
    public var stock: Int?
    /// The tick at which it had `stock`.
    public var asOf: Int
    /// Whether it is within scanner range now. Else owner and stock are what they were when it was seen last.
    public var isSeen: Bool

    public init(
      id: Int, name: String, place: Place, size: Int, owner: Int? = nil, stock: Int? = nil, asOf: Int = 0,
      isSeen: Bool = false
    ) {
      (self.id, self.name, self.place, self.size) = (id, name, place, size)
      (self.owner, self.stock, self.asOf, self.isSeen) = (owner, stock, asOf, isSeen)
    }
  }

  /// Ships under way. None of this changes once it has left.
  public struct Fleet: Codable, Hashable, Sendable, Identifiable {
    /// Negative in those that this player's own screen shows ahead of the host's word (``Prediction``).
    public var id: Int
    public var owner: Int
    public var from: Int
    public var to: Int
    public var ships: Int
    /// The tick at which it left.
    public var departure: Int
    /// The tick at which it is there.
    public var arrival: Int

    public init(id: Int, owner: Int, from: Int, to: Int, ships: Int, departure: Int, arrival: Int) {
      (self.id, self.owner, self.from, self.to) = (id, owner, from, to)
      (self.ships, self.departure, self.arrival) = (ships, departure, arrival)
    }
  }
}
