import Planets
import PlanetsTerminal
import RoamkeyTerminal

/// How a stay at a table ends.
enum Ending: Equatable {
  /// Back to the menu, with what there is to say.
  case left(note: String?)
  /// The whole program ends.
  case quit
}

/// A stay at a table: lobby, match and end, again and again, until somebody leaves.
struct Play<T: Table> {
  var table: T
  let stage: Stage
  /// Nil where there is no lobby.
  let place: LobbyScreen.Place?
  private var game = GameScreen()
  private var lobby: LobbyScreen
  private let end = EndScreen()
  /// What was said last, and when: at the end nothing else shows it.
  private var lastSaid: (text: String, time: Double)?

  /// How long a line is shown at the end, in seconds.
  private static var stay: Double { 10 }

  init(_ table: T, on stage: Stage, place: LobbyScreen.Place?, level: BotLevel) {
    (self.table, self.stage, self.place) = (table, stage, place)
    lobby = LobbyScreen(level: level)
  }

  mutating func run() async -> Ending {
    while true {
      let input = await stage.nextFrame()
      if input.isEnding { return .quit }
      if table.canPause && game.isInterrupted(input.size) {
        table.pause(at: input.time)
      } else {
        for news in table.step(at: input.time) {
          if case .ended(let why) = news { return .left(note: why) }
          tell(news, input.time)
        }
      }
      game.follow(table.view, at: input.time)
      for key in input.keys {
        if press(key, input) { return .left(note: nil) }
      }
      stage.show(picture(input))
    }
  }

  /// - Returns: whether this was to leave.
  private mutating func press(_ key: Key, _ input: Stage.Input) -> Bool {
    switch table.view.phase {
    case .lobby:
      switch lobby.press(key, table.view, isHost: table.isHost) {
      case .request(let request): table.ask(request)
      case .say(let text): table.say(text)
      case .leave: return true
      case nil: break
      }
    case .countdown, .playing:
      for command in game.press(key, table.view, input.size, at: input.time) {
        switch command {
        case .order(let order): give(order, input.time)
        case .say(let text): table.say(text)
        case .leave: return true
        }
      }
    case .over:
      switch end.press(key) {
      case .again: table.ask(.again)
      case .leave: return true
      case nil: break
      }
    }
    return false
  }

  private mutating func give(_ order: Order, _ time: Double) {
    do throws(OrderError) {
      try table.order(order)
      game.follow(table.view, at: time)
    } catch {
      game.say("Not sent: \(error.description).", .warning, at: time)
    }
  }

  private mutating func tell(_ news: TableNews, _ time: Double) {
    switch news {
    case .said(let seat, let name, let text):
      let colour = seat.flatMap { table.view.seats.indices.contains($0) ? table.view.seats[$0].colour : nil }
      let line = "\(Console.label(name)): \(Console.plain(text))"
      lastSaid = (line, time)
      game.say(line, colour.map { .seat($0) } ?? .text, at: time)
      lobby.say(line, colour.map { .seat($0) } ?? .text)
    case .note(let text):
      game.say(text, .warning, at: time)
      lobby.say(text, .warning)
    case .ended: break
    }
  }

  /// Lines to begin with.
  mutating func say(_ notes: [String]) { for note in notes { lobby.say(Console.plain(note), .quiet) } }

  private mutating func picture(_ input: Stage.Input) -> Canvas {
    let view = table.view
    switch view.phase {
    case .lobby:
      let place = place ?? LobbyScreen.Place(name: "", fingerprint: "", id: "", address: "")
      return lobby.picture(
        view, place, input.size, time: input.time, isHost: table.isHost, status: table.status)
    case .countdown, .playing:
      return game.picture(
        view, at: table.tick(at: input.time), time: input.time, input.size, status: table.status)
    case .over:
      let said = lastSaid.flatMap { $0.time + Self.stay > input.time ? $0.text : nil }
      return end.picture(view, input.size, isHost: table.isHost, note: table.status ?? said)
    }
  }
}
