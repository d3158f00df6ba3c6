import Foundation
import Planets
import RoamkeyTerminal
import Testing

@testable import PlanetsTerminal

/// Whole screens against files that people can read: the characters, then what colour each has. `PLANETS_RENEW=1`
/// writes the files anew; look at what has changed in them.
@Suite struct PictureTests {
  private static let size = TerminalSize(columns: 80, rows: 24)

  /// What stands for a colour in the files.
  private static let letters: [(letter: Character, colour: Colour)] =
    zip("ABCDEF", Colour.seats).map { ($0, $1) } + [
      ("n", .neutral), ("t", .text), ("q", .quiet), ("!", .warning), ("#", .bright), (".", .space), ("-", .panel),
    ]

  private func letter(_ cell: Cell) -> Character {
    let colour = cell.character == " " ? cell.background : cell.foreground
    return Self.letters.min { colour.distance(to: $0.colour) < colour.distance(to: $1.colour) }?.letter ?? "?"
  }

  private func described(_ canvas: Canvas) -> String {
    let text = (0..<canvas.rows).map { canvas.line($0, .none) }
    let colours = (0..<canvas.rows).map { row in
      String((0..<canvas.columns).map { column in letter(canvas.cell(column, row)) })
    }
    func trimmed(_ line: String) -> String { String(line.reversed().drop { $0 == " " }.reversed()) }
    return (text.map(trimmed) + [""] + colours).joined(separator: "\n") + "\n"
  }

  private func check(_ canvas: Canvas, _ name: String) throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
      "Pictures/\(name).txt")
    let found = described(canvas)
    if ProcessInfo.processInfo.environment["PLANETS_RENEW"] != nil {
      return try found.write(to: path, atomically: true, encoding: .utf8)
    }
    #expect(found == (try String(contentsOf: path, encoding: .utf8)), "\(name)")
  }

  @Test func aMatch() throws {
    let view = handmade()
    var screen = GameScreen()
    screen.follow(view, at: 0)
    for key in [Key.character("a"), .right] { _ = screen.press(key, view, Self.size, at: 0) }
    screen.say("日本語: hello", .seat(1), at: 0)
    try check(screen.picture(view, at: 220.5, time: 0, Self.size, status: "Looking for the host ..."), "match")
  }

  @Test func theLobby() throws {
    let view = handmade {
      $0.phase = .lobby
      $0.seats[0].isHost = true
      $0.seats[1].isReady = true
    }
    var lobby = LobbyScreen()
    lobby.say("Bot: beep")
    let place = LobbyScreen.Place(
      name: "Ada's game", fingerprint: "junok-solap-kazof-vibin-pujoj-pilof", id: "rk1", address: "192.0.2.1:7447")
    try check(lobby.picture(view, place, Self.size, time: 0, isHost: true), "lobby")
  }

  @Test func theEnd() throws {
    let view = handmade {
      $0.phase = .over(winner: 1)
      $0.seats[0].isOut = true
      $0.history = [[40, 30, 12, 0], [40, 50, 70, 95], [40, 42, 30, 12]]
    }
    try check(EndScreen().picture(view, Self.size, isHost: false), "end")
  }

  @Test func theMenu() throws {
    var menu = MenuScreen(MatchSetup(name: "Ada", seed: 1), note: "The host has left.")
    _ = menu.press(.down, Self.size)
    menu.note = "The host has left."
    try check(menu.picture(Self.size, time: 0), "menu")
  }
}

@Suite struct OtherScreenTests {
  private let size = TerminalSize(columns: 80, rows: 24)

  @Test func theMenuChooses() {
    var menu = MenuScreen(MatchSetup(name: "Ada", seed: 1))
    func press(_ keys: Key...) -> [MenuScreen.Choice] { keys.compactMap { menu.press($0, size) } }
    #expect(press(.enter) == [.solo])
    #expect(press(.down, .enter) == [.host])
    #expect(press(.down, .enter) == [.join])
    #expect(press(.down, .enter, .character("h"), .character("x"), .backspace, .enter) == [.joinAt("h")])
    #expect(press(.enter, .enter) == [])
    #expect(press(.down, .enter, .backspace, .backspace, .backspace, .character("Ö"), .enter) == [])
    #expect(menu.setup.name == "Ö")
    #expect(press(.enter, .backspace, .enter) == [], "nobody is called nothing")
    #expect(menu.setup.name == "Ö")
    #expect(press(.down, .right, .right, .right, .right, .right) == [])
    #expect(menu.setup.bots == 5)
    #expect(press(.left, .down, .right, .right, .down, .enter) == [])
    #expect(menu.setup.bots == 4 && menu.setup.level == .strong && !menu.setup.rules.hasScanners)
    #expect(press(.down, .enter) == [.quit])
    #expect(press(.escape) == [.quit])
    // Keys of the menu are letters while somebody types.
    #expect(press(.up, .up, .up, .up, .enter, .character("q"), .escape) == [])
  }

  @Test func theLobbyAsks() {
    var view = handmade { $0.phase = .lobby }
    var lobby = LobbyScreen()
    #expect(lobby.press(.enter, view, isHost: false) == .request(.ready(true)))
    view.seats[0].isReady = true
    #expect(lobby.press(.enter, view, isHost: false) == .request(.ready(false)))
    #expect(lobby.press(.character("b"), view, isHost: false) == nil)
    #expect(lobby.press(.enter, view, isHost: true) == .request(.start))
    #expect(lobby.press(.character("+"), view, isHost: true) == .request(.bots(count: 2, level: .medium)))
    #expect(lobby.press(.character("l"), view, isHost: true) == .request(.bots(count: 1, level: .strong)))
    #expect(lobby.press(.character("-"), view, isHost: true) == .request(.bots(count: 0, level: .strong)))
    #expect(lobby.press(.character("m"), view, isHost: true) == .request(.anotherMap))
    for key in [Key.character("t"), .character("q")] { #expect(lobby.press(key, view, isHost: true) == nil) }
    #expect(lobby.press(.enter, view, isHost: true) == .say("q"))
    #expect(lobby.press(.character("q"), view, isHost: true) == .leave)
  }

  @Test func theEndRanksTheWinnerFirst() {
    let view = handmade { $0.phase = .over(winner: 2) }
    #expect(EndScreen.ranking(view) == [2, 0, 1])
    #expect(EndScreen.title(view) == "Bot has won.")
    #expect(EndScreen.title(handmade { $0.phase = .over(winner: 0) }) == "You have won!")
    #expect(EndScreen.title(handmade { $0.phase = .over(winner: nil) }) == "Nobody has won.")
    #expect(EndScreen().press(.enter) == .again)
    #expect(EndScreen().press(.character("q")) == .leave)
    #expect(EndScreen().press(.up) == nil)
  }

  /// Each screen at any size, with figures at their limits.
  @Test func anySize() {
    let view = handmade {
      $0.seats[0].name = String(repeating: "日\u{301}\u{1b}", count: 20)
      $0.history = [[], [10_000_000], Array(repeating: 10_000_000, count: 700)]
      for seat in $0.seats.indices { $0.seats[seat].ships = 10_000_000 }
    }
    let place = LobbyScreen.Place(
      name: "\u{1b}[2J", fingerprint: "", id: "", address: String(repeating: "x", count: 300))
    for columns in [0, 1, 39, 40, 79, 80, 201] {
      for rows in [0, 1, 13, 14, 23, 24, 61] {
        let size = TerminalSize(columns: columns, rows: rows)
        for phase in [View.Phase.lobby, .countdown, .playing, .over(winner: 2)] {
          var view = view
          view.phase = phase
          let pictures = [
            GameScreen().picture(view, at: 200, time: 0, size), EndScreen().picture(view, size, isHost: true),
            LobbyScreen().picture(view, place, size, time: 3, isHost: false),
            MenuScreen(MatchSetup(name: "\u{1b}c", seed: 1), note: "a\nb").picture(size, time: 9),
            PickerPicture.waiting("Joining", size, time: 1),
            PickerPicture.canvas(Picker(application: "x/1", size: size).screen, size, time: 1),
          ]
          for canvas in pictures {
            #expect(canvas.columns == columns && canvas.rows == rows)
            let isClean = canvas.text.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } }
            #expect(isClean, "\(columns)x\(rows)")
          }
        }
      }
    }
  }

  @Test func aPictureIsSmallAndWhole() {
    var screen = GameScreen()
    let view = handmade { $0.seats[0].name = "<&>" }
    screen.follow(view, at: 0)
    let canvas = screen.picture(view, at: 200, time: 0, TerminalSize(columns: 100, rows: 30))
    let text = SVGPicture(canvas, title: "a < b").text
    #expect(text.utf8.count < 60_000)
    #expect(text.contains("a &lt; b") && text.contains("&lt;&amp;&gt;"))
    #expect(text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n"))
    #expect(text == SVGPicture(canvas, title: "a < b").text)
  }
}
