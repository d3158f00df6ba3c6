internal import Roamkey
internal import RoamkeySimulator
internal import RoamkeyState

/// 200 movers at 20 Hz over 5 % loss and 40 ms each way, in virtual time: what each player costs.
struct StateOverNetwork {
  /// What one way to tell states costs a player, each second.
  private struct Run {
    var name: String
    /// Bytes of published states.
    var body: Double
    /// Bytes of datagrams.
    var down: Double
    var datagrams: Double
    var up: Double
    /// How many states a player got.
    var states: Double
  }

  private struct Wire {
    var down: Double
    var datagrams: Double
    var up: Double
  }

  private let players: Int
  private let seconds: Int
  private let seed: UInt64
  private var runs: [Run] = []
  private var publisher = StatePublisher<Movers>()
  /// States that players got, of all runs: each of them was compared.
  private var compared = 0
  /// Those that are not what was published, and messages that could not be read.
  private(set) var wrong = 0

  init(players: Int, seconds: Int, seed: UInt64) throws {
    self.players = players
    self.seconds = seconds
    self.seed = seed
    runOurs()
    try runWhole("whole states, CBOR") { try CBOR.encode($0) }
    let loopback = StateLoopback(lag: 1)
    try runWhole("whole states, ours") { loopback.whole($0)?.body ?? [] }
    // Of zstd's levels and layouts the one that makes these states smallest.
    let zstd = ZstdCodec(level: 19)
    try runWhole("whole states, zstd -19, columns") { zstd?.compress($0.columns, prefix: nil) ?? [] }
  }

  private func simulation() -> Simulation {
    let simulation = Simulation(seed: seed)
    for _ in 0..<players { simulation.addClient(network: NetworkConditions(loss: 0.05, delay: .milliseconds(40))) }
    simulation.run(for: .seconds(2))
    _ = simulation.server.takeEvents()
    return simulation
  }

  /// Bytes of datagrams that clients were sent, and that they sent, lost ones included.
  private func wire(_ simulation: Simulation) -> Wire {
    let down = simulation.server.upstream
    let up = simulation.clients.reduce(0) { $0 + $1.upstream.bytesCarried }
    return Wire(down: Double(down.bytesCarried), datagrams: Double(down.carried), up: Double(up) / 0.95)
  }

  private mutating func add(
    _ name: String, body: Int, states: Int, before: Wire, after: Wire
  ) {
    let share = Double(players * seconds)
    compared += states
    runs.append(
      Run(
        name: name, body: Double(body) / share, down: (after.down - before.down) / share,
        datagrams: (after.datagrams - before.datagrams) / share,
        up: (after.up - before.up) / share, states: Double(states) / share))
  }

  private mutating func runOurs() {
    let simulation = simulation()
    var random = SeededRandom(seed: seed)
    var world = Movers(&random)
    var subscribers = simulation.clients.map { _ in StateSubscriber<Movers>() }
    var got = 0
    var published: [UInt64: Movers] = [:]
    let before = wire(simulation)
    for tick in 1...UInt64(seconds * 20) {
      world.step(&random)
      _ = publisher.take(simulation.server.takeEvents())
      publisher.take(simulation.server.takeReceipts())
      published[tick] = world
      publisher.publish(world, to: simulation.server)
      simulation.server.flush()
      for _ in 0..<5 {
        simulation.run(for: .milliseconds(10))
        for index in subscribers.indices {
          // One by one: of several that come at once each is compared.
          for event in simulation.clients[index].takeEvents() {
            let known = subscribers[index].statistics.states
            _ = subscribers[index].take([event], from: simulation.clients[index])
            guard case .message = event else { continue }
            let isRead = subscribers[index].statistics.states == known + 1 && subscribers[index].lastError == nil
            if isRead { got += 1 }
            let frame = subscribers[index].newestFrame ?? 0
            if !isRead || subscribers[index].newest != published[frame] { wrong += 1 }
          }
        }
      }
    }
    add(
      "ours", body: Int(publisher.statistics.bytes), states: got, before: before, after: wire(simulation))
  }

  /// Each state by itself, the newest only.
  private mutating func runWhole(_ name: String, _ encoded: (Movers) throws -> [UInt8]) throws {
    let simulation = simulation()
    var random = SeededRandom(seed: seed)
    var world = Movers(&random)
    let before = wire(simulation)
    var (bytes, got) = (0, 0)
    var published: Set<[UInt8]> = []
    for _ in 0..<seconds * 20 {
      world.step(&random)
      _ = simulation.server.takeEvents()
      let body = try encoded(world)
      if body.isEmpty { wrong += 1 }
      published.insert(body)
      simulation.server.broadcast(Message(body, as: "state"), delivery: .latest, priority: .high)
      bytes += body.count * players
      simulation.server.flush()
      for _ in 0..<5 {
        simulation.run(for: .milliseconds(10))
        for client in simulation.clients {
          for case .message(let message) in client.takeEvents() {
            got += 1
            if !published.contains(message.body) { wrong += 1 }
          }
        }
      }
    }
    add(name, body: bytes, states: got, before: before, after: wire(simulation))
  }

  var text: String {
    let head = [
      "200 movers, 20 Hz, \(players) players, 5 % loss", "published B/s", "down B/s", "datagrams/s", "up B/s",
      "states/s",
      "down B/state", "up B/state",
    ]
    func row(_ run: Run) -> [String] {
      [run.name]
        + [run.body, run.down, run.datagrams, run.up].map { Text.number($0, decimals: 0) }
        + [Text.number(run.states, decimals: 1)]
        + [run.down / run.states, run.up / run.states].map { Text.number($0, decimals: 0) }
    }
    func share(_ ours: Run, of other: Run) -> [String] {
      let parts = [
        ours.body / other.body, ours.down / other.down, ours.datagrams / other.datagrams, ours.up / other.up,
        ours.states / other.states,
        ours.down / ours.states / other.down * other.states, ours.up / ours.states / other.up * other.states,
      ]
      return ["ours, of " + other.name] + parts.map { Text.number($0 * 100, decimals: 1) + " %" }
    }
    let table = Text.table(
      [head] + runs.map(row) + runs.prefix(1).flatMap { ours in runs.dropFirst().map { share(ours, of: $0) } })
    let statistics = publisher.statistics
    return """
      \(table)
      \(statistics.encodings) encodings for \(statistics.messages) messages (\(statistics.frames) states), \
      \(statistics.fullStates) whole ones; all \(compared) states that players got in \
      \(runs.count) runs were compared, \(wrong) wrong
      """
  }
}
