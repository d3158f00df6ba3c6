import Roamkey
import RoamkeySimulator
import Testing

// The listings of the first half of docs/GUIDE.md, as they are printed there.

func connect(to server: String) async throws -> Client {
  let serverID = try PlayerID("rk1...")  // what the server has printed
  return try await Client(
    key: .loadOrGenerate("keys/me.pem"), application: "chat/1", server: server, pinned: serverID)
}

/// A chat with rooms. Who is where is the chat's own affair: for the server there are only players.
struct Rooms {
  private var rooms: [PlayerID: String] = [:]

  mutating func handle(_ event: Server.Event, _ server: some GameServer) {
    switch event {
    case .joined(let player): enter("lobby", player, server)
    case .message(let message, let player):
      switch message.action {
      case "enter": enter(message.text ?? "lobby", player, server)
      case "whisper": whisper(message, from: player, server)
      default: tell(rooms[player], "\(server.name(of: player)): \(message.shownText)", server)
      }
    case .left(let player, let reason):
      tell(rooms.removeValue(forKey: player), "\(server.name(of: player)) has left (\(reason))", server)
    case .roamed, .offline, .online: break  // still there
    }
  }

  private mutating func enter(_ room: String, _ player: PlayerID, _ server: some GameServer) {
    rooms[player] = room
    server.send("You are in the \(room)", to: player)
    let others = server.players.filter { rooms[$0] == room && $0 != player }
    server.send("\(server.name(of: player)) comes in", to: others)
  }

  private func tell(_ room: String?, _ text: String, _ server: some GameServer) {
    server.send(text, to: server.players.filter { rooms[$0] == room })
  }

  private func whisper(_ message: Message, from player: PlayerID, _ server: some GameServer) {
    guard let value = message.value, let name = value["to"]?.text, let text = value["text"]?.text else {
      return server.kick(player, reason: "your program whispers strange things")
    }
    let called = server.players.filter { server.name(of: $0) == name }
    server.send("\(server.name(of: player)) whispers: \(text)", to: called)
  }
}

func whisper(_ text: String, to name: String, _ client: some GameClient) throws(SendError) {
  try client.send(["to": Value(name), "text": Value(text)], as: "whisper")
}

struct Order: Codable {
  var item: String
  var count = 1
}

func order(_ client: some GameClient) throws(SendError) { try client.send(Order(item: "rope"), as: "order") }

/// What there is to buy, and for how much gold.
let prices = ["rope": 5, "lamp": 12]

func price(of message: Message) -> Int {
  guard let order = try? message.decode(Order.self), (1...99).contains(order.count) else { return 0 }
  return order.count * prices[order.item, default: 0]
}

/// What is known of a player.
struct Hero: Codable {
  var gold = 100
  var bag: [String: Int] = [:]
}

struct Market {
  let heroes: PlayerStorage<Hero>

  init() throws { heroes = try PlayerStorage(file: "data/heroes", default: Hero()) }

  func sell(_ message: Message, to player: PlayerID, _ server: some GameServer) {
    let price = price(of: message)
    guard let order = try? message.decode(Order.self), price > 0, heroes[player].gold >= price else {
      server.send("You cannot buy that", to: player)
      return
    }
    heroes[player].gold -= price
    heroes[player].bag[order.item, default: 0] += order.count
    server.send("You have \(heroes[player].gold) gold left", to: player)
  }
}

func hostAndPlay() async throws {
  let server = try await Server(key: .loadOrGenerate("keys/server.pem"), application: "ships/1")
  let hosting = Task.detached {
    var sector = Sector()
    while !Task.isCancelled {
      sector.tick(server, now: .now)
      try await Task.sleep(for: .milliseconds(33), clock: .suspending)
    }
  }
  let client = try await Client(key: .loadOrGenerate("keys/me.pem"), joining: server, name: "Ada")
  try await fly(client)
  hosting.cancel()
  await server.close()
}

/// The listings do what the text says of them.
@Suite struct ChatListingTests {
  private func texts(_ client: SimulatedClient) -> [String] {
    client.takeEvents().compactMap { if case .message(let message) = $0 { message.text } else { nil } }
  }

  @Test func rooms() throws {
    let simulation = Simulation(seed: 12, name: "The Attic")
    var rooms = Rooms()
    simulation.every(.milliseconds(20)) { simulation in
      for event in simulation.server.takeEvents() { rooms.handle(event, simulation.server) }
    }
    let ada = simulation.addClient(name: "Ada")
    simulation.run(for: .seconds(1))
    let ben = simulation.addClient(name: "Ben")
    simulation.run(for: .seconds(1))
    #expect(ada.serverName == "The Attic" && simulation.server.name(of: ben.id) == "Ben")
    #expect(texts(ada) == ["You are in the lobby", "Ben comes in"])
    #expect(texts(ben) == ["You are in the lobby"])

    try ada.send("hello")
    try ada.send("kitchen", as: "enter")
    try ada.send("anybody here?")
    simulation.run(for: .seconds(1))
    #expect(texts(ada) == ["Ada: hello", "You are in the kitchen", "Ada: anybody here?"])
    #expect(texts(ben) == ["Ada: hello"])

    try whisper("psst", to: "Ben", ada)
    simulation.run(for: .seconds(1))
    #expect(texts(ben) == ["Ada whispers: psst"] && texts(ada) == [])

    try ada.send("kitchen", as: "enter")
    try ben.send("kitchen", as: "enter")
    try ben.send("no dictionary", as: "whisper")
    simulation.run(for: .seconds(1))
    #expect(ben.state == .disconnected(.kicked("your program whispers strange things")))
    #expect(texts(ada).last == "Ben has left (kicked: your program whispers strange things)")
    #expect(simulation.violations.isEmpty)
  }

  @Test func prices() throws {
    #expect(price(of: try Message(Order(item: "rope", count: 3))) == 15)
    #expect(price(of: try Message(Order(item: "rope", count: 1000))) == 0)
    #expect(price(of: Message("rope")) == 0)
    #expect(price(of: try Message(Order(item: String(repeating: "rope", count: 1000)))) == 0)
  }
}
