import Roamkey

let usage = """
  Chat serve [NAME]                     opens a room on port 7447
  Chat join HOST[:PORT] NAME [rk1...]   talks there; with the server's id, to no other server
  """

let arguments = Array(CommandLine.arguments.dropFirst())
do {
  switch (arguments.first, arguments.count) {
  case ("serve", 1...2): try await serve(name: arguments.dropFirst().first)
  case ("join", 3...4):
    try await join(arguments[1], name: arguments[2], pinned: arguments.count == 4 ? PlayerID(arguments[3]) : nil)
  default: print(usage)
  }
} catch {
  // Whatever it is, it is one sentence that says what to do.
  print("\(error)")
}
