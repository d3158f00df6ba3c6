import TestSupport
import Testing

@testable import Roamkey

/// A server and a player of it in one process.
@Suite(.realTime, .timeLimit(.minutes(40))) struct HostTests {
  @Test func theHostPlaysLikeEverybodyElse() async throws {
    let server = try await Server(key: .generate(), application: "test/1", port: 0, name: "Here")
    let host = try await Client(key: .generate(), joining: server, name: "Ada")
    let guest = try await Client(
      key: .generate(), application: "test/1", server: "127.0.0.1:\(server.address.port)", pinned: server.id)
    #expect(host.serverID == server.id && host.serverName == "Here")
    try await eventually("both to be in") { server.players.count == 2 ? true : nil }
    #expect(server.name(of: host.id) == "Ada" && server.address(of: host.id)?.isLoopback == true)
    try host.send("hello")
    let (message, author) = try await server.log.first("it") {
      if case .message(let message, let player) = $0 { (message, player) } else { nil }
    }
    #expect(message.text == "hello" && author == host.id)
    server.broadcast(message, from: author)
    try await guest.log.first("it") {
      if case .message(let message) = $0 { message.author == host.id ? true : nil } else { nil }
    }
    for client in [host, guest] { await client.close() }
    await server.close()
  }

  /// One that listens at one address, and one that must be polled while its client comes in.
  @Test(arguments: [LoopMode.ownThread, .polled]) func theClientFindsIt(_ loop: LoopMode) async throws {
    let address = NetworkAddress(ipv4: 127, 0, 0, 3, port: 0)
    let server = try await Server(key: .generate(), application: "test/1", listen: address, loop: loop)
    let client = try await Client(key: .generate(), joining: server, loop: loop)
    #expect(client.serverID == server.id && client.serverAddress == server.address)
    await server.drivers[0].carrying { await client.close() }
    await server.close()
  }

  @Test func noGuestsNoHost() async throws {
    let server = try await makeServer(allow: [])
    let refused = await #expect(throws: RoamkeyError.self) {
      _ = try await Client(key: .generate(), joining: server)
    }
    #expect(refused?.code == .notAllowed)
    await server.close()
    let closed = await #expect(throws: RoamkeyError.self) {
      _ = try await Client(key: .generate(), joining: server)
    }
    #expect(closed?.code == .closed && closed?.description == "the server to join was closed: start it again")
  }

  /// The client does not keep the server: a host that lets its server go has ended the game.
  @Test func theyShareNothing() async throws {
    var server: Server? = try await makeServer()
    let client = try await Client(key: .generate(), joining: try #require(server))
    server = nil
    #expect(await client.waitUntilDisconnected() == .shutdown)
  }
}
