import Planets
import RoamkeyTerminal

/// The first screen: what to play, and how.
public struct MenuScreen: Sendable {
  /// What was chosen.
  public enum Choice: Hashable, Sendable {
    case solo
    case host
    case join
    /// By a host's address or name.
    case joinAt(String)
    case quit
  }

  enum Item: CaseIterable, Hashable, Sendable {
    case solo, host, join, joinAt, name, bots, level, scanners, quit

    var title: String {
      switch self {
      case .solo: "Play alone"
      case .host: "Host a game"
      case .join: "Join a game nearby"
      case .joinAt: "Join by address"
      case .name: "Your name"
      case .bots: "Bots"
      case .level: "Their strength"
      case .scanners: "Scanners"
      case .quit: "Quit"
      }
    }
  }

  public private(set) var setup: MatchSetup
  /// What went wrong the last time, for instance.
  public var note: String?
  private(set) var selected = Item.solo
  private(set) var field: TextField?

  /// In bytes: what a name of Roamkey's may have at most.
  static let longestName = 32
  static let longestAddress = 200

  public init(_ setup: MatchSetup, note: String? = nil) { (self.setup, self.note) = (setup, note) }

  // MARK: Keys

  public mutating func press(_ key: Key, _ size: TerminalSize) -> Choice? {
    if let field { return type(key, field) }
    switch key {
    case .up, .backTab, .character("k"): move(-1)
    case .down, .tab, .character("j"): move(1)
    case .left: change(-1)
    case .right, .character(" "): change(1)
    case .enter: return choose()
    case .escape, .interrupt, .character("q"): return .quit
    case .mouse(let mouse):
      let top = Self.top(size)
      guard mouse.action == .press(.left), Item.allCases.indices.contains(mouse.row - top) else { return nil }
      selected = Item.allCases[mouse.row - top]
      return choose()
    case .pageUp, .pageDown, .home, .end, .backspace, .delete, .suspend, .character: break
    }
    return nil
  }

  private mutating func type(_ key: Key, _ field: TextField) -> Choice? {
    var field = field
    switch field.press(key) {
    case .typing: self.field = field
    case .left: self.field = nil
    case .done(let text):
      self.field = nil
      if selected == .joinAt { return text.isEmpty ? nil : .joinAt(text) }
      if !text.isEmpty { setup.name = text }
    }
    return nil
  }

  private mutating func move(_ by: Int) {
    let all = Item.allCases
    let place = all.firstIndex(of: selected) ?? 0
    selected = all[(place + by + all.count) % all.count]
    note = nil
  }

  private mutating func change(_ by: Int) {
    switch selected {
    case .bots: setup.bots = min(max(0, setup.bots + by), MatchSetup.mostBots)
    case .level:
      let all = BotLevel.allCases
      let place = (all.firstIndex(of: setup.level) ?? 0) + by
      if all.indices.contains(place) { setup.level = all[place] }
    case .scanners: setup.rules.hasScanners.toggle()
    case .solo, .host, .join, .joinAt, .name, .quit: break
    }
  }

  private mutating func choose() -> Choice? {
    switch selected {
    case .solo: return .solo
    case .host: return .host
    case .join: return .join
    case .quit: return .quit
    case .name: field = TextField(setup.name, limit: Self.longestName)
    case .joinAt: field = TextField(limit: Self.longestAddress)
    case .bots:
      // With one key alone it goes round.
      setup.bots = setup.bots >= MatchSetup.mostBots ? 0 : setup.bots + 1
    case .level:
      let all = BotLevel.allCases
      setup.level = all[((all.firstIndex(of: setup.level) ?? 0) + 1) % all.count]
    case .scanners: setup.rules.hasScanners.toggle()
    }
    return nil
  }

  private func value(of item: Item) -> String? {
    switch item {
    case .name: Console.label(setup.name)
    case .bots: "\(setup.bots)"
    case .level: setup.level.rawValue
    case .scanners: setup.rules.hasScanners ? "on: you see what is near" : "off: all see all"
    case .solo, .host, .join, .joinAt, .quit: nil
    }
  }

  // MARK: The picture

  private static let logo = [
    "█▀▄ █   ▄▀▄ █▄ █ ██▀ ▀█▀ ▄▀▀",
    "█▀  █▄▄ █▀█ █ ▀█ █▄▄  █  ▄██",
  ]

  private static func top(_ size: TerminalSize) -> Int { max(6, (size.rows - Item.allCases.count) / 2 + 1) }

  /// - Parameter time: seconds, for what moves.
  public func picture(_ size: TerminalSize, time: Double) -> Canvas {
    var canvas = Canvas(size)
    Backdrop.paint(&canvas, time: time)
    for (row, line) in Self.logo.enumerated() {
      canvas.writeCentred(
        line, in: 0..<size.columns, max(1, Self.top(size) - 5) + row, Canvas.Style(.seat(0), isBold: true))
    }
    canvas.writeCentred(
      "ships, stars, and your neighbours'", in: 0..<size.columns, max(1, Self.top(size) - 5) + 2, Canvas.Style(.quiet))
    let left = max(1, size.columns / 2 - 20)
    for (row, item) in Item.allCases.enumerated() { paint(item, Self.top(size) + row, left, &canvas) }
    if let note {
      canvas.writeCentred(
        Console.plain(note), in: 0..<size.columns, size.rows - 3, Canvas.Style(.warning, isBold: true))
    }
    canvas.writeCentred(
      field == nil ? "↑ ↓: move   Enter: choose   ← →: change   q: quit" : "Enter: that is it   Esc: leave it",
      in: 0..<size.columns, size.rows - 1, Canvas.Style(.quiet))
    return canvas
  }

  private func paint(_ item: Item, _ row: Int, _ left: Int, _ canvas: inout Canvas) {
    let isSelected = item == selected
    canvas.write(isSelected ? "> " : "  ", left, row, Canvas.Style(.seat(4), isBold: true))
    canvas.write(item.title, left + 2, row, Canvas.Style(isSelected ? .bright : .text, isBold: isSelected))
    if isSelected, let field {
      canvas.write(
        field.shown(width: max(4, canvas.columns - left - 24)), left + 22, row, Canvas.Style(.bright, on: .panel))
    } else if let value = value(of: item) {
      canvas.write(value, left + 22, row, Canvas.Style(isSelected ? .bright : .quiet))
    }
  }
}

/// Stars and a planet, for screens that have nothing else to show.
enum Backdrop {
  static func paint(_ canvas: inout Canvas, time: Double) {
    var stars: [(x: Int, y: Int, strength: Double)] = []
    for index in 0..<max(1, canvas.columns * canvas.height / 45) {
      var hash = UInt64(index) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 31
      let (x, y) = (Int(hash % UInt64(max(1, canvas.columns))), Int(hash >> 20 % UInt64(max(1, canvas.height))))
      stars.append((x, y / 2, 0.2 + 0.4 * wave(time / 6 + Double(hash >> 40 & 0xff) / 256)))
    }
    let radius = Double(min(canvas.columns, canvas.height)) / 5
    ball(&canvas, Double(canvas.columns) - radius * 1.1, Double(canvas.height) - radius * 0.9, radius, .seat(1))
    ball(&canvas, radius * 0.7, radius * 0.75, radius * 0.45, .seat(3))
    for star in stars {
      canvas.writeStar("·", star.x, star.y, Colour.space.mixed(with: Colour(190, 196, 230), star.strength))
    }
  }

  private static func ball(_ canvas: inout Canvas, _ x: Double, _ y: Double, _ radius: Double, _ colour: Colour) {
    guard radius > 1 else { return }
    for line in Int(y - radius)...Int(y + radius) {
      for column in Int(x - radius)...Int(x + radius) {
        let (dx, dy) = ((Double(column) + 0.5 - x) / radius, (Double(line) + 0.5 - y) / radius)
        let far = dx * dx + dy * dy
        guard far < 1 else { continue }
        let light = max(0.08, -0.55 * dx - 0.62 * dy + 0.4 * (1 - far).squareRoot())
        let band = 0.86 + 0.14 * wave(dy * 1.7 + dx * 0.2)
        canvas.paint(
          column, line, Colour.space.mixed(with: colour, min(1, light) * band * 0.95), min(1, (1 - far) * radius))
      }
    }
  }

  /// 0 to 1 and back, as its argument goes from one whole number to the next.
  static func wave(_ value: Double) -> Double {
    let part = value - value.rounded(.down)
    return part < 0.5 ? part * 2 : 2 - part * 2
  }
}
