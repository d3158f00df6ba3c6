import Roamkey
import RoamkeySimulator
import Testing

// The listings of docs/GUIDE.md ("The loop", "One thread", "Your netcode on the simulated network" and others) that are
// run here, as they are printed there.

/// Where a ship is, in 8 bytes.
struct Ship: Equatable {
  var x: Int32 = 0
  var y: Int32 = 0

  init() {}

  /// Nil for bytes that are no ship: a peer is known, not trusted.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == 8 else { return nil }
    x = Int32(bitPattern: bytes[..<4].reduce(0) { $0 << 8 | UInt32($1) })
    y = Int32(bitPattern: bytes[4...].reduce(0) { $0 << 8 | UInt32($1) })
  }

  var bytes: [UInt8] {
    [x, y].flatMap { value in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
  }
}

struct Sector {
  var ships: [PlayerID: Ship] = [:]
  var scores: [PlayerID: Int] = [:]

  mutating func tick(_ server: some GameServer, now: SuspendingClock.Instant) {
    for event in server.takeEvents() {
      switch event {
      case .joined(let player):
        ships[player] = Ship()
        server.send("sector 7", as: "map", to: player, priority: .low)
      case .message(let message, let player): receive(message, from: player, server)
      case .left(let player, _): ships[player] = nil
      case .roamed, .offline, .online: break  // the session goes on, and so does the game
      }
    }
    let world = server.players.compactMap { ships[$0] }.flatMap(\.bytes)
    server.broadcast(world, as: "world", delivery: .latest, priority: .high)
    server.flush()
  }

  private mutating func receive(_ message: Message, from player: PlayerID, _ server: some GameServer) {
    switch message.action {
    case "chat": server.broadcast(message, from: player)
    case "move": ships[player] = Ship(message.body) ?? ships[player]
    default: break
    }
  }
}

struct Talk {
  var isWaiting = false
  var name = "Ada"

  mutating func tick(_ client: some GameClient) throws(SendError) {
    for event in client.takeEvents() {
      switch event {
      case .message(let message): print(message.shownText)
      case .offline: isWaiting = true  // "looking for the server ..."
      case .online: isWaiting = false
      case .reconnected(let undelivered):
        try client.send(name, as: "name")  // the new server has not heard it
        for lost in undelivered { try client.send(lost) }
      case .roamed, .serverRoamed: break
      case .disconnected(let reason): print("the end: \(reason)")
      }
    }
  }
}

/// A player who flies straight on, and looks at the world.
struct Pilot {
  var ship = Ship()
  /// When the world that is on the screen was sent, and how many frames showed one older than 300 ms.
  var shown: SuspendingClock.Instant?
  var frames = 0
  var staleFrames = 0

  mutating func tick(_ client: some GameClient, now: SuspendingClock.Instant) {
    for case .message(let message) in client.takeEvents() where message.action == "world" {
      shown = now - message.age(at: now)
    }
    if let shown {
      frames += 1
      if now - shown > .milliseconds(300) { staleFrames += 1 }
    }
    ship.x += 1
    // Not yet connected, or too much said: the next frame says where the ship is then.
    try? client.send(ship.bytes, as: "move", delivery: .latest, priority: .high)
    client.flush()
  }
}

@Test(arguments: [1, 2, 3] as [UInt64])
func pilotsOnTheTrain(seed: UInt64) {
  var configuration = RoamkeyConfiguration()
  configuration.flushPolicy = .manual
  let simulation = Simulation(seed: seed, configuration: configuration)
  let frame = Duration.milliseconds(33)

  var sector = Sector()
  simulation.every(frame) { sector.tick($0.server, now: $0.time) }

  var pilots: [PlayerID: Pilot] = [:]
  for _ in 0..<4 {
    let client = simulation.addClient(network: .mobile)
    simulation.every(frame, on: client) { _ in pilots[client.id, default: Pilot()].tick(client, now: client.time) }
  }

  // From cell to cell: another address every five seconds.
  for second in stride(from: 5, to: 30, by: 5) {
    simulation.after(.seconds(second)) { simulation in simulation.clients.forEach { simulation.move($0) } }
  }
  simulation.run(for: .seconds(30))

  #expect(simulation.violations.isEmpty, "seed \(seed)")
  for (player, pilot) in pilots {
    // Most of the time the screen is fresh, and nobody's ship is lost.
    #expect(pilot.frames > 850 && pilot.staleFrames * 20 < pilot.frames, "seed \(seed)")
    let behind = pilot.ship.x - (sector.ships[player]?.x ?? 0)
    #expect((0..<15).contains(behind), "seed \(seed)")
  }
}

@Test func aTalkGoesOnWhenTheServerIsStartedAnew() throws {
  let simulation = Simulation(seed: 4)
  let client = simulation.addClient()
  var talk = Talk()
  var heard: [String] = []
  simulation.every(.milliseconds(33), on: client) { _ in try? talk.tick(client) }
  simulation.every(.milliseconds(33)) { simulation in
    for case .message(let message, _) in simulation.server.takeEvents() { heard.append(message.text ?? "") }
  }
  simulation.run(for: .seconds(1))
  simulation.restartServer(after: .seconds(30))
  simulation.after(.seconds(1)) { _ in try? client.send("are you there?") }
  simulation.run(for: .seconds(28))
  #expect(talk.isWaiting && heard.isEmpty)
  simulation.run(for: .seconds(10))
  #expect(!talk.isWaiting && heard == ["Ada", "are you there?"])
}

func fly(_ client: Client) async throws {
  var pilot = Pilot()
  while !Task.isCancelled {
    pilot.tick(client, now: .now)
    try await Task.sleep(for: .milliseconds(33), clock: .suspending)
  }
}

/// Answers on the only thread there is. Not async: it has the thread for itself.
func answer(_ server: Server, until isOver: () -> Bool) {
  while !isOver() {
    // Sends what waits, and returns with the first events, or after 16 ms.
    for event in server.poll(for: .milliseconds(16)) {
      if case .message(let message, let player) = event { server.send(message, to: player) }
    }
  }
}

func host() async throws {
  let server = try await Server(key: .load("keys/server.pem"), application: "ships/1", loop: .polled)
  answer(server) { false }
  await server.close()
}
