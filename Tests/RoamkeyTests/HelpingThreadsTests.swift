import RoamkeyEngine
import TestSupport
import Testing

@testable import Roamkey

/// Servers whose players have all come to one thread, while the other has nothing to do.
@Suite(.serialized, .realTime, .timeLimit(.minutes(40))) struct HelpingThreadsTests {
  /// Players of the first shard only: by chance half of those who come.
  private func players(_ count: Int, of server: Server) async throws -> [(client: Client, log: Log<Client.Event>)] {
    var players: [(client: Client, log: Log<Client.Event>)] = []
    for _ in 0..<200 where players.count < count {
      let client = try await makeClient(server)
      let handle = try await eventually("it is in") { server.link.handle(of: client.id) }
      if ServerShard.shard(of: handle) == 0 {
        players.append((client, client.log))
      } else {
        await client.close()
      }
    }
    try #require(players.count == count)
    return players
  }

  private func makeServer(_ signingPolicy: SigningPolicy = .everyPacket) async throws -> Server {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = 64
    return try await Server(
      key: .generate(), application: "test/1", listen: loopback, signingPolicy: signingPolicy, threads: 2,
      configuration: configuration)
  }

  /// All that they say arrives, and the idle thread has verified some of it.
  @Test func theIdleThreadHelps() async throws {
    let server = try await makeServer()
    let log = server.log
    let players = try await players(12, of: server)
    log.forget()
    var rounds = 0
    repeat {
      for k in 0..<20 {
        for (client, _) in players { try client.send("\(rounds) \(k)") }
      }
      rounds += 1
      _ = try await log.all(rounds * 20 * players.count, "what all have said") {
        if case .message(let message, let player) = $0 { (message.text, player) } else { nil }
      }
    } while await server.statistics().signaturesVerifiedElsewhere == 0 && rounds < 200
    let statistics = await server.statistics()
    #expect(statistics.signaturesVerifiedElsewhere > 0)
    #expect(statistics.drops["badSignature"] == nil && statistics.drops["authenticationFailed"] == nil)
    for (client, _) in players {
      let texts = log.events.compactMap { event -> String? in
        if case .message(let message, client.id) = event { message.text } else { nil }
      }
      #expect(texts == (0..<rounds).flatMap { round in (0..<20).map { "\(round) \($0)" } })
      #expect(server.send("heard", to: client.id) == nil)
    }
    for (_, clientLog) in players {
      try await clientLog.first("an answer") { if case .message = $0 { true } else { nil } }
    }
    await server.close()
    #expect(await server.statistics().signaturesVerifiedElsewhere >= statistics.signaturesVerifiedElsewhere)
  }

  /// A server is closed, or let go, in the middle of it.
  @Test(arguments: [true, false]) func theEndInTheMiddleOfIt(closes: Bool) async throws {
    var server: Server? = try await makeServer()
    let players = try await players(8, of: #require(server))
    let flood = players.map { player in
      Task {
        for k in 0..<20_000 where !Task.isCancelled {
          if (try? player.client.send("\(k)", delivery: .unreliable)) == nil { break }
          if k % 8 == 0 { try? await Task.sleep(for: .milliseconds(1)) }
        }
      }
    }
    try await Task.sleep(for: .milliseconds(100))
    if closes { await server?.close() }
    server = nil
    for task in flood {
      task.cancel()
      await task.value
    }
    // Whether one hears of a server that was let go is left to luck.
    for (_, log) in players where closes {
      try await log.first("the end") { if case .disconnected(.shutdown) = $0 { true } else { nil } }
    }
  }

  /// Of what is only sealed there is nothing to verify.
  @Test func sealedPacketsNeedNoHelp() async throws {
    let server = try await makeServer(.sealedOnly)
    let log = server.log
    let players = try await players(6, of: server)
    for k in 0..<20 {
      for (client, _) in players { try client.send("\(k)") }
    }
    _ = try await log.all(120, "what all have said") { if case .message = $0 { true } else { nil } }
    #expect(await server.statistics().signaturesVerifiedElsewhere == 0)
    await server.close()
  }
}
