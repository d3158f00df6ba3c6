import TestSupport
import Testing

@testable import Roamkey

/// What players and servers call themselves (PROTOCOL §1.5), and what is shown where they say nothing.
@Suite(.realTime, .timeLimit(.minutes(40))) struct NameTests {
  private func connect(_ server: Server, name: String?, key: consuming PlayerKey = .generate()) async throws -> Client {
    let client = try await Client(
      key: key, application: "test/1", server: "\(server.address)", pinned: server.id, name: name)
    try await eventually("the server to know of its client") { server.players.contains(client.id) ? true : nil }
    return client
  }

  @Test(arguments: [1, 3]) func eachSideReadsTheOthersName(threads: Int) async throws {
    let server = try await Server(
      key: .generate(), application: "test/1", listen: loopback, name: "The Attic", threads: threads)
    #expect(server.name == "The Attic" && server.application == "test/1")
    let ada = try await connect(server, name: "Ada")
    #expect(ada.serverName == "The Attic" && server.name(of: ada.id) == "Ada")
    await ada.close()
    // Whoever handles `left` still knows who that was.
    try await server.log.first("Ada's end") { if case .left(ada.id, _) = $0 { true } else { nil } }
    #expect(server.players.isEmpty && server.name(of: ada.id) == "Ada")
    await server.close()
  }

  @Test func whoSaysNothingIsCalledByTheKey() async throws {
    let server = try await makeServer()
    let client = try await connect(server, name: nil)
    #expect(server.name(of: client.id) == client.id.shortFingerprint)
    #expect(client.serverName == server.id.shortFingerprint)
    let stranger = PlayerKey.generate().id
    #expect(server.name(of: stranger) == stranger.shortFingerprint && stranger.shortFingerprint.count == 11)
    await client.close()
    await server.close()
  }

  /// What nobody can see is no name, and nobody looks like somebody else by it.
  @Test func aNameIsMadeHarmless() async throws {
    let server = try await makeServer()
    for (said, shown) in [("  Ada\u{200b} ", "Ada"), ("\u{200b}\u{2800} ", nil), ("", nil)] {
      let client = try await connect(server, name: said)
      #expect(server.name(of: client.id) == shown ?? client.id.shortFingerprint)
      await client.close()
    }
    await server.close()
  }

  @Test(arguments: ["\u{1b}[2J", "a\nb", "\u{202e}nimda", String(repeating: "x", count: 65)])
  func whatIsNoNameIsToldAtOnce(_ name: String) async throws {
    let error = await #expect(throws: RoamkeyError.self) {
      _ = try await Client(key: .generate(), application: "test/1", server: "127.0.0.1:9", name: name)
    }
    #expect(error?.code == .badName && error?.isRefusal == false)
  }

  @Test func aNewerNameCountsAndSoDoesNone() async throws {
    let server = try await makeServer()
    let seed = randomSeed()
    let first = try await connect(server, name: "Ada", key: sameKey(seed))
    let id = first.id
    let second = try await connect(server, name: "Countess", key: sameKey(seed))
    try await eventually("the newer session") { server.name(of: id) == "Countess" ? true : nil }
    #expect(await first.waitUntilDisconnected() == .replaced)
    #expect(server.name(of: id) == "Countess")
    let third = try await connect(server, name: nil, key: sameKey(seed))
    try await eventually("no name") { server.name(of: id) == id.shortFingerprint ? true : nil }
    for client in [second, third] { await client.close() }
    await server.close()
  }

  @Test func namesOfThoseWhoLeftAreBounded() {
    func player(_ number: UInt8, _ group: UInt8) -> PlayerID {
      PlayerID(publicKey: Digest([number, group] + [UInt8](repeating: 0, count: 30)))
    }
    var book = NameBook()
    let (stays, returns) = (player(1, 255), player(2, 255))
    book.enter(stays, "stays")
    book.enter(returns, "returns")
    book.leave(returns)
    book.enter(returns, "returned")
    for group in 0..<8 as Range<UInt8> {
      for number in 0...255 as ClosedRange<UInt8> {
        book.enter(player(number, group), "guest")
        book.leave(player(number, group))
      }
    }
    #expect(book.count == NameBook.limit + 2)
    #expect(book[stays] == "stays" && book[returns] == "returned")
    #expect(book[player(0, 0)] == nil && book[player(255, 7)] == "guest")
    // One who had a name, and came back without, has none.
    book.enter(returns, nil)
    #expect(book[returns] == nil)
    book.leave(returns)
    #expect(book.count == NameBook.limit + 1)
  }
}
