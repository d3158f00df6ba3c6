import TestSupport
import Testing

@testable import Roamkey
@testable import RoamkeyEngine

/// A game that knows no socket and no clock: it answers every text with the time that it is told.
private struct Referee {
  var players: Set<PlayerID> = []

  mutating func tick(_ server: some GameServer, time: Int) {
    for event in server.takeEvents() {
      switch event {
      case .joined(let player): players.insert(player)
      case .message(let message, let player):
        server.send("\(message.text ?? "") at \(time)", as: "answer", to: player)
        server.broadcast(message, from: player)
      case .left(let player, _): players.remove(player)
      case .roamed, .offline, .online: break
      }
    }
    server.flush()
  }
}

/// The same for its player.
private struct Contender {
  var heard: [Message] = []

  mutating func tick(_ client: some GameClient) {
    for event in client.takeEvents() { if case .message(let message) = event { heard.append(message) } }
    client.flush()
  }
}

/// What a game asks for, noted instead of sent.
private final class NotedGame: GameClient, GameServer {
  struct Call: Equatable {
    var message: Message
    var options: SendOptions
    var player: PlayerID?
    var several: [PlayerID] = []
    var exceptions: Set<PlayerID> = []
  }

  let id = PlayerKey.generate().id
  let serverID = PlayerKey.generate().id
  let serverName = "somewhere"
  let players: [PlayerID] = []
  let queuedBytes = 0
  private(set) var calls: [Call] = []

  func send(_ message: Message, options: SendOptions) throws(SendError) {
    calls.append(Call(message: message, options: options, player: nil))
  }
  func send(_ message: Message, to player: PlayerID, options: SendOptions) -> SendError? {
    calls.append(Call(message: message, options: options, player: player))
    return nil
  }
  func send(_ message: Message, to players: [PlayerID], options: SendOptions) -> [PlayerID: SendError] {
    calls.append(Call(message: message, options: options, several: players))
    return [:]
  }
  func broadcast(
    _ message: Message, from author: PlayerID?, except exceptions: Set<PlayerID>, options: SendOptions
  ) -> [PlayerID: SendError] {
    calls.append(Call(message: message, options: options, player: author, exceptions: exceptions))
    return [:]
  }
  func name(of player: PlayerID) -> String { player.shortFingerprint }
  func sessionNumber(of player: PlayerID) -> UInt64? { nil }
  func takeReceipts() -> [Receipt] { [] }
  func takeEvents() -> [Client.Event] { [] }
  func takeEvents() -> [Server.Event] { [] }
  func queuedBytes(of player: PlayerID) -> Int { 0 }
  func flush() {}
  func rest() {}
  func resume() {}
  func rest(_ player: PlayerID) {}
  func resume(_ player: PlayerID) {}
  func kick(_ player: PlayerID, reason: String) {}
  func dropSlow(_ player: PlayerID) {}
}

/// A game's code runs on whatever carries its messages.
@Suite(.realTime, .timeLimit(.minutes(40))) struct GameTests {
  @Test func aGameRunsOnRealSockets() async throws {
    let server = try await makeServer()
    let (ada, ben) = (try await makeClient(server), try await makeClient(server))
    var (referee, adasGame, bensGame) = (Referee(), Contender(), Contender())
    try ada.send("here", as: "call")
    try await eventually("both to hear of it") {
      referee.tick(server, time: 7)
      adasGame.tick(ada)
      bensGame.tick(ben)
      return adasGame.heard.isEmpty || bensGame.heard.isEmpty ? nil : true
    }
    #expect(referee.players == [ada.id, ben.id])
    #expect(adasGame.heard.map(\.text) == ["here at 7"])
    #expect(bensGame.heard.map(\.text) == ["here"])
    #expect(bensGame.heard.map(\.author) == [ada.id])
    for client in [ada, ben] { await client.close() }
    await server.close()
  }

  @Test func aClientsCallsOfEveryDayKeepTheirParameters() throws {
    let game = NotedGame()
    let position: [UInt8] = [1, 2, 3]
    try game.send("hello")
    try game.send(position, as: "move", delivery: .latest, priority: .high)
    try game.send(Message("x"), channel: 3, expires: .milliseconds(200), receipt: 9)
    #expect(
      game.calls == [
        .init(message: Message("hello"), options: .init(), player: nil),
        .init(
          message: Message(position, as: "move"), options: .init(delivery: .latest, priority: .high), player: nil),
        .init(
          message: Message("x"), options: .init(channel: 3, expires: .milliseconds(200), receipt: 9), player: nil),
      ])
  }

  @Test func aServersCallsOfEveryDayKeepTheirParameters() {
    let game = NotedGame()
    let player = PlayerKey.generate().id
    let options = SendOptions(
      delivery: .unreliable, priority: .low, channel: 255, expires: .seconds(1), receipt: 0)
    game.send(
      "hello", as: "a", to: player, delivery: .unreliable, priority: .low, channel: 255, expires: .seconds(1),
      receipt: 0)
    game.send(
      [1], as: "a", to: player, delivery: .unreliable, priority: .low, channel: 255, expires: .seconds(1), receipt: 0)
    game.broadcast(
      "hello", as: "a", delivery: .unreliable, priority: .low, channel: 255, expires: .seconds(1), receipt: 0)
    game.broadcast([1], as: "a", delivery: .unreliable, priority: .low, channel: 255, expires: .seconds(1), receipt: 0)
    #expect(game.calls.allSatisfy { $0.options == options && $0.message.action == "a" })
    #expect(game.calls.map(\.player) == [player, player, nil, nil])
    #expect(game.calls.map(\.message.text) == ["hello", nil, "hello", nil])
  }

  @Test func callsForSomeKeepTheirParameters() throws {
    let game = NotedGame()
    let (ada, ben) = (PlayerKey.generate().id, PlayerKey.generate().id)
    let options = SendOptions(
      delivery: .unreliable, priority: .low, channel: 255, expires: .seconds(1), receipt: 0)
    let some = [ada, ben].lazy.filter { _ in true }
    let (delivery, expires) = (Delivery.unreliable, Duration.seconds(1))
    game.send("x", as: "a", to: some, delivery: delivery, priority: .low, channel: 255, expires: expires, receipt: 0)
    game.send([1], as: "a", to: some, delivery: delivery, priority: .low, channel: 255, expires: expires, receipt: 0)
    game.send(7, as: "a", to: some, delivery: delivery, priority: .low, channel: 255, expires: expires, receipt: 0)
    game.send(
      ["k": 1, "l": "m"], as: "a", to: some, delivery: delivery, priority: .low, channel: 255, expires: expires,
      receipt: 0)
    game.send(
      Message("x", as: "a"), to: some, delivery: delivery, priority: .low, channel: 255, expires: expires, receipt: 0)
    #expect(game.calls.count == 5)
    #expect(game.calls.allSatisfy { $0.several == [ada, ben] && $0.options == options && $0.message.action == "a" })
    #expect(
      game.calls.map(\.message.body) == [[0x78], [1], [7], try Message(["k": 1, "l": "m"] as Value).body, [0x78]])

    game.broadcast("x", except: [ada])
    game.broadcast([1], except: [ada])
    game.broadcast(7, except: [ada])
    game.broadcast(["k": 1, "l": "m"], except: [ada])
    game.broadcast(Message("x"), from: ben, except: [ada])
    #expect(game.calls.dropFirst(5).allSatisfy { $0.exceptions == [ada] && $0.options == .init() })
    #expect(game.calls.dropFirst(5).map(\.player) == [nil, nil, nil, nil, ben])
  }

  @Test func someGetItOnceAndOthersNot() async throws {
    let server = try await makeServer()
    let clients = [try await makeClient(server), try await makeClient(server), try await makeClient(server)]
    let (ada, ben, cat) = (clients[0].id, clients[1].id, clients[2].id)
    let stranger = PlayerKey.generate().id
    #expect(server.send("team", to: [ada, ben, ada, stranger]) == [stranger: .notConnected])
    #expect(server.broadcast("not for Ben", except: [ben]).isEmpty)
    #expect(server.broadcast(Message("from Ada, not for Cat"), from: ada, except: [cat]).isEmpty)
    #expect(server.broadcast("the end").isEmpty)
    var heard: [[String]] = []
    for client in clients {
      let log = client.log
      try await log.first("the end") {
        if case .message(let message) = $0, message.text == "the end" { true } else { nil }
      }
      heard.append(log.events.compactMap { if case .message(let message) = $0 { message.text } else { nil } })
    }
    #expect(
      heard == [
        ["team", "not for Ben", "the end"], ["team", "from Ada, not for Cat", "the end"], ["not for Ben", "the end"],
      ])
    for client in clients { await client.close() }
    await server.close()
  }

  @Test func whoIsKickedReadsWhy() async throws {
    let server = try await makeServer()
    let (ada, ben) = (try await makeClient(server), try await makeClient(server))
    server.kick(ada.id, reason: "language!")
    server.kick(ben.id)
    #expect(await ada.waitUntilDisconnected() == .kicked("language!"))
    #expect(await ben.waitUntilDisconnected() == .kicked(""))
    #expect("\(EndReason.kicked("language!"))" == "kicked: language!")
    await server.close()
  }

  @Test func whatIsPassedOnGoesAsItCame() {
    let game = NotedGame()
    let player = PlayerKey.generate().id
    let inbound = InboundMessage(
      stream: .init(channel: 5, delivery: .latest), sequence: 1, content: .init(format: .text, action: "", body: []),
      credit: 0, receivedAt: .init(nanoseconds: 2), sentAt: .init(nanoseconds: 1))
    let message = Message(inbound, sender: player)
    game.broadcast(message, from: player)
    game.send(message, to: player)
    game.broadcast(message, from: player, delivery: .reliableOrdered, channel: 0)
    #expect(
      game.calls.map(\.options) == [
        .init(delivery: .latest, channel: 5), .init(delivery: .latest, channel: 5), .init(),
      ])
  }

  @Test func expiryCountsFromTheCall() throws {
    let now = Instant(nanoseconds: 1_000_000_000)
    let options = SendOptions(delivery: .reliableUnordered, channel: 2, expires: .milliseconds(1), receipt: 4)
    let encoded = try Message("hi").encoded(options, author: nil, at: now, time: 77)
    #expect(encoded.options.expires == Instant(nanoseconds: 1_001_000_000))
    #expect(encoded.options.delivery == .reliableUnordered)
    #expect(encoded.options.channel == 2)
    #expect(encoded.options.receipt == 4)
    let content = try MessageContent(encoded.content.span.bytes)
    #expect(content.wantsReceipt)
    #expect(content.time == 77)
    let plainContent = try Message("hi").encoded(.init(), author: nil, at: now, time: nil).content
    let plain = try MessageContent(plainContent.span.bytes)
    #expect(!plain.wantsReceipt && plain.time == nil)
    #expect(SendOptions().forEngine(at: now).expires == nil)
  }
}
