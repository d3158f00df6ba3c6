import Roamkey
import RoamkeySimulator
import Testing

@testable import RoamkeyState

/// A server that publishes and players that read, on the simulated network: what every player shows is what the server
/// published.
final class StateGame<State: Codable & Equatable> {
  let simulation: Simulation
  var publisher: StatePublisher<State>
  var subscribers: [StateSubscriber<State>] = []
  var clients: [SimulatedClient] = []
  /// What was published, by frame.
  var published: [UInt64: State] = [:]
  var frame: UInt64 = 0
  private(set) var shown = 0
  private(set) var wrong = 0
  private(set) var failures: [PlayerID: SendError] = [:]
  /// The bytes of the same states as values, `latest`: what a game without this module sends.
  private(set) var valueBytes = 0

  init(seed: UInt64, expires: Duration? = .seconds(1)) {
    simulation = Simulation(seed: seed)
    publisher = StatePublisher(expires: expires)
  }

  func addClient(_ network: NetworkConditions) {
    clients.append(simulation.addClient(network: network))
    subscribers.append(StateSubscriber())
  }

  func publish(_ state: State) {
    let server = simulation.server
    _ = publisher.take(server.takeEvents())
    publisher.take(server.takeReceipts())
    frame += 1
    published[frame] = state
    failures = publisher.publish(state, to: server)
    server.flush()
  }

  /// All players read, and each new state is compared.
  func read() {
    for index in clients.indices {
      let before = subscribers[index].statistics.states
      for event in clients[index].takeEvents() {
        guard case .message(let message) = event, subscribers[index].take(message) else { continue }
        compare(index)
      }
      if let request = subscribers[index].takeRequest() {
        try? clients[index].send(request, options: subscribers[index].requestOptions)
      }
      shown += Int(subscribers[index].statistics.states - before)
    }
  }

  private func compare(_ index: Int) {
    guard subscribers[index].lastError == nil, let frame = subscribers[index].newestFrame else { return }
    if subscribers[index].newest != published[frame] { wrong += 1 }
  }

  /// Lets time pass: so many ticks, in each of which a state is published and all is read.
  func run(ticks: Int, every tick: Duration = .milliseconds(50), _ next: () -> State) {
    for _ in 0..<ticks {
      publish(next())
      for _ in 0..<5 {
        simulation.run(for: tick / 5)
        read()
      }
    }
  }
}

@Suite struct StateDeliveryTests {
  /// The promise that the module is for: 200 movers at 20 Hz, 50 players over 5 % loss.
  @Test func movingThingsCostAFractionOfTheirStates() throws {
    var random = SeededRandom(seed: 11)
    var world = MoverWorld(200, &random)
    let game = StateGame<MoverWorld>(seed: 11)
    for _ in 0..<50 { game.addClient(NetworkConditions(loss: 0.05, delay: .milliseconds(40))) }
    game.simulation.run(for: .seconds(2))
    game.read()
    let ticks = 60
    var valueBytes = 0
    game.run(ticks: ticks) {
      world.step(&random)
      valueBytes += (try? Message(world, as: "state").body.count) ?? 0
      return world
    }
    let statistics = game.publisher.statistics
    #expect(game.wrong == 0 && game.failures.isEmpty && game.simulation.violations.isEmpty)
    // Nearly all that was sent and not lost was read.
    #expect(game.shown > ticks * 50 * 85 / 100)
    #expect(game.subscribers.allSatisfy { $0.statistics.unreadable == 0 && $0.statistics.requests == 0 })
    let share = Double(statistics.bytes) / Double(valueBytes * 50)
    print("share", share, statistics)
    #expect(share < 0.15, "\(share)")
    // A handful of differences for fifty players.
    #expect(statistics.encodings < statistics.messages / 4, "\(statistics)")
    #expect(statistics.encodings + statistics.sharedUses == statistics.messages)
  }
}
