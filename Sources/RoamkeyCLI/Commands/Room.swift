internal import Logging
internal import Roamkey
internal import RoamkeyTerminal

/// What `serve` does with its events: passes messages on and prints what happens.
struct Room: Sendable {
  let server: Server
  /// Whether the sender gets its own words back.
  let echo: Bool
  let json: Bool

  private var printer: EventPrinter { EventPrinter(isOn: json) }

  func open() async {
    printer.listening(server.address, server: server.id)
    say("listening on \(server.address)")
    say("this server is \(server.id)")
    say("            or \(server.id.fingerprint), to compare aloud")
  }

  /// Until the server is closed.
  func run() async {
    for await event in server.events { await handle(event) }
  }

  private func handle(_ event: Server.Event) async {
    switch event {
    case .joined(let player):
      let address = server.address(of: player)
      printer.joined(player, address: address)
      say("\(player.short) joined from \(address?.description ?? "somewhere") (\(player.fingerprint))")
    case .message(let message, let player):
      // Passed on before it is printed: whoever reads the output must not hold up the room for this line.
      await retry(server.broadcast(message, from: player), message)
      if echo, let error = server.send(message, to: player) { await retry([player: error], message) }
      printer.message(message, from: player)
    case .roamed(let player, let from, let to):
      printer.roamed(player, from: from, to: to)
      say("\(player.short) roamed from \(from) to \(to)")
    case .offline(let player):
      printer.offline(player)
      say("\(player.short) is offline")
    case .online(let player):
      printer.online(player)
      say("\(player.short) is online again")
    case .left(let player, let reason):
      printer.left(player, reason)
      say("\(player.short): \(reason.words)")
    }
  }

  /// For whom a message did not fit into the queue: the room waits a little, which slows down those who talk, since
  /// what is not taken from them withholds their credit. A player who takes nothing for that long has to go: it must
  /// neither hold up the others nor miss a line without knowing.
  private func retry(_ failures: [PlayerID: SendError], _ message: Message) async {
    for (player, error) in failures {
      switch error {
      // What may be lost is not waited for: a newer one comes.
      case .queueFull where message.delivery == .latest || message.delivery == .unreliable: break
      case .queueFull:
        await withDeadline(Self.patience) { [server] in await server.waitForRoom(for: player) }
        guard case .queueFull = server.send(message, to: player) else { continue }
        Log.logger.warning("\(player.short) does not keep up and is put out: \(error.description)")
        server.dropSlow(player)
      case .tooLarge, .notEncodable:
        Log.logger.warning("a message was not passed on to \(player.short): \(error.description)")
      // It has just left.
      case .notConnected: break
      }
    }
  }

  /// How long the room waits for one player.
  private static let patience = Duration.seconds(3)

  func printStatistics() async {
    let statistics = await server.statistics()
    printer.stats(statistics, sessions: await server.sessions())
    say(StatisticsText.line(statistics))
  }

  private func say(_ line: String) { if !json { Console.print(line) } }
}
