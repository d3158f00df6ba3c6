import Planets
import RoamkeyTerminal

/// Before a match: who is in, who is ready, and what the map is like.
public struct LobbyScreen: Sendable {
  /// What was asked for.
  public enum Command: Hashable, Sendable {
    case request(TableRequest)
    case say(String)
    case leave
  }

  /// What there is to say about the host.
  public struct Place: Hashable, Sendable {
    /// What the host is called.
    public var name: String
    /// Words to compare aloud, and the id to pin.
    public var fingerprint: String
    public var id: String
    /// Where others can reach it.
    public var address: String

    public init(name: String, fingerprint: String, id: String, address: String) {
      (self.name, self.fingerprint, self.id, self.address) = (name, fingerprint, id, address)
    }
  }

  private var field: TextField?
  var lines: [(text: String, colour: Colour)] = []
  private var level = BotLevel.medium
  private static let mostLines = 40

  public init(level: BotLevel = .medium) { self.level = level }

  public mutating func say(_ text: String, _ colour: Colour = .text) {
    lines.append((text, colour))
    if lines.count > Self.mostLines { lines.removeFirst() }
  }

  // MARK: Keys

  public mutating func press(_ key: Key, _ view: View, isHost: Bool) -> Command? {
    if var field {
      switch field.press(key) {
      case .typing: self.field = field
      case .left: self.field = nil
      case .done(let text):
        self.field = nil
        return text.isEmpty ? nil : .say(text)
      }
      return nil
    }
    switch key {
    case .character("q"), .escape, .interrupt: return .leave
    case .character("t"):
      field = TextField(limit: GameScreen.longestLine)
      return nil
    case .character("r"), .character(" "): return .request(.ready(!(view.yourSeat?.isReady ?? false)))
    case .enter: return isHost ? .request(.start) : .request(.ready(!(view.yourSeat?.isReady ?? false)))
    default: return isHost ? arrange(key, view) : nil
    }
  }

  private mutating func arrange(_ key: Key, _ view: View) -> Command? {
    let bots = view.seats.count { $0.isBot }
    switch key {
    case .character("+"), .character("b"):
      return .request(.bots(count: min(bots + 1, MatchSetup.mostBots), level: level))
    case .character("-"), .character("B"): return .request(.bots(count: max(0, bots - 1), level: level))
    case .character("l"):
      let all = BotLevel.allCases
      level = all[((all.firstIndex(of: level) ?? 0) + 1) % all.count]
      return .request(.bots(count: bots, level: level))
    case .character("m"): return .request(.anotherMap)
    default: return nil
    }
  }

  // MARK: The picture

  public func picture(
    _ view: View, _ place: Place, _ size: TerminalSize, time: Double, isHost: Bool, status: String? = nil
  ) -> Canvas {
    var canvas = Canvas(size)
    guard BoardLayout.fits(size) else {
      GameScreen.paintTooSmall(&canvas)
      return canvas
    }
    Backdrop.paint(&canvas, time: time)
    canvas.dim(0.75)
    // A fingerprint has room, whatever is beside it.
    let middle = max(40, size.columns * 9 / 20)
    canvas.write("The game of \(Console.label(place.name))", 2, 1, Canvas.Style(.bright, isBold: true))
    canvas.write(place.fingerprint, 2, 2, Canvas.Style(.seat(0)))
    canvas.write(
      isHost ? "others join nearby, or by address:" : "compare these words with the host's", 2, 3, Canvas.Style(.quiet))
    canvas.write(DisplayWidth.cut(place.address, to: middle - 3), 2, 4, Canvas.Style(.text))
    paintSeats(view, middle, &canvas)
    paintMap(view, columns: middle..<size.columns - 1, rows: 1..<size.rows - 8, &canvas)
    paintTalk(&canvas)
    canvas.write(Self.keys(isHost: isHost), 2, size.rows - 1, Canvas.Style(.quiet))
    if let status { GameScreen.paintBanner(status, 0, .warning, &canvas) }
    return canvas
  }

  private func paintSeats(_ view: View, _ width: Int, _ canvas: inout Canvas) {
    for number in 0..<max(view.seats.count, Rules.seats.lowerBound) {
      let row = 6 + number
      guard view.seats.indices.contains(number) else {
        canvas.write(" . ", 2, row, Canvas.Style(.quiet))
        canvas.write("nobody yet", 6, row, Canvas.Style(.quiet))
        continue
      }
      let seat = view.seats[number]
      canvas.write(
        " \(BoardPainter.letter(ofSeat: number)) ", 2, row, Canvas.Style(.space, on: .seat(seat.colour), isBold: true))
      let isYou = number == view.you
      let name = Words.name(of: seat, width: max(6, width - 24))
      canvas.write(name + (isYou ? " (you)" : ""), 6, row, Canvas.Style(isYou ? .bright : .text, isBold: isYou))
      let (word, colour) = Self.state(of: seat)
      canvas.writeRight(word, before: width - 1, row, Canvas.Style(colour))
    }
  }

  private static func state(of seat: View.Seat) -> (String, Colour) {
    if let bot = seat.bot { return ("\(bot.rawValue) bot", .quiet) }
    if seat.isAway { return ("away", .warning) }
    if seat.isOffline { return ("not heard", .warning) }
    if seat.isReady { return ("ready", .seat(2)) }
    return (seat.isHost ? "hosts" : "not ready", .quiet)
  }

  /// The map as it will be; where no seat is known yet it is only guessed.
  private func paintMap(_ view: View, columns: Range<Int>, rows: Range<Int>, _ canvas: inout Canvas) {
    guard columns.count > 20, rows.count > 8 else { return }
    canvas.fill(columns: columns, rows: rows, Colour(5, 6, 14))
    var bare = view
    bare.phase = .lobby
    BoardPainter(bare, at: 0, BoardLayout(columns: columns, rows: rows)).paint(on: &canvas)
    let rules = "\(Words.clock(view.rules.length)), \(view.rules.hasScanners ? "scanners on" : "all see all")"
    canvas.writeRight(rules, before: columns.upperBound, rows.upperBound, Canvas.Style(.quiet))
  }

  private func paintTalk(_ canvas: inout Canvas) {
    let bottom = canvas.rows - 2
    for (place, line) in lines.suffix(4).enumerated() {
      canvas.write(
        DisplayWidth.cut(line.text, to: canvas.columns - 4), 2, bottom - lines.suffix(4).count + place,
        Canvas.Style(line.colour))
    }
    if let field {
      let column = canvas.write("Say: ", 2, bottom, Canvas.Style(.quiet))
      canvas.write(field.shown(width: canvas.columns - column - 2), column, bottom, Canvas.Style(.bright, on: .panel))
    }
  }

  /// The last line, which says what the keys do.
  public static func keys(isHost: Bool) -> String {
    isHost
      ? "Enter: begin  + -: bots  l: their strength  m: another map  t: talk  q: leave"
      : "Enter: ready, or not  t: talk  q: leave"
  }
}
