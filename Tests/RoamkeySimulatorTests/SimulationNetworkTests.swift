import Roamkey
import RoamkeySimulator
import Testing

/// What the network does to a game, and to the machines that it runs on.
@Suite struct SimulationNetworkTests {
  /// Players who tell the server a number each 20 ms, and a server that passes everything on: on all that there is to
  /// go wrong.
  private func story(_ seed: UInt64) -> (fingerprint: UInt64, heard: [Int], violations: [String]) {
    let simulation = Simulation(seed: seed, network: .local)
    let router = simulation.addRouter(timeout: .seconds(2), isSymmetric: true)
    let clients = (0..<4).map { simulation.addClient(network: .mobile, behind: $0 < 2 ? router : nil) }
    var heard = [Int](repeating: 0, count: clients.count)
    simulation.every(.milliseconds(50)) { simulation in
      for case .message(let message, let player) in simulation.server.takeEvents() {
        simulation.server.broadcast(message, from: player, receipt: message.id)
      }
      _ = simulation.server.takeReceipts()
    }
    for (index, client) in clients.enumerated() {
      simulation.every(.milliseconds(20), on: client) { simulation in
        for case .message in client.takeEvents() { heard[index] += 1 }
        let isState = simulation.random.chance(0.5)
        try? client.send("\(simulation.now)", delivery: isState ? .latest : .reliableOrdered, channel: isState ? 1 : 0)
      }
    }
    simulation.after(.seconds(2)) { $0.move(clients[0]) }
    simulation.after(.seconds(3)) { $0.rebind(clients[1]) }
    simulation.after(.seconds(4)) { $0.suspend(clients[2], for: .seconds(1)) }
    simulation.after(.seconds(5)) { $0.cut([clients[3]], .inbound, for: .seconds(1)) }
    simulation.after(.seconds(6)) { $0.restart(clients[0], after: .milliseconds(500)) }
    simulation.after(.seconds(7)) { $0.setNetwork(.awful, of: clients[1]) }
    simulation.run(for: .seconds(12))
    return (simulation.fingerprint, heard, simulation.violations)
  }

  @Test(arguments: [1, 2] as [UInt64])
  func theSameSeedIsTheSameRun(seed: UInt64) {
    let (first, second) = (story(seed), story(seed))
    #expect(first.fingerprint == second.fingerprint && first.heard == second.heard, "seed \(seed)")
    #expect(first.violations.isEmpty && first.heard.allSatisfy { $0 > 500 }, "seed \(seed): \(first)")
    #expect(story(seed + 100).fingerprint != first.fingerprint)
  }

  /// The chances of the game are its own: to draw one changes nothing on the network.
  @Test func theGameDrawsFromItsOwnChances() {
    func run(draws: Bool) -> UInt64 {
      let (simulation, client) = SimulationTests.joined(seed: 3, network: .awful)
      simulation.every(.milliseconds(50)) { simulation in
        if draws { _ = simulation.random.next() }
        simulation.server.send("tick", to: client.id)
      }
      simulation.run(for: .seconds(3))
      return simulation.fingerprint
    }
    #expect(run(draws: false) == run(draws: true))
  }

  @Test func ticksComeOnTime() {
    let simulation = Simulation(seed: 4)
    var ticks: [Duration] = []
    var once: [Duration] = []
    simulation.every(.milliseconds(40)) { ticks.append($0.now) }
    simulation.after(.milliseconds(100)) { once.append($0.now) }
    let begin = simulation.time
    simulation.run(for: .milliseconds(130))
    #expect(ticks == [.milliseconds(40), .milliseconds(80), .milliseconds(120)] && once == [.milliseconds(100)])
    #expect(simulation.now == .milliseconds(130) && begin.duration(to: simulation.time) == .milliseconds(130))
    #expect(!simulation.run(until: { false }, within: .milliseconds(20)) && simulation.now == .milliseconds(150))
  }

  // MARK: Places

  /// A move is no event of the game but `roamed`, and nothing is lost.
  @Test func aMoveLosesNothing() throws {
    let (simulation, client) = SimulationTests.joined(seed: 5)
    for number in 0..<100 {
      try client.send("\(number)")
      if number % 25 == 10 { simulation.move(client, isNoticed: number % 50 == 10) }
      simulation.run(for: .milliseconds(50))
    }
    simulation.run(for: .seconds(5))
    var got: [String?] = []
    var moves = 0
    for event in simulation.server.takeEvents() {
      switch event {
      case .message(let message, client.id): got.append(message.text)
      case .roamed(client.id, _, _): moves += 1
      default: Issue.record("\(event)")
      }
    }
    #expect(got == (0..<100).map(String.init) && moves >= 1 && moves <= 4)
    #expect(client.isConnected && simulation.violations.isEmpty)
  }

  /// Behind a router that forgets after 10 s the session of a silent player is kept, and the server can still reach it;
  /// a router that is switched off and on costs a moment.
  @Test(arguments: [false, true])
  func behindARouter(isSymmetric: Bool) throws {
    let simulation = Simulation(seed: 6)
    let router = simulation.addRouter(timeout: .seconds(10), isSymmetric: isSymmetric)
    let client = simulation.addClient(behind: router)
    simulation.run(for: .seconds(45))
    #expect(client.isConnected && router.statistics.mapped == 1)
    router.restart()
    simulation.run(for: .seconds(10))
    #expect(router.statistics.mapped == 2)
    simulation.server.send("still there?", to: client.id)
    simulation.run(for: .seconds(2))
    #expect(client.takeEvents().contains { if case .message = $0 { true } else { false } })
    simulation.rebind(client)
    try client.send("yes")
    simulation.run(for: .seconds(5))
    #expect(router.statistics.mapped == 3 && client.queuedBytes == 0)
    simulation.move(client)
    try client.send("outside")
    simulation.run(for: .seconds(5))
    #expect(client.queuedBytes == 0 && simulation.violations.isEmpty)
  }

  // MARK: Silence

  /// One direction is enough to be offline: the other side is heard no more. It comes back, with what was queued.
  @Test(arguments: [CutDirection.both, .outbound, .inbound])
  func aCutIsNoEnd(direction: CutDirection) throws {
    let (simulation, client) = SimulationTests.joined(seed: 7)
    simulation.cut([client], direction)
    try client.send("through the cut")
    simulation.run(for: .seconds(60))
    #expect(client.isConnected)
    simulation.heal()
    simulation.run(for: .seconds(15))
    let events = simulation.server.takeEvents()
    let messages = events.filter { if case .message = $0 { true } else { false } }
    #expect(messages.count == 1 && client.queuedBytes == 0)
    if direction != .inbound { #expect(events.contains(.offline(client.id)) && events.contains(.online(client.id))) }
    if direction != .outbound { #expect(client.takeEvents().contains(.offline)) }
    #expect(simulation.violations.isEmpty)
  }

  /// A laptop that was closed for a minute: no ticks meanwhile, the session goes on.
  @Test(arguments: [false, true])
  func aClosedLaptop(stopsClock: Bool) throws {
    let (simulation, client) = SimulationTests.joined(seed: 8)
    var ticks = 0
    simulation.every(.seconds(1), on: client) { _ in ticks += 1 }
    simulation.run(for: .milliseconds(500))
    let begin = client.time
    simulation.suspend(client, for: .seconds(60), stopsClock: stopsClock)
    simulation.server.send("wake up", to: client.id)
    simulation.run(for: .seconds(30))
    #expect(!client.isRunning && client.takeEvents().isEmpty && ticks == 0)
    simulation.run(for: .seconds(40))
    #expect(client.isRunning && client.isConnected && ticks >= 9 && ticks <= 10)
    #expect(begin.duration(to: client.time) == .seconds(stopsClock ? 10 : 70))
    #expect(client.takeEvents().contains { if case .message = $0 { true } else { false } })
    #expect(simulation.violations.isEmpty)
  }

  // MARK: Restarts

  /// The new process of a player takes the place of the old one.
  @Test func aPlayerComesBack() throws {
    let (simulation, client) = SimulationTests.joined(seed: 9)
    try client.send("before")
    simulation.run(for: .seconds(1))
    simulation.server.send("for the old one", to: client.id)
    simulation.restart(client, after: .seconds(1))
    #expect(client.state == .connecting && !client.isRunning)
    simulation.run(for: .seconds(3))
    #expect(client.isConnected && simulation.server.players == [client.id] && client.takeEvents().isEmpty)
    let kinds = simulation.server.takeEvents().map { event in
      switch event {
      case .message: "message"
      case .joined: "joined"
      case .left(_, .replaced): "replaced"
      case .left, .roamed, .offline, .online: "other"
      }
    }
    #expect(kinds == ["message", "replaced", "joined"])
  }

  /// A server that begins anew knows nobody: its clients give up when their limit has passed, and may come again.
  @Test func aServerBeginsAnew() throws {
    var configuration = RoamkeyConfiguration()
    configuration.offlineLimit = .seconds(30)
    let (simulation, client) = SimulationTests.joined(seed: 10, configuration)
    try client.send("never read")
    simulation.run(for: .seconds(1))
    simulation.restartServer(after: .seconds(2), keepsInstance: false)
    #expect(!simulation.server.isRunning && simulation.server.players.isEmpty)
    simulation.run(for: .seconds(28))
    #expect(simulation.server.isRunning && client.isConnected && simulation.server.takeEvents().isEmpty)
    simulation.run(for: .seconds(60))
    #expect(client.state == .disconnected(.timedOut) && client.takeEvents() == [.offline, .disconnected(.timedOut)])
    simulation.restart(client)
    simulation.run(for: .seconds(1))
    #expect(client.isConnected && simulation.server.takeEvents() == [.joined(client.id)])
    #expect(simulation.violations.isEmpty)
  }

  /// Nobody answers: what `Client.init` would throw.
  @Test func nobodyAnswers() {
    let simulation = Simulation(seed: 11)
    let client = simulation.addClient()
    simulation.cut([client])
    simulation.run(for: .seconds(60))
    #expect(client.state == .failed(.noAnswer) && client.sessionStatistics == nil)
  }

  /// What a line counts is what it did.
  @Test func figures() {
    let (simulation, client) = SimulationTests.joined(seed: 12, network: NetworkConditions(loss: 0.2))
    simulation.every(.milliseconds(10)) { _ = $0.server.send("x", to: client.id, delivery: .unreliable) }
    simulation.run(for: .seconds(10))
    let down = client.downstream
    let share = Double(down.lost) / Double(down.offered)
    #expect(down.offered > 900 && share > 0.15 && share < 0.25 && down.bytesCarried > down.carried * 30)
    let messages = client.takeEvents().count
    #expect(messages > 700 && messages < 900)
  }
}
