import Dots
import Roamkey

/// The server: a task of its own asks it 60 times a second.
private func start() async throws -> (server: Server, game: Task<Void, any Error>) {
  let server = try await Server(
    key: .loadOrGenerate("keys/server.pem"), application: Dots.application, configuration: frameByFrame())
  print("Others type: Game join HOST NAME \(server.id)")
  let game = Task.detached {
    var referee = Referee()
    try await everyFrame {
      referee.tick(server)
      return !Task.isCancelled
    }
  }
  return (server, game)
}

/// Server and player in one process: two threads of Roamkey's, two tasks of ours, and nothing that both sides touch.
func host(name: String, for limit: Duration?) async throws {
  let (server, game) = try await start()
  let client = try await Client(
    key: .loadOrGenerate("keys/\(name).pem"), joining: server, name: name, configuration: frameByFrame())
  try await play(client, for: limit)
  game.cancel()
  await server.close()
}

/// A server that nobody plays at.
func serve(for limit: Duration?) async throws {
  let (server, game) = try await start()
  try await Task.sleep(for: limit ?? .seconds(1_000_000_000))
  game.cancel()
  let statistics = await server.statistics()
  print("\(statistics.sessions) players, \(statistics.messagesReceived) moves")
  await server.close()
}
