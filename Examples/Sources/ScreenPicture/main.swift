import Planets
import PlanetsTerminal
import RoamkeyTerminal

let usage = """
  ScreenPicture game [SEED [TICK]]   a match between bots from a seed, as A's screen shows it at a tick
  ScreenPicture menu|lobby|end       the other screens
  ScreenPicture text TITLE [ROWS]    what comes on standard input, as on a terminal
  """

let arguments = Array(CommandLine.arguments.dropFirst())
let size = TerminalSize(columns: 100, rows: 30)
let names = ["Ada", "Ben", "Cleo", "Dan"]

/// A match in which a bot plays every seat, from its seed to a tick.
func match(_ seed: UInt64, until tick: Int, screen: inout GameScreen) -> LocalTable {
  let setup = MatchSetup(name: names[0], bots: 3, level: .medium, seed: seed)
  var table = LocalTable(setup, playsItself: true, names: names)
  while table.view.tick < tick, table.view.phase == .countdown || table.view.phase == .playing {
    table.advance()
    screen.follow(table.view, at: Double(table.view.tick) / Double(Rules.ticksASecond))
  }
  return table
}

switch arguments.first {
case "game":
  var screen = GameScreen()
  let seed = arguments.count > 1 ? UInt64(arguments[1]) ?? 5 : 5
  let table = match(seed, until: arguments.count > 2 ? Int(arguments[2]) ?? 900 : 900, screen: &screen)
  let view = table.view
  let time = Double(view.tick) / Double(Rules.ticksASecond)
  // Two planets are chosen, and the cursor stands on somebody else's.
  let target = view.planets.filter { $0.owner != view.you && $0.isSeen }.max { one, other in
    (one.owner == nil ? 0 : 1, one.size) < (other.owner == nil ? 0 : 1, other.size)
  }
  if let target {
    for planet in view.yourPlanets.sorted(by: { view.ships(of: $0) ?? 0 > view.ships(of: $1) ?? 0 }).prefix(3) {
      screen.choose(planet.id)
    }
    screen.point(at: target.id)
    _ = screen.press(.character("4"), view, size, at: time)
  }
  print(SVGPicture(screen.picture(view, at: Double(view.tick) + 0.5, time: time, size), title: "planets").text)
case "menu":
  print(SVGPicture(MenuScreen(MatchSetup(name: "Ada", seed: 7)).picture(size, time: 0), title: "planets").text)
case "lobby":
  var view = View()
  view.seats = names.enumerated().map { View.Seat(name: $1, colour: $0, bot: $0 > 1 ? .strong : nil) }
  view.seats[1].isReady = true
  view.you = 0
  view.planets = Game.preview(seed: 7, seats: 4)
  let place = LobbyScreen.Place(
    name: "Ada's game", fingerprint: "junok-solap-kazof-vibin-pujoj-pilof", id: "rk1", address: "192.168.1.7:7447")
  var lobby = LobbyScreen()
  lobby.say("Ben: ready when you are", .seat(1))
  print(SVGPicture(lobby.picture(view, place, size, time: 0, isHost: true), title: "planets").text)
case "end":
  var screen = GameScreen()
  let table = match(7, until: .max, screen: &screen)
  print(SVGPicture(EndScreen().picture(table.view, size, isHost: true), title: "planets").text)
case "text":
  var lines: [String] = []
  while let line = readLine() { lines.append(Console.plain(line)) }
  let title = arguments.count > 1 ? arguments[1] : "roamkey"
  print(SVGPicture(TextPicture.canvas(lines), title: title).text)
default: print(usage)
}
