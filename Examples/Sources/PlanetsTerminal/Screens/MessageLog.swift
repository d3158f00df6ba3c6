import Planets
import RoamkeyTerminal

/// The last lines about what has happened; each goes away after a while.
struct MessageLog: Sendable {
  struct Line: Hashable, Sendable {
    var text: String
    var colour: Colour
    var time: Double
  }

  /// How long a line stays, in seconds.
  static let stay = 6.0
  /// Its last part, in which it fades.
  static let fade = 2.0
  static let most = 3

  private(set) var lines: [Line] = []

  mutating func add(_ text: String, _ colour: Colour, at time: Double) {
    lines.append(Line(text: text, colour: colour, time: time))
    if lines.count > Self.most { lines.removeFirst(lines.count - Self.most) }
  }

  mutating func forget(before time: Double) { lines.removeAll { $0.time + Self.stay < time } }

  /// How much of a line's colour is left.
  static func strength(_ line: Line, at time: Double) -> Double {
    min(max(0, (line.time + stay - time) / fade), 1)
  }
}

/// What is said of things that happen.
enum Words {
  /// A seat's name as it may stand on a screen: harmless, and short.
  static func name(of seat: View.Seat, width: Int = 16) -> String {
    let label = Console.label(seat.name)
    return DisplayWidth.cut(label.isEmpty ? "?" : label, to: width)
  }

  static func name(ofSeat seat: Int, in view: View, width: Int = 16) -> String {
    view.seats.indices.contains(seat) ? name(of: view.seats[seat], width: width) : "?"
  }

  /// A planet's name; it comes from the host.
  static func name(ofPlanet planet: Int, in view: View) -> String {
    view.planets.indices.contains(planet) ? DisplayWidth.cut(Console.label(view.planets[planet].name), to: 16) : "?"
  }

  private static func colour(ofSeat seat: Int, in view: View) -> Colour {
    view.seats.indices.contains(seat) ? .seat(view.seats[seat].colour) : .neutral
  }

  static func of(_ change: Change, in view: View) -> (text: String, colour: Colour)? {
    switch change {
    case .began: return ("A new match: \(minutes(view.rules.length)).", .bright)
    case .taken(let planet, let taker, let from):
      guard let taker else { return nil }
      let place = name(ofPlanet: planet, in: view)
      if taker == view.you { return ("You have taken \(place).", colour(ofSeat: taker, in: view)) }
      let whose = from == view.you && view.you != nil ? " from you" : ""
      return ("\(name(ofSeat: taker, in: view)) has taken \(place)\(whose).", colour(ofSeat: taker, in: view))
    case .out(let seat):
      let who = seat == view.you ? "You are out; watch, or leave with q." : "\(name(ofSeat: seat, in: view)) is out."
      return (who, colour(ofSeat: seat, in: view))
    case .away(let seat):
      return ("\(name(ofSeat: seat, in: view)) is away; a bot plays meanwhile.", colour(ofSeat: seat, in: view))
    case .back(let seat): return ("\(name(ofSeat: seat, in: view)) is back.", colour(ofSeat: seat, in: view))
    case .over: return nil
    }
  }

  /// `4:05` of ticks.
  static func clock(_ ticks: Int) -> String {
    let seconds = max(0, ticks) / Rules.ticksASecond
    return "\(seconds / 60):" + (seconds % 60 < 10 ? "0" : "") + String(seconds % 60)
  }

  private static func minutes(_ ticks: Int) -> String { "\(clock(ticks)) on the clock" }

  /// `3.2 s` of ticks.
  static func seconds(_ ticks: Int) -> String {
    let tenths = max(0, ticks) * 10 / Rules.ticksASecond
    return "\(tenths / 10).\(tenths % 10) s"
  }
}
