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
  /// What was published, by frame: several where a server has begun anew.
  var published: [UInt64: [State]] = [:]
  var frame: UInt64 = 0
  private(set) var shown = 0
  /// What is no state.
  private(set) var others: [Client.Event] = []
  private(set) var wrong = 0
  private(set) var failures: [PlayerID: SendError] = [:]
  /// Each player's own state, if it has one.
  var view: ((PlayerID, State) -> State?)?

  init(seed: UInt64, expires: Duration? = .seconds(1)) {
    simulation = Simulation(seed: seed)
    publisher = StatePublisher(expires: expires)
  }

  func addClient(_ network: NetworkConditions, _ configuration: RoamkeyConfiguration? = nil) {
    clients.append(simulation.addClient(network: network, configuration: configuration))
    subscribers.append(StateSubscriber())
  }

  func publish(_ state: State) {
    let server = simulation.server
    _ = publisher.take(server.takeEvents())
    publisher.take(server.takeReceipts())
    frame += 1
    published[frame, default: []].append(state)
    if let view {
      failures = publisher.publish(to: server) { view($0, state) }
    } else {
      failures = publisher.publish(state, to: server)
    }
    server.flush()
  }

  /// All players read, and each new state is compared.
  func read() {
    for index in clients.indices {
      let before = subscribers[index].statistics.states
      // One by one, so that each state is looked at.
      for event in clients[index].takeEvents() {
        others += subscribers[index].take([event], from: clients[index])
        if case .message = event { compare(index) }
      }
      shown += Int(subscribers[index].statistics.states - before)
    }
  }

  private func compare(_ index: Int) {
    guard subscribers[index].lastError == nil, let frame = subscribers[index].newestFrame else { return }
    let isRight = published[frame]?.contains { published in
      let state = view.map { $0(clients[index].id, published) } ?? published
      return subscribers[index].newest == state
    }
    if isRight != true { wrong += 1 }
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
    let ticks = 24
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
    #expect(share < 0.05, "\(share)")
    // A handful of differences for fifty players.
    #expect(statistics.encodings < statistics.messages / 4, "\(statistics)")
    #expect(statistics.encodings + statistics.sharedUses == statistics.messages)
  }

  private func small(_ seed: UInt64, players: Int = 3, loss: Double = 0.1) -> (StateGame<MoverWorld>, () -> MoverWorld)
  {
    var random = SeededRandom(seed: seed)
    var world = MoverWorld(10, &random)
    let game = StateGame<MoverWorld>(seed: seed)
    for _ in 0..<players {
      game.addClient(NetworkConditions(loss: loss, delay: .milliseconds(40), jitter: .milliseconds(30)))
    }
    game.simulation.run(for: .seconds(2))
    game.read()
    return (
      game,
      {
        world.step(&random)
        return world
      }
    )
  }

  private func expectHealthy(_ game: StateGame<MoverWorld>, _ seed: UInt64) {
    #expect(game.wrong == 0 && game.simulation.violations.isEmpty, "seed \(seed)")
    for subscriber in game.subscribers {
      // A player's newest state is at most half a second old, for all that was lost.
      #expect((subscriber.newestFrame ?? 0) + 10 >= game.frame && subscriber.lastError == nil, "seed \(seed)")
    }
  }

  @Test(arguments: 1...3) func aServerThatBeginsAnewGoesOn(seed: UInt64) {
    let (game, next) = small(seed)
    game.run(ticks: 30, next)
    game.simulation.restartServer(after: .seconds(1))
    game.publisher = StatePublisher()
    game.frame = 0
    game.run(ticks: 150, next)
    expectHealthy(game, seed)
    // And once more with the publisher of before, which takes the new server's players for those of the old one.
    game.simulation.restartServer(after: .seconds(1))
    game.run(ticks: 150, next)
    expectHealthy(game, seed)
  }

  @Test(arguments: 1...3) func aPlayerThatLeavesAndReturnsIsToldEverything(seed: UInt64) throws {
    let (game, next) = small(seed)
    game.run(ticks: 30, next)
    let client = game.clients[0]
    let session = try #require(game.simulation.server.sessionNumber(of: client.id))
    game.simulation.restart(client)
    game.subscribers[0] = StateSubscriber()
    game.simulation.run(for: .milliseconds(700))
    game.run(ticks: 40, next)
    let another = try #require(game.simulation.server.sessionNumber(of: client.id))
    #expect(another != session)
    #expect(game.simulation.server.sessionNumber(of: game.simulation.server.id) == nil)
    expectHealthy(game, seed)
  }

  @Test(arguments: 1...2) func aMinuteWithoutANetworkPilesNothingUp(seed: UInt64) {
    let (game, next) = small(seed)
    game.run(ticks: 30, next)
    let client = game.clients[0]
    game.simulation.cut([client], for: .seconds(60))
    game.run(ticks: 600, every: .milliseconds(100), next)
    // One message waits, and what is said of moving and clocks.
    #expect(game.simulation.server.queuedBytes(of: client.id) < 2000)
    game.simulation.heal()
    game.run(ticks: 60, every: .milliseconds(100), next)
    expectHealthy(game, seed)
  }

  @Test func aPlayerThatReadsTooSeldomAsksForAWholeState() {
    let (game, next) = small(4, players: 0)
    var configuration = RoamkeyConfiguration()
    configuration.unreadUnreliableLimit = 8 << 10
    game.addClient(NetworkConditions(delay: .milliseconds(40)), configuration)
    game.simulation.run(for: .seconds(2))
    game.run(ticks: 10, next)
    let taken = game.subscribers[0].statistics.states
    // Its app stands still; in its list of events the oldest make room.
    for _ in 0..<300 {
      game.publish(next())
      game.simulation.run(for: .milliseconds(50))
    }
    #expect(game.clients[0].unreadDropped > 0)
    game.run(ticks: 60, next)
    let requests = game.subscribers[0].statistics.requests
    #expect((1...4).contains(requests) && game.publisher.statistics.requests == requests)
    #expect(game.subscribers[0].statistics.states > taken + 40)
    expectHealthy(game, 4)
  }

  @Test(arguments: 1...2) func everybodySeesTheirOwn(seed: UInt64) {
    let (game, next) = small(seed, players: 6)
    game.view = { player, world in
      var view = world
      view.movers.removeAll { $0.id % 3 == Int(player.publicKey.bytes.first ?? 0) % 3 }
      return view
    }
    game.run(ticks: 60, next)
    expectHealthy(game, seed)
    #expect(game.publisher.statistics.sharedUses > 0)
  }

  @Test func aClientMayPublishToo() throws {
    let (game, next) = small(6, players: 1)
    let (client, server) = (game.clients[0], game.simulation.server)
    var mine = StatePublisher<MoverWorld>(as: "me")
    var seen = StateSubscriber<MoverWorld>(as: "me")
    var published: [MoverWorld] = []
    var (wrong, right) = (0, 0)
    for tick in 0..<160 {
      // Another server, which knows of nothing, and asks.
      if tick == 60 {
        game.simulation.restartServer()
        seen = StateSubscriber(as: "me")
      }
      published.append(next())
      mine.take(client.takeReceipts())
      mine.take(client.takeEvents(), from: client)
      mine.publish(published[tick], to: client)
      client.flush()
      game.simulation.run(for: .milliseconds(50))
      for case .message(let message, let player) in server.takeEvents() {
        let isTaken = seen.take(message, from: player, of: server)
        #expect(isTaken)
        let isRight = seen.lastError == nil && seen.newest == published[Int(seen.newestFrame ?? 1) - 1]
        if isRight { right += 1 } else { wrong += 1 }
      }
    }
    #expect(right > 110 && wrong == Int(seen.statistics.unreadable) && wrong < 20, "\(right) right, \(wrong) not")
    #expect(mine.statistics.fullStates < 40 && seen.lastError == nil)
  }
}
