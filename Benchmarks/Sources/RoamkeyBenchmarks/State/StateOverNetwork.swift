internal import Roamkey
internal import RoamkeySimulator
internal import RoamkeyState

/// 200 movers at 20 Hz over 5 % loss and 40 ms each way, in virtual time: what each player costs.
struct StateOverNetwork {
  private struct Figures {
    var body = 0.0
    var down = 0.0
    var up = 0.0
    /// How many states a player got in a second.
    var states = 0.0
  }

  private let players: Int
  private let seconds: Int
  private let seed: UInt64
  private var ours = Figures()
  private var plain = Figures()
  private var publisher = StatePublisher<Movers>()
  private var read = 0
  /// States that are not what was published.
  private(set) var wrong = 0

  init(players: Int, seconds: Int, seed: UInt64) {
    self.players = players
    self.seconds = seconds
    self.seed = seed
    runOurs()
    runPlain()
  }

  private func simulation() -> Simulation {
    let simulation = Simulation(seed: seed)
    for _ in 0..<players { simulation.addClient(network: NetworkConditions(loss: 0.05, delay: .milliseconds(40))) }
    simulation.run(for: .seconds(2))
    _ = simulation.server.takeEvents()
    return simulation
  }

  /// Bytes of datagrams that clients were sent, and that they sent, lost ones included.
  private func wire(_ simulation: Simulation) -> (down: Double, up: Double) {
    let down = simulation.server.upstream.bytesCarried
    let up = simulation.clients.reduce(0) { $0 + $1.upstream.bytesCarried }
    return (Double(down), Double(up) / 0.95)
  }

  private mutating func runOurs() {
    let simulation = simulation()
    var random = SeededRandom(seed: seed)
    var world = Movers(&random)
    var subscribers = simulation.clients.map { _ in StateSubscriber<Movers>() }
    var seen = simulation.clients.map { _ in UInt64(0) }
    var got = 0.0
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
          let events = simulation.clients[index].takeEvents()
          guard !events.isEmpty else { continue }
          _ = subscribers[index].take(events, from: simulation.clients[index])
          read += 1
          let states = subscribers[index].statistics.states
          got += Double(states - seen[index])
          seen[index] = states
          let frame = subscribers[index].newestFrame ?? 0
          if subscribers[index].lastError != nil || subscribers[index].newest != published[frame] { wrong += 1 }
        }
      }
    }
    let after = wire(simulation)
    let share = Double(players * seconds)
    ours = Figures(
      body: Double(publisher.statistics.bytes) / share, down: (after.down - before.down) / share,
      up: (after.up - before.up) / share, states: got / share)
  }

  private mutating func runPlain() {
    let simulation = simulation()
    var random = SeededRandom(seed: seed)
    var world = Movers(&random)
    let before = wire(simulation)
    var (bytes, got) = (0, 0.0)
    for _ in 0..<seconds * 20 {
      world.step(&random)
      _ = simulation.server.takeEvents()
      if let message = try? Message(world, as: "state") {
        simulation.server.broadcast(message, delivery: .latest, priority: .high)
        bytes += message.body.count * players
      }
      simulation.server.flush()
      simulation.run(for: .milliseconds(50))
      for client in simulation.clients {
        for event in client.takeEvents() { if case .message = event { got += 1 } }
      }
    }
    let after = wire(simulation)
    let share = Double(players * seconds)
    plain = Figures(
      body: Double(bytes) / share, down: (after.down - before.down) / share, up: (after.up - before.up) / share,
      states: got / share)
  }

  var text: String {
    func row(_ name: String, _ figures: Figures) -> [String] {
      [name]
        + [figures.body, figures.down, figures.up, figures.states, figures.down / figures.states].map {
          Text.number($0, decimals: 0)
        }
    }
    let table = Text.table([
      [
        "200 movers, 20 Hz, \(players) players, 5 % loss", "published B/s", "down B/s", "up B/s", "states/s",
        "down B/state",
      ],
      row("ours", ours), row("whole states, CBOR", plain),
      ["share"]
        + [
          ours.body / plain.body, ours.down / plain.down, ours.up / plain.up, ours.states / plain.states,
          ours.down / ours.states / plain.down * plain.states,
        ].map { Text.number($0 * 100, decimals: 1) + " %" },
    ])
    let statistics = publisher.statistics
    return """
      \(table)
      \(statistics.encodings) encodings for \(statistics.messages) messages (\(statistics.frames) states), \
      \(statistics.fullStates) whole ones; \(read) states read, \(wrong) wrong
      """
  }
}
