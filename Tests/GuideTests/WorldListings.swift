import Roamkey
import RoamkeySimulator
import RoamkeyState
import Testing

// The listings of docs/GUIDE.md ("A shared world" and those after it) that are run here, as they are printed there.

/// A boat on the lake. Whole numbers cost the fewest bytes, and are the same on every machine.
struct Boat: Codable, Hashable, Identifiable, Sendable {
  var id: Int
  /// Centimetres, and centimetres a tick.
  var x = 0
  var y = 0
  var vx = 0
  var vy = 0
}

/// What a player sees of the lake.
struct Lake: Codable, Hashable, Sendable {
  var boats: [Boat] = []
}

struct LakeServer {
  var lake = Lake()
  private var world = StatePublisher<Lake>()

  mutating func tick(_ server: some GameServer) {
    // Both give back what is none of theirs.
    for event in world.take(server.takeEvents()) { follow(event) }
    world.take(server.takeReceipts())
    for index in lake.boats.indices { lake.boats[index].drift() }
    world.publish(lake, to: server)
    server.flush()
  }
}

struct LakeGuest {
  var world = StateSubscriber<Lake>()

  /// One frame: what to draw, once there is something.
  mutating func tick(_ client: some GameClient, now: SuspendingClock.Instant) -> Lake? {
    for event in world.take(client.takeEvents(), from: client) {
      if case .disconnected(let reason) = event { print("the end: \(reason)") }
    }
    return world.blended(at: now)
  }
}

extension Boat: Interpolatable {
  func blended(with later: Boat, at fraction: Double) -> Boat {
    var boat = self
    boat.x = Int(Double(x).blended(with: Double(later.x), at: fraction))
    boat.y = Int(Double(y).blended(with: Double(later.y), at: fraction))
    return boat
  }
}

extension Lake: Interpolatable {
  func blended(with later: Lake, at fraction: Double) -> Lake {
    Lake(boats: boats.blended(with: later.boats, at: fraction))
  }
}

extension Lake {
  /// The boats within 50 m of one, and that one.
  func seen(from boat: Boat) -> Lake {
    Lake(boats: boats.filter { abs($0.x - boat.x) + abs($0.y - boat.y) < 5000 })
  }
}

struct FoggyLake {
  var lake = Lake()
  var boatOf: [PlayerID: Boat] = [:]
  private var world = StatePublisher<Lake>()

  mutating func tell(_ server: some GameServer) {
    world.publish(to: server) { player in boatOf[player].map(lake.seen) }
  }
}

/// One stroke of the oars: a push, in centimetres a tick.
struct Stroke: Codable, Hashable, Sendable {
  var x: Int
  var y: Int
}

extension Boat {
  /// What a stroke does. Both sides call it, so both get the same boat.
  mutating func row(_ stroke: Stroke) {
    vx = max(-200, min(200, vx * 7 / 8 + stroke.x))
    vy = max(-200, min(200, vy * 7 / 8 + stroke.y))
    x += vx
    y += vy
  }
}

/// A stroke with its number.
struct Rowing: Codable {
  var number: UInt64
  var stroke: Stroke
}

/// What a rower is told: its boat, and the last of its strokes that is in it.
struct Seat: Codable, Hashable, Sendable {
  var boat: Boat
  var rowed: UInt64 = 0
}

struct Race {
  var seats: [PlayerID: Seat] = [:]
  private var world = StatePublisher<Seat>()

  mutating func tick(_ server: some GameServer) {
    for event in world.take(server.takeEvents()) {
      switch event {
      case .joined(let player): seats[player] = Seat(boat: Boat(id: seats.count))
      case .message(let message, let player):
        // A player is known, not trusted: a stroke has its limits, and its number is the next one.
        guard let rowing = try? message.decode(Rowing.self), let seat = seats[player],
          rowing.number == seat.rowed + 1, (-25...25).contains(rowing.stroke.x), (-25...25).contains(rowing.stroke.y)
        else { continue }
        seats[player]?.boat.row(rowing.stroke)
        seats[player]?.rowed = rowing.number
      case .left(let player, _): seats[player] = nil
      case .roamed, .offline, .online: break
      }
    }
    world.take(server.takeReceipts())
    world.publish(to: server) { player in seats[player] }
    server.flush()
  }
}

struct Rower {
  private var world = StateSubscriber<Seat>()
  private var boat: Prediction<Boat, Stroke>?

  /// Where the boat is on the player's screen: it obeys at once.
  var shown: Boat? { boat?.state }

  mutating func tick(_ client: some GameClient, stroke: Stroke) throws(SendError) {
    _ = world.take(client.takeEvents(), from: client)
    guard let seat = world.newest else { return }
    var boat = boat ?? Prediction(seat.boat) { $0.row($1) }
    boat.confirm(seat.boat, through: seat.rowed)
    let number = boat.predict(stroke)
    self.boat = boat
    try client.send(Rowing(number: number, stroke: stroke), as: "row", priority: .high)
    client.flush()
  }
}

@Test(arguments: [1, 2, 3] as [UInt64])
func rowersOnTheTrain(seed: UInt64) throws {
  let simulation = Simulation(seed: seed)
  let tick = Duration.milliseconds(50)
  var race = Race()
  simulation.every(tick) { race.tick($0.server) }

  let ada = simulation.addClient(network: .mobile)
  var rower = Rower()
  var strokes = 0
  simulation.every(tick, on: ada) { simulation in
    // Rows for twenty seconds, in all directions, and then looks where that has led.
    guard simulation.now < .seconds(20) else { return _ = try? rower.tick(ada, stroke: Stroke(x: 0, y: 0)) }
    let stroke = Stroke(x: .random(in: -25...25, using: &simulation.random), y: 25)
    if (try? rower.tick(ada, stroke: stroke)) != nil, rower.shown != nil { strokes += 1 }
  }
  simulation.after(.seconds(8)) { $0.move(ada) }
  simulation.run(for: .seconds(40))

  let seat = try #require(race.seats[ada.id])
  #expect(strokes > 300 && seat.boat.y > 10_000)
  // The boat lies still by now, and where the player saw it all the time.
  #expect(rower.shown == seat.boat)
  #expect(simulation.violations.isEmpty)
}

// MARK: What the listings leave out

extension Boat {
  /// Goes on as it went, within a lake of 200 m.
  mutating func drift() {
    x += vx
    y += vy
    if abs(x) > 10_000 { vx = -vx }
    if abs(y) > 10_000 { vy = -vy }
  }
}

extension LakeServer {
  mutating func follow(_ event: Server.Event) {
    guard case .joined = event else { return }
    let id = lake.boats.count
    lake.boats.append(Boat(id: id, x: 100 * id, y: 0, vx: 30 + id, vy: 20 - id))
  }
}

extension FoggyLake {
  init(_ boats: [PlayerID: Boat]) {
    boatOf = boats
    lake.boats = boats.values.sorted { $0.id < $1.id }
  }
}

/// Every state that a guest has is one that the server published, on a bad network and across a move.
@Test(arguments: [1, 2, 3] as [UInt64])
func whatGuestsHaveWasPublished(seed: UInt64) {
  let simulation = Simulation(seed: seed)
  let tick = Duration.milliseconds(50)
  var server = LakeServer()
  var published: Set<Lake> = []
  simulation.every(tick) {
    server.tick($0.server)
    published.insert(server.lake)
  }
  var guests: [PlayerID: LakeGuest] = [:]
  var pictures: [PlayerID: [Lake]] = [:]
  for _ in 0..<4 {
    let client = simulation.addClient(network: .mobile)
    simulation.every(.milliseconds(17), on: client) { _ in
      if let picture = guests[client.id, default: LakeGuest()].tick(client, now: client.time) {
        pictures[client.id, default: []].append(picture)
      }
      if let newest = guests[client.id]?.world.newest { #expect(published.contains(newest), "seed \(seed)") }
    }
    simulation.after(.seconds(5)) { $0.move(client) }
  }
  simulation.run(for: .seconds(15))
  for (player, seen) in pictures {
    // Smooth: of 17 ms nobody sees more than three ticks' worth of way.
    #expect(seen.count > 600, "seed \(seed), \(player)")
    var jumps = 0
    for (one, next) in zip(seen, seen.dropFirst()) {
      for (boat, later) in zip(one.boats, next.boats) where abs(later.x - boat.x) > 100 { jumps += 1 }
    }
    #expect(jumps <= 8, "seed \(seed), \(player): \(jumps) jumps")
  }
  #expect(pictures.count == 4 && simulation.violations.isEmpty)
}

@Test func nobodySeesThroughTheFog() {
  let simulation = Simulation(seed: 4)
  let (near, far) = (simulation.addClient(), simulation.addClient())
  simulation.run(for: .seconds(2))
  var fog = FoggyLake([near.id: Boat(id: 1), far.id: Boat(id: 2, x: 9000)])
  var guests = [near.id: LakeGuest(), far.id: LakeGuest()]
  for _ in 0..<40 {
    fog.tell(simulation.server)
    simulation.run(for: .milliseconds(50))
    for client in [near, far] { _ = guests[client.id]?.tick(client, now: client.time) }
  }
  #expect(guests[near.id]?.world.newest?.boats.map(\.id) == [1])
  #expect(guests[far.id]?.world.newest?.boats.map(\.id) == [2])
}
