import RoamkeyEngine
import TestSupport
import Testing

@testable import Roamkey

/// Servers with several threads, over real sockets.
@Suite(.serialized, .realTime, .timeLimit(.minutes(40))) struct ThreadsTests {
  private func makeServer(_ threads: Int, configuration: RoamkeyConfiguration = .init()) async throws -> Server {
    try await Server(
      key: .generate(), application: "test/1", listen: loopback, threads: threads, configuration: configuration)
  }

  private func shard(of player: PlayerID, on server: Server) throws -> Int {
    ServerShard.shard(of: try #require(server.link.handle(of: player)))
  }

  /// Each hears the broadcast, each is heard, each may move to any socket; all of them leave when the server does.
  @Test(arguments: [2, 5]) func fortyPlayers(_ threads: Int) async throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = 40
    let server = try await makeServer(threads, configuration: configuration)
    let log = server.log
    var clients: [(client: Client, log: Log<Client.Event>)] = []
    for _ in 0..<40 {
      let client = try await makeClient(server)
      clients.append((client, client.log))
    }
    _ = try await log.all(40, "all to join") { if case .joined(let player) = $0 { player } else { nil } }
    #expect(server.players == clients.map(\.client.id), "in the order in which they came")
    let shards = try Set(clients.map { try shard(of: $0.client.id, on: server) })
    #expect(shards.count == threads)

    #expect(server.broadcast("to all").isEmpty)
    for (client, log) in clients {
      try await log.first("the broadcast") {
        if case .message(let message) = $0, message.text == "to all" { true } else { nil }
      }
      try client.send("from \(client.id)")
    }
    // To other ports: the system spreads them anew, and most come to a socket that is not their session's.
    let before = Set(clients.map(\.client.localAddress))
    for (client, _) in clients {
      try client.rebind(to: loopback)
      try client.send("moved \(client.id)")
    }
    #expect(before.isDisjoint(with: clients.map(\.client.localAddress)))
    let texts = try await log.all(80, "what all have said") {
      if case .message(let message, let player) = $0 { (message.text, player) } else { nil }
    }
    for (client, clientLog) in clients {
      #expect(texts.filter { $0.1 == client.id }.map(\.0) == ["from \(client.id)", "moved \(client.id)"])
      #expect(server.send("hello \(client.id)", to: client.id) == nil)
      try await clientLog.first("an answer at the new place") {
        if case .message(let message) = $0, message.text == "hello \(client.id)" { true } else { nil }
      }
      #expect(server.address(of: client.id) == client.localAddress)
      #expect(await server.statistics(of: client.id) != nil)
    }
    let statistics = await server.statistics()
    #expect(statistics.players == 40 && statistics.sessions == 40 && statistics.messagesReceived == 80)
    #expect(statistics.moves >= 40 && statistics.resetsSent == 0)
    #expect(server.sockets.datagramsHandedOver > 0 && server.sockets.handOversDropped == 0)
    #expect(await server.sessions().map(\.player) == server.players)
    await server.close()
    for (_, log) in clients {
      try await log.first("the end") { if case .disconnected(.shutdown) = $0 { true } else { nil } }
    }
    #expect(await server.statistics().sessions == 40)
  }

  /// Whoever logs in again, on whichever thread, takes the place of the session before; for the app that one ends first.
  @Test func theLatestSessionCounts() async throws {
    let server = try await makeServer(2)
    let log = server.log
    let seed = randomSeed()
    var clients: [Client] = []
    var shards: Set<[Int]> = []
    var last: Int?
    for _ in 0..<12 {
      clients.append(try await makeClient(server, key: sameKey(seed)))
      let count = clients.count
      _ = try await log.all(count, "it is in") { if case .joined = $0 { true } else { nil } }
      let now = try shard(of: clients[0].id, on: server)
      if let last { shards.insert([last, now]) }
      last = now
    }
    #expect(shards.contains([0, 1]) || shards.contains([1, 0]), "once at least on another thread")
    let player = clients[0].id
    #expect(server.players == [player])
    try await eventually("only one is there") { await server.sessions().count == 1 ? true : nil }
    let kinds = log.events.map { event -> String in
      switch event {
      case .joined: "joined"
      case .left(_, .replaced): "replaced"
      default: "\(event)"
      }
    }
    #expect(kinds == (0..<23).map { $0 % 2 == 0 ? "joined" : "replaced" })
    for client in clients.dropLast() { #expect(await client.waitUntilDisconnected() == .replaced) }
    #expect(server.send("still there?", to: player) == nil)
    try await clients[11].log.first("the message") { if case .message = $0 { true } else { nil } }
    await server.close()
  }

  /// Limits count the players of all threads, and lists hold for all of them.
  @Test func limitsAndListsAreForAll() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessions = 6
    let server = try await makeServer(3, configuration: configuration)
    var clients: [Client] = []
    for _ in 0..<6 { clients.append(try await makeClient(server)) }
    await #expect(throws: RoamkeyError.self) { try await makeClient(server) }
    #expect(server.players.count == 6)
    let staying = clients[5].id
    server.updateAccess(allow: [staying])
    for client in clients.dropLast() {
      #expect(await client.waitUntilDisconnected() == .kicked("not on the list any more"))
    }
    try await eventually("one is left") { server.players == [staying] ? true : nil }
    server.kick(staying)
    #expect(await clients[5].waitUntilDisconnected() == .kicked(""))
    await server.close()
  }

  @Test(arguments: [-1, 0, 17]) func howManyThereMayBe(_ threads: Int) async throws {
    do throws(RoamkeyError) {
      _ = try await Server(key: .generate(), application: "test/1", listen: loopback, threads: threads)
      Issue.record("it began")
    } catch {
      #expect(error.code == .badThreads && "\(error)" == "a server has 1 to 16 threads, not \(threads)")
    }
  }

  /// Another server of the same user does not get half of the players.
  @Test func thePortIsNobodyElses() async throws {
    let server = try await makeServer(2)
    do throws(RoamkeyError) {
      _ = try await Server(key: .generate(), application: "test/1", listen: server.address, threads: 2)
      Issue.record("it began")
    } catch {
      #expect(error.code == .portInUse)
    }
    await server.close()
  }
}
