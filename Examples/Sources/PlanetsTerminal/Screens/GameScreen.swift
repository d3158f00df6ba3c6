import Planets
import RoamkeyTerminal

/// The screen of a match: what the player has in hand, and what each key and each click does. Keys and views go in,
/// orders and pictures come out; it knows neither the terminal nor the network.
public struct GameScreen: Sendable {
  /// What the player wants that concerns others.
  public enum Command: Hashable, Sendable {
    case order(Order)
    case say(String)
    /// Asked and confirmed.
    case leave
  }

  /// What stands before the map.
  enum Overlay: Hashable, Sendable {
    case none
    case help
    /// `Leave the match?`
    case leaving
    /// A line that is being typed.
    case chat(TextField)
  }

  public internal(set) var marks = BoardMarks()
  public internal(set) var share = Share.half
  var overlay = Overlay.none
  /// Where the mouse's button went down on empty space, and whether it moved since.
  var boxStart: (column: Int, row: Int)?
  var log = MessageLog()
  private var flashes: [Int: Double] = [:]
  private var last: View?

  /// How long a planet that has changed hands shines, in seconds.
  private static let flashTime = 0.9

  public init() {}

  /// Whether something stands before the map that somebody reads or answers, or there is no room for a map.
  public func isInterrupted(_ size: TerminalSize) -> Bool {
    switch overlay {
    case .help, .leaving: true
    case .none, .chat: !BoardLayout.fits(size)
    }
  }

  // MARK: Views

  /// A view to be shown next: notes what has happened since the last one.
  /// - Parameter time: seconds, from any moment on.
  public mutating func follow(_ view: View, at time: Double) {
    if let last, last.frame != view.frame || last.tick != view.tick || last.match != view.match {
      for change in view.changes(since: last) { note(change, view, time) }
    }
    if last?.match != view.match || last == nil { begin(view) }
    last = view
    // What is not the player's any more sends nothing.
    let mine = Set(view.yourPlanets.map(\.id))
    marks.selection.formIntersection(mine)
    if let cursor = marks.cursor, !view.planets.indices.contains(cursor) { marks.cursor = nil }
    if marks.cursor == nil { marks.cursor = view.yourPlanets.first?.id ?? view.planets.first?.id }
    flashes = flashes.filter { $0.value > time }
    marks.flashes = flashes.mapValues { ($0 - time) / Self.flashTime * 0.8 }
    log.forget(before: time)
  }

  private mutating func begin(_ view: View) {
    marks = BoardMarks()
    marks.cursor = view.yourPlanets.first?.id
    boxStart = nil
  }

  private mutating func note(_ change: Change, _ view: View, _ time: Double) {
    if case .taken(let planet, _, _) = change { flashes[planet] = time + Self.flashTime }
    guard let line = Words.of(change, in: view) else { return }
    log.add(line.text, line.colour, at: time)
  }

  /// A line that somebody has said, or that is worth knowing.
  public mutating func say(_ text: String, _ colour: Colour = .text, at time: Double) {
    log.add(text, colour, at: time)
  }

  // MARK: Keys

  /// A key, or something the mouse did.
  public mutating func press(_ key: Key, _ view: View, _ size: TerminalSize, at time: Double) -> [Command] {
    switch overlay {
    case .none: break
    case .help:
      overlay = .none
      return []
    case .leaving:
      overlay = .none
      return [.character("y"), .character("Y"), .enter, .interrupt].contains(key) ? [.leave] : []
    case .chat(let field): return type(key, in: field)
    }
    switch key {
    case .up: moveCursor(0, -1, view)
    case .down: moveCursor(0, 1, view)
    case .left: moveCursor(-1, 0, view)
    case .right: moveCursor(1, 0, view)
    case .tab: step(1, view)
    case .backTab: step(-1, view)
    case .character(" "): toggle(marks.cursor, view)
    case .character("a"): marks.selection = Set(view.yourPlanets.map(\.id))
    case .character("1"): share = .quarter
    case .character("2"): share = .half
    case .character("3"): share = .most
    case .character("4"): share = .all
    case .character("+"): share = share.next(1)
    case .character("-"): share = share.next(-1)
    case .character("?"), .character("h"): overlay = .help
    case .character("t"): overlay = .chat(TextField(limit: Self.longestLine))
    case .character("q"), .interrupt: overlay = .leaving
    case .escape: marks.selection = []
    case .enter: return send(to: marks.cursor, view, time)
    case .mouse(let mouse): return follow(mouse, view, size, time)
    case .pageUp, .pageDown, .home, .end, .backspace, .delete, .suspend, .character: break
    }
    return []
  }

  /// In bytes: a line of chat that fits a line of the screen.
  static let longestLine = 120

  private mutating func type(_ key: Key, in field: TextField) -> [Command] {
    var field = field
    switch field.press(key) {
    case .typing:
      overlay = .chat(field)
      return []
    case .left:
      overlay = .none
      return []
    case .done(let text):
      overlay = .none
      return text.isEmpty ? [] : [.say(text)]
    }
  }

  /// Takes a planet to those that send.
  public mutating func choose(_ planet: Int) { marks.selection.insert(planet) }

  /// Puts the cursor on a planet.
  public mutating func point(at planet: Int) { marks.cursor = planet }

  /// Adds a planet to those that send, or takes it away.
  mutating func toggle(_ planet: Int?, _ view: View) {
    guard let planet, view.yourPlanets.contains(where: { $0.id == planet }) else { return }
    if marks.selection.remove(planet) == nil { marks.selection.insert(planet) }
  }

  /// Sends from what is chosen.
  mutating func send(to target: Int?, _ view: View, _ time: Double) -> [Command] {
    guard let target, view.planets.indices.contains(target) else { return [] }
    let sources = marks.selection.subtracting([target]).sorted()
    guard !sources.isEmpty else {
      log.add("Choose planets of yours first: Space, or a click.", .warning, at: time)
      return []
    }
    return [.order(Order(from: sources, to: target, share: share))]
  }

  // MARK: The cursor

  /// The next of the player's own planets.
  private mutating func step(_ by: Int, _ view: View) {
    let mine = view.yourPlanets.map(\.id)
    guard !mine.isEmpty else { return }
    guard let cursor = marks.cursor, let place = mine.firstIndex(of: cursor) else {
      marks.cursor = mine[0]
      return
    }
    marks.cursor = mine[(place + by + mine.count) % mine.count]
  }

  /// The nearest planet in a direction; what lies aside counts double.
  private mutating func moveCursor(_ dx: Int, _ dy: Int, _ view: View) {
    guard let cursor = marks.cursor, view.planets.indices.contains(cursor) else {
      marks.cursor = view.planets.first?.id
      return
    }
    let here = view.planets[cursor].place
    let ways = view.planets.compactMap { planet -> (id: Int, cost: Int)? in
      let (x, y) = (planet.place.x - here.x, planet.place.y - here.y)
      let (along, aside) = (x * dx + y * dy, abs(x * dy) + abs(y * dx))
      guard planet.id != cursor, along > 0, aside <= 2 * along else { return nil }
      return (planet.id, along + 2 * aside)
    }
    if let next = ways.min(by: { ($0.cost, $0.id) < ($1.cost, $1.id) }) { marks.cursor = next.id }
  }
}

extension Share {
  /// The next larger or smaller one, if there is one.
  func next(_ by: Int) -> Share {
    let all = Share.allCases
    let place = (all.firstIndex(of: self) ?? 0) + by
    return all.indices.contains(place) ? all[place] : self
  }
}
