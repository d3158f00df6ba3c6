import TestSupport
import Testing

@testable import Roamkey

/// Servers and clients on real sockets of loopback.
@Suite(.realTime, .timeLimit(.minutes(40))) struct ConversationTests {
  @Test func theSampleOfTheDesign() async throws {
    let server = try await Server(key: .generate(), application: "galaxy/1", port: 0)
    let id = server.id
    let host = Task {
      var reasons: [EndReason] = []
      for await event in server.events {
        switch event {
        case .joined(let player): server.send("welcome", to: player)
        case .message(let message, let player): server.broadcast(message, from: player)
        case .roamed, .offline, .online: break
        case .left(_, let reason): reasons.append(reason)
        }
      }
      return reasons
    }
    let address = "127.0.0.1:\(server.address.port)"
    let ada = try await Client(key: .generate(), application: "galaxy/1", server: address, pinned: id)
    let ben = try await Client(key: .generate(), application: "galaxy/1", server: address)
    #expect(ben.serverID == id)
    let benLog = ben.log
    try await benLog.first("the welcome") { if case .message(let m) = $0, m.text == "welcome" { m } else { nil } }
    try ada.send("Are you awake?")
    let message = try await benLog.first("Ada's words") {
      if case .message(let m) = $0, m.text == "Are you awake?" { m } else { nil }
    }
    #expect(message.author == ada.id)
    #expect(message.action == "")
    #expect(await ada.close() == .closed)
    #expect(await ben.close() == .closed)
    await server.close()
    #expect(await host.value == [.closed, .closed])
  }

  @Test func bothSidesSayWhoTheyAre() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    #expect(client.serverID == server.id)
    #expect(client.serverAddress == server.address)
    let log = server.log
    let player = try await log.first("the join") { if case .joined(let player) = $0 { player } else { nil } }
    #expect(player == client.id)
    #expect(server.players == [client.id])
    #expect(server.address(of: player)?.port == client.localAddress.port)
    await client.close()
    try await log.first("the leave") { if case .left(player, .closed) = $0 { true } else { nil } }
    #expect(server.players.isEmpty)
    #expect(server.address(of: player) == nil)
    #expect(server.send("too late", to: player) == .notConnected)
    await server.close()
  }

  @Test func bytesTextAndActionsArriveAsTheyWere() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    try client.send([0, 255, 10], as: "raw")
    try client.send("größe", as: "text")
    try client.send("")
    let big = [UInt8](repeating: 7, count: 1 << 19)
    try client.send(big, as: "big")
    let messages = try await server.log.all(4, "four messages") {
      if case .message(let message, _) = $0 { message } else { nil }
    }
    #expect(messages.map(\.action) == ["raw", "text", "", "big"])
    #expect(messages.map(\.id) == [0, 1, 2, 3])
    #expect(messages[0].body == [0, 255, 10])
    #expect(messages[0].text == nil)
    #expect(messages[1].text == "größe")
    #expect(messages[2].text == "")
    #expect(messages[3].body == big)
    // On a server the author is whoever sent it.
    #expect(messages.allSatisfy { $0.author == client.id })
    await client.close()
    await server.close()
  }

  @Test func aClientCannotSpeakForSomebodyElse() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    try client.send(Message("I am the server").by(server.id))
    let message = try await server.log.first("the message") { if case .message(let m, _) = $0 { m } else { nil } }
    #expect(message.author == client.id)
    await client.close()
    await server.close()
  }

  @Test func closeDeliversWhatIsQueued() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    for number in 0..<500 { try client.send("\(number)") }
    async let reason = client.close()
    let log = server.log
    let texts = try await log.all(500, "all of them") { if case .message(let m, _) = $0 { m.text } else { nil } }
    #expect(texts == (0..<500).map(String.init))
    try await log.first("the leave") { if case .left(_, .closed) = $0 { true } else { nil } }
    #expect(await reason == .closed)
    #expect(throws: SendError.notConnected) { try client.send("more") }
    await server.close()
  }

  @Test func aServerThatStopsSaysSo() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    await server.close()
    #expect(await client.waitUntilDisconnected() == .shutdown)
    var last: Client.Event?
    for await event in client.events { last = event }
    #expect(last == .disconnected(.shutdown))
    #expect(await client.close() == .shutdown)
    for await _ in server.events {}
  }

  @Test func aServerThatIsLetGoSaysSo() async throws {
    var server: Server? = try await makeServer()
    let client = try await makeClient(#require(server))
    server = nil
    #expect(await client.waitUntilDisconnected() == .shutdown)
    await client.close()
  }

  @Test func aKickedPlayerReadsWhy() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    server.kick(client.id, reason: "no shouting" + String(repeating: "!", count: 200))
    let reason = await client.waitUntilDisconnected()
    guard case .kicked(let words) = reason else { throw TookTooLong(what: "a kick, not \(reason as Any)") }
    #expect(words.hasPrefix("no shouting!!!"))
    #expect(words.utf8.count == 128)
    await client.close()
    await server.close()
  }

  @Test func theNewestSessionOfAPlayerWins() async throws {
    let server = try await makeServer()
    let seed = randomSeed()
    let log = server.log
    let old = try await makeClient(server, key: sameKey(seed))
    let new = try await makeClient(server, key: sameKey(seed))
    #expect(await old.waitUntilDisconnected() == .replaced)
    let events = try await log.all(3, "leave and join again") { event -> Server.Event? in event }
    #expect(events == [.joined(new.id), .left(new.id, .replaced), .joined(new.id)])
    #expect(server.players == [new.id])
    #expect(server.send("still here?", to: new.id) == nil)
    try await new.log.first("the answer") { if case .message = $0 { true } else { nil } }
    await old.close()
    await new.close()
    await server.close()
  }

  @Test func sealedOnlyWorksAsWell() async throws {
    let server = try await makeServer(signingPolicy: .sealedOnly)
    let client = try await makeClient(server)
    try client.send("hello")
    try await server.log.first("the message") { if case .message = $0 { true } else { nil } }
    await client.close()
    await server.close()
  }
}
