import Planets
import RoamkeyTerminal
import Testing

@testable import PlanetsTerminal

/// A view made by hand, so that the rules may change.
func handmade(_ change: (inout View) -> Void = { _ in }) -> View {
  var view = View()
  (view.match, view.tick, view.frame, view.phase, view.you) = (1, 200, 9, .playing, 0)
  view.seats = [
    View.Seat(name: "Ada", colour: 0), View.Seat(name: "日本語のとても長い名前", colour: 1),
    View.Seat(name: "Bot", colour: 2, bot: .strong),
  ]
  for (seat, ships) in [42, 30, 12].enumerated() { (view.seats[seat].ships, view.seats[seat].planets) = (ships, 1) }
  let places = [(20, 45), (60, 20), (60, 70), (100, 45), (140, 20), (140, 70)]
  let names = ["Vega", "Rigel", "Mira", "Deneb", "Naos", "Izar"]
  view.planets = zip(places, names).enumerated().map { id, planet in
    View.Planet(
      id: id, name: planet.1, place: Place(x: planet.0.0, y: planet.0.1), size: 1 + id % 5,
      owner: [0, 0, nil, 1, 2, nil][id], stock: id == 5 ? nil : (10 + id * 4) * Rules.partsOfShip, asOf: 200,
      isSeen: id < 4)
  }
  view.planets[4].asOf = 100
  view.fleets = [
    View.Fleet(id: 1, owner: 0, from: 0, to: 2, ships: 7, departure: 180, arrival: 260),
    View.Fleet(id: 2, owner: 1, from: 3, to: 1, ships: 15, departure: 160, arrival: 280),
  ]
  change(&view)
  return view
}

private let size = TerminalSize(columns: 80, rows: 24)

@Suite struct LayoutTests {
  /// Every planet and its number are on the screen, and where it is drawn it is found.
  @Test func planetsAreWhereTheyAreDrawn() {
    for columns in [80, 100, 133, 200, 320] {
      for rows in [24, 30, 50, 90] {
        for seed in 1...5 as ClosedRange<UInt64> {
          var view = View()
          view.planets = Game.preview(seed: seed, seats: 2 + Int(seed))
          let layout = BoardLayout(columns: columns, rows: rows)
          for planet in view.planets {
            let point = View.Point(x: Double(planet.place.x), y: Double(planet.place.y))
            let place = layout.cell(point)
            let situation = Comment(rawValue: "\(columns)x\(rows), seed \(seed), \(planet.place)")
            #expect(layout.planet(atColumn: place.column, row: place.row, in: view) == planet.id, situation)
            #expect(layout.rows.contains(layout.label(of: planet).row), situation)
            #expect(layout.columns.contains(place.column) && layout.rows.contains(place.row), situation)
          }
        }
      }
    }
  }

  @Test func aPointComesBack() {
    let layout = BoardLayout(columns: 100, rows: 30)
    for (column, row) in [(0, 2), (50, 15), (99, 27)] {
      let cell = layout.cell(layout.point(column: column, row: row))
      #expect(cell == (column, row))
    }
  }
}

@Suite struct GameScreenTests {
  private func screen(_ view: View) -> GameScreen {
    var screen = GameScreen()
    screen.follow(view, at: 0)
    return screen
  }

  private func press(_ keys: [Key], _ screen: inout GameScreen, _ view: View) -> [GameScreen.Command] {
    keys.flatMap { screen.press($0, view, size, at: 1) }
  }

  @Test func aFleetIsSentByKeys() {
    let view = handmade()
    var screen = screen(view)
    #expect(screen.marks.cursor == 0)
    #expect(press([.enter], &screen, view) == [])
    #expect(screen.log.lines.last?.text.contains("Choose planets") == true)
    // From the first planet, three quarters, to the one on the right; then from both to one below that.
    #expect(
      press([.character(" "), .character("3"), .right, .enter], &screen, view)
        == [.order(Order(from: [0], to: 3, share: .most))])
    #expect(
      press([.character("a"), .character("+"), .down, .enter], &screen, view)
        == [.order(Order(from: [0, 1], to: 2, share: .all))])
    #expect(press([.escape, .enter], &screen, view) == [])
    #expect(screen.marks.selection == [])
    // Nobody sends from what is not theirs.
    #expect(press([.character(" ")], &screen, view) == [])
    #expect(screen.marks.selection == [])
  }

  @Test func theCursorGoesWhereTheArrowPoints() {
    let view = handmade()
    var screen = screen(view)
    let steps: [(Key, Int)] = [
      (.right, 3), (.right, 4), (.down, 5), (.right, 5), (.up, 4), (.left, 1), (.down, 2), (.left, 0), (.left, 0),
      (.tab, 1), (.tab, 0), (.backTab, 1),
    ]
    for (key, planet) in steps {
      _ = screen.press(key, view, size, at: 0)
      #expect(screen.marks.cursor == planet, "\(key)")
    }
  }

  @Test func theMouseChoosesAndSends() {
    let view = handmade()
    var screen = screen(view)
    let layout = BoardLayout(columns: size.columns, rows: size.rows)
    func at(_ planet: Int, _ action: Mouse.Action, isModified: Bool = false) -> Key {
      let place = view.planets[planet].place
      let cell = layout.cell(View.Point(x: Double(place.x), y: Double(place.y)))
      return .mouse(Mouse(action, column: cell.column, row: cell.row, isModified: isModified))
    }
    #expect(press([at(0, .press(.left)), at(0, .release(.left))], &screen, view) == [])
    #expect(screen.marks.selection == [0])
    #expect(press([at(1, .press(.left), isModified: true)], &screen, view) == [])
    #expect(screen.marks.selection == [0, 1])
    #expect(
      press([.mouse(Mouse(.wheelDown, column: 1, row: 1)), at(3, .press(.left))], &screen, view)
        == [.order(Order(from: [0, 1], to: 3, share: .quarter))])
    #expect(press([at(2, .press(.right))], &screen, view) == [.order(Order(from: [0, 1], to: 2, share: .quarter))])
    // A click on nothing clears.
    let nowhere = Mouse(.press(.left), column: 79, row: 12)
    #expect(layout.planet(atColumn: 79, row: 12, in: view) == nil)
    #expect(
      press([.mouse(nowhere), .mouse(Mouse(.release(.left), column: 79, row: 12))], &screen, view) == [])
    #expect(screen.marks.selection == [])
    // A box takes the player's own in it, whichever corner it begins at.
    let corners = [(Mouse.Action.press(.left), 79, 9), (.drag(.left), 0, 2), (.release(.left), 0, 2)]
    _ = press(corners.map { .mouse(Mouse($0.0, column: $0.1, row: $0.2)) }, &screen, view)
    #expect(screen.marks.selection == [1])
    #expect(screen.marks.box == nil)
  }

  @Test func whatIsLostIsNotChosenAnyMore() {
    var view = handmade()
    var screen = screen(view)
    _ = press([.character("a")], &screen, view)
    view.planets[1].owner = 1
    view.tick += 1
    screen.follow(view, at: 1)
    #expect(screen.marks.selection == [0])
    #expect(screen.log.lines.last?.text == "日本語のとても… has taken Rigel from you.")
    #expect(screen.marks.flashes[1] != nil)
    screen.follow(view, at: 20)
    #expect(screen.log.lines == [])
    #expect(screen.marks.flashes == [:])
  }

  @Test func leavingIsAsked() {
    let view = handmade()
    var screen = screen(view)
    #expect(press([.character("q"), .character("n")], &screen, view) == [])
    #expect(!screen.isInterrupted(size))
    #expect(press([.interrupt], &screen, view) == [])
    #expect(screen.isInterrupted(size))
    #expect(screen.picture(view, at: 200, time: 0, size).text.contains { $0.contains("Leave the match?") })
    #expect(press([.character("y")], &screen, view) == [.leave])
  }

  @Test func aLineIsSaid() {
    let view = handmade()
    var screen = screen(view)
    #expect(press([.character("t"), .enter], &screen, view) == [])
    let keys = " Grüße q".map { Key.character($0) }
    #expect(press([.character("t")] + keys, &screen, view) == [])
    #expect(screen.picture(view, at: 200, time: 0, size).text[22].contains("Say:  Grüße q▏"))
    #expect(press([.backspace, .enter], &screen, view) == [.say("Grüße")])
    // More than fits into a message is not taken.
    _ = press([.character("t")] + Array(repeating: .character("ß"), count: 500), &screen, view)
    #expect(press([.enter], &screen, view) == [.say(String(repeating: "ß", count: GameScreen.longestLine / 2))])
  }

  @Test func whereItIsTooSmallItSaysSo() {
    let view = handmade()
    let small = screen(view).picture(view, at: 200, time: 0, TerminalSize(columns: 79, rows: 24))
    #expect(small.text.contains { $0.contains("too small") })
    let fits = screen(view).picture(view, at: 200, time: 0, size)
    #expect(!fits.text.contains { $0.contains("too small") })
    #expect(fits.text[0].contains("Ada"))
  }

  @Test func theBarIsFullWhateverTheFigures() {
    #expect(GameScreen.bar([1, 1, 1], width: 80).reduce(0, +) == 80)
    #expect(GameScreen.bar([0, 5, 0], width: 80) == [0, 80, 0])
    #expect(GameScreen.bar([0, 0], width: 80) == [0, 0])
    #expect(GameScreen.bar([-5, 3], width: 10) == [0, 10])
    #expect(GameScreen.bar([10_000_000, 10_000_000], width: 200) == [100, 100])
  }

  /// Whatever is pressed, at any size, with a sound view: pictures have the terminal's size, and nothing that it obeys.
  @Test(arguments: [1, 2, 3] as [UInt64]) func anything(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var table = LocalTable(MatchSetup(name: "A\u{1b}[2J\u{202e}\nda", bots: 3, seed: seed))
    var screen = GameScreen()
    let keys: [Key] = [
      .up, .down, .left, .right, .tab, .backTab, .enter, .escape, .backspace, .character(" "), .character("a"),
      .character("t"), .character("?"), .character("q"), .character("4"), .interrupt, .home, .delete,
    ]
    for step in 0..<80 {
      for _ in 0..<3 { table.advance() }
      screen.follow(table.view, at: Double(step) / 5)
      let size = TerminalSize(
        columns: .random(in: 0...160, using: &random), rows: .random(in: 0...60, using: &random))
      let (column, row) = (Int.random(in: 0...9998, using: &random), Int.random(in: 0...9998, using: &random))
      let near = (column % 170, row % 62)
      let mouse: [Mouse.Action] = [
        .press(.left), .drag(.left), .release(.left), .press(.right), .wheelUp, .wheelDown, .drag(.right),
      ]
      let key =
        Bool.random(using: &random)
        ? keys.randomElement(using: &random)
        : mouse.randomElement(using: &random).map {
          .mouse(
            Bool.random(using: &random)
              ? Mouse($0, column: column, row: row) : Mouse($0, column: near.0, row: near.1))
        }
      for command in key.map({ screen.press($0, table.view, size, at: Double(step) / 5) }) ?? [] {
        if case .order(let order) = command { try? table.order(order) }
      }
      let canvas = screen.picture(table.view, at: Double(table.view.tick) + 0.5, time: Double(step) / 5, size)
      #expect(canvas.columns == size.columns && canvas.rows == size.rows)
      let isClean = canvas.text.allSatisfy { line in
        line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202e && $0.value != 0x7f }
      }
      #expect(isClean, "seed \(seed), step \(step)")
    }
  }
}
