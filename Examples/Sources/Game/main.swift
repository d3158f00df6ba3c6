import Dots
import Roamkey

let usage = """
  Game host NAME [--seconds N]          hosts a game and plays in it: w a s d, q to end
  Game join HOST[:PORT] NAME [rk1...]   plays in somebody else's
  Game serve [--seconds N]              hosts without playing: no screen, no keys
  """

var arguments = Array(CommandLine.arguments.dropFirst())
var limit: Duration?
if let place = arguments.firstIndex(of: "--seconds"), place + 1 < arguments.count {
  limit = Int(arguments[place + 1]).map { .seconds($0) }
  arguments.removeSubrange(place...(place + 1))
}
do {
  switch (arguments.first, arguments.count) {
  case ("host", 2): try await host(name: arguments[1], for: limit)
  case ("serve", 1): try await serve(for: limit)
  case ("join", 3...4):
    let client = try await Client(
      key: .loadOrGenerate("keys/\(arguments[2]).pem"), application: Dots.application, server: arguments[1],
      pinned: arguments.count == 4 ? PlayerID(arguments[3]) : nil, name: arguments[2], configuration: frameByFrame())
    try await play(client, for: limit)
  default: print(usage)
  }
} catch {
  print("\(error)")
}
