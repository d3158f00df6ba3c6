import Planets
import RoamkeyTerminal
import Testing

@testable import PlanetsTerminal

/// Views as somebody else's program may make them: all that passes for sound is drawn without a trap, and a terminal
/// obeys nothing in it.
@Suite struct HostileViewTests {
  private let names = [
    "", "\u{1b}[2J", "Ada\r\n\u{7}", "\u{202e}nada", String(repeating: "\u{301}", count: 30), "日本語日本語日本語日本語",
    "👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
    "a" + String(repeating: "\u{301}", count: 31), "\u{9b}31m", "\u{2028}", "x\u{200b}y",
  ]

  private func number(_ range: ClosedRange<Int>, _ random: inout SeededGenerator) -> Int {
    switch Int.random(in: 0...3, using: &random) {
    case 0: range.lowerBound
    case 1: range.upperBound
    default: Int.random(in: range, using: &random)
    }
  }

  private func view(_ random: inout SeededGenerator) -> View {
    var view = View()
    view.rules = Rules(
      hasScanners: .random(using: &random), length: number(1...Rules.longest, &random), pace: number(1...8, &random))
    view.tick = number(-Rules.countdown...Rules.longest, &random)
    view.frame = number(0...Int.max, &random)
    view.match = number(0...Int.max, &random)
    view.handledOrder = number(0...Int.max, &random)
    let seats = number(0...6, &random)
    let planets = number(0...Map.mostPlanets, &random)
    func seat() -> Int? { seats > 0 && Bool.random(using: &random) ? Int.random(in: 0..<seats, using: &random) : nil }
    view.you = seat()
    view.phase =
      [.lobby, .countdown, .playing, .playing, .over(winner: seat())].randomElement(using: &random) ?? .lobby
    view.seats = (0..<seats).map { _ in
      var seat = View.Seat(
        name: names.randomElement(using: &random) ?? "", colour: .random(in: Rules.colours, using: &random))
      (seat.ships, seat.planets) = (number(0...10_000_000, &random), number(0...planets, &random))
      (seat.isOut, seat.isAway, seat.isReady) = (.random(using: &random), .random(using: &random), false)
      seat.bot = Bool.random(using: &random) ? .weak : nil
      return seat
    }
    view.planets = (0..<planets).map { id in
      let place = Place(x: number(0...Place.width - 1, &random), y: number(0...Place.height - 1, &random))
      return View.Planet(
        id: id, name: String(names.randomElement(using: &random)?.unicodeScalars.first.map(Character.init) ?? "x"),
        place: place, size: number(1...5, &random), owner: seat(),
        stock: Bool.random(using: &random) ? number(0...10_000_000 * Rules.partsOfShip, &random) : nil,
        asOf: number(-Rules.countdown...Rules.longest, &random), isSeen: .random(using: &random))
    }
    if seats > 0 && planets > 0 {
      view.fleets = (0..<number(0...60, &random)).map { id in
        let departure = number(-Rules.countdown...Rules.longest - 1000, &random)
        return View.Fleet(
          id: id, owner: .random(in: 0..<seats, using: &random), from: .random(in: 0..<planets, using: &random),
          to: .random(in: 0..<planets, using: &random), ships: number(0...10_000_000, &random), departure: departure,
          arrival: departure + number(1...1000, &random))
      }
    }
    view.history = (0..<number(0...seats, &random)).map { _ in
      (0..<number(0...300, &random)).map { _ in number(0...10_000_000, &random) }
    }
    return view
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>) func whatIsSoundCanBeDrawn(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var screen = GameScreen()
    var lobby = LobbyScreen()
    var sound = 0
    let keys: [Key] = [.up, .down, .left, .right, .tab, .enter, .character("a"), .character(" "), .character("4")]
    for step in 0..<24 {
      let view = view(&random)
      guard view.isSound else { continue }
      sound += 1
      let situation = Comment(rawValue: "seed \(seed), step \(step)")
      let size = TerminalSize(columns: [80, 100, 157][step % 3], rows: [24, 30, 51][step % 3])
      screen.follow(view, at: Double(step) / 3)
      for key in keys { _ = screen.press(key, view, size, at: Double(step) / 3) }
      for key in keys { _ = lobby.press(key, view, isHost: .random(using: &random)) }
      let place = LobbyScreen.Place(name: names[step % names.count], fingerprint: "f", id: "", address: "\u{1b}c")
      let pictures = [
        screen.picture(view, at: Double(view.tick) + 0.5, time: Double(step) / 3, size),
        lobby.picture(view, place, size, time: 1, isHost: true), EndScreen().picture(view, size, isHost: true),
      ]
      for canvas in pictures {
        let isClean = canvas.text.allSatisfy { line in
          line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control && $0.value != 0x202e }
        }
        #expect(isClean, situation)
      }
    }
    // What the writer makes of names is the terminal's to obey.
    var writer = FrameWriter(depth: .full)
    var terminal = VirtualScreen(columns: 80, rows: 24)
    let size = TerminalSize(columns: 80, rows: 24)
    terminal.feed(writer.bytes(for: screen.picture(view(&random), at: 0, time: 0, size)))
    #expect(terminal.mistakes == [], "seed \(seed)")
    // Else this would test nothing.
    #expect(sound > 12, "seed \(seed): \(sound)")
  }
}
