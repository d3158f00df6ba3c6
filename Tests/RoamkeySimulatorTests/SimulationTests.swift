import Roamkey
import RoamkeySimulator
import Testing

/// A game's own code on the simulated network, through what is public alone.
@Suite struct SimulationTests {
  /// A simulation with one client that is in.
  static func joined(
    seed: UInt64, _ configuration: RoamkeyConfiguration = .init(), network: NetworkConditions = .broadband
  ) -> (Simulation, SimulatedClient) {
    let simulation = Simulation(seed: seed, configuration: configuration)
    let client = simulation.addClient(network: network)
    #expect(client.state == .connecting && simulation.server.players.isEmpty)
    #expect(simulation.run(until: { client.isConnected && !simulation.server.players.isEmpty }, within: .seconds(10)))
    #expect(simulation.server.takeEvents() == [.joined(client.id)])
    return (simulation, client)
  }

  private func texts(_ events: [Client.Event]) -> [String] {
    events.compactMap { if case .message(let message) = $0 { message.text } else { nil } }
  }

  private func texts(_ events: [Server.Event]) -> [String] {
    events.compactMap { if case .message(let message, _) = $0 { message.text } else { nil } }
  }

  // MARK: Names

  @Test func namesAreStillThereWhenTheServerHasBegunAnew() {
    let simulation = Simulation(seed: 5, name: "The Attic")
    let (ada, other) = (simulation.addClient(name: "Ada"), simulation.addClient())
    simulation.run(for: .seconds(2))
    #expect(simulation.server.name(of: ada.id) == "Ada" && ada.serverName == "The Attic")
    #expect(simulation.server.name(of: other.id) == other.id.shortFingerprint)
    simulation.restartServer()
    #expect(simulation.server.name(of: ada.id) == ada.id.shortFingerprint)
    try? ada.send("are you there?")
    let isBack = { ada.isConnected && simulation.server.players.contains(ada.id) }
    #expect(simulation.run(until: isBack, within: .seconds(30)))
    #expect(simulation.server.name(of: ada.id) == "Ada" && ada.serverName == "The Attic")
  }

  @Test func someAreToldAndOthersNot() {
    let simulation = Simulation(seed: 6)
    let clients = (0..<3).map { _ in simulation.addClient() }
    simulation.run(for: .seconds(2))
    let (ada, ben) = (clients[0].id, clients[1].id)
    #expect(simulation.server.send("both", to: [ada, ben, ada]).isEmpty)
    #expect(simulation.server.broadcast("not Ada", except: [ada]).isEmpty)
    simulation.run(for: .seconds(1))
    #expect(clients.map { texts($0.takeEvents()) } == [["both"], ["both", "not Ada"], ["not Ada"]])
  }

  // MARK: Messages

  @Test func aConversation() throws {
    let (simulation, client) = Self.joined(seed: 1)
    #expect(client.serverID == simulation.server.id && simulation.server.players == [client.id])
    try client.send("hello", as: "chat")
    #expect(client.queuedBytes > 0)
    simulation.run(for: .seconds(1))
    guard case .message(let message, client.id)? = simulation.server.takeEvents().first else {
      Issue.record("no message")
      return
    }
    #expect(message.text == "hello" && message.action == "chat" && message.author == client.id)
    // 20 to 24 ms on the way, and as much doubt as the clocks leave.
    let error = message.ageError ?? .zero
    #expect(message.ageOnArrival > .milliseconds(15) - error && message.ageOnArrival < .milliseconds(60) + error)
    let age = message.age(at: simulation.time)
    #expect(age > .milliseconds(900) && age < .milliseconds(1100))

    let other = simulation.addClient()
    simulation.run(for: .seconds(1))
    #expect(simulation.server.broadcast(message, from: client.id).isEmpty)
    simulation.run(for: .seconds(1))
    #expect(client.takeEvents().isEmpty)
    guard case .message(let passed)? = other.takeEvents().first else {
      Issue.record("not passed on")
      return
    }
    #expect(passed.author == client.id && passed.age(at: simulation.time) > .milliseconds(2900))
    #expect(client.queuedBytes == 0 && simulation.server.queuedBytes(of: other.id) == 0)
    #expect(client.sessionStatistics?.messagesSent == 1 && simulation.server.statistics(of: other.id) != nil)
    #expect(client.upstream.carried > 0 && client.downstream.bytesCarried > 0)
    #expect(simulation.violations.isEmpty)
  }

  /// Before it is connected, and when it is not any more, a client takes nothing.
  @Test func nothingIsTakenWithoutASession() {
    let simulation = Simulation(seed: 2)
    let client = simulation.addClient()
    #expect(throws: SendError.notConnected) { try client.send("too early") }
    simulation.run(for: .seconds(1))
    client.close()
    #expect(throws: SendError.notConnected) { try client.send("too late") }
    simulation.run(for: .seconds(5))
    #expect(client.state == .disconnected(.closed))
    #expect(client.takeEvents() == [.disconnected(.closed)])
    #expect(simulation.server.takeEvents() == [.joined(client.id), .left(client.id, .closed)])
    #expect(simulation.server.send("gone", to: client.id) == .notConnected)
  }

  @Test func closingDeliversWhatWasSaidLast() throws {
    let (simulation, client) = Self.joined(seed: 3, network: .awful)
    for number in 0..<50 { try client.send("\(number)") }
    client.close()
    simulation.run(for: .seconds(30))
    #expect(texts(simulation.server.takeEvents()) == (0..<50).map(String.init))
  }

  @Test func kickedWithWords() {
    let (simulation, client) = Self.joined(seed: 4)
    simulation.server.kick(client.id, reason: "no cheating")
    simulation.run(for: .seconds(1))
    #expect(client.state == .disconnected(.kicked("no cheating")))
    #expect(simulation.server.players.isEmpty)
  }

  // MARK: Delivery

  @Test func receiptsTell() throws {
    let (simulation, client) = Self.joined(seed: 5)
    try client.send("one", receipt: 1)
    simulation.server.send("two", to: client.id, receipt: 2)
    simulation.run(for: .seconds(1))
    #expect(client.takeReceipts() == [Receipt(number: 1, player: simulation.server.id, outcome: .delivered)])
    #expect(simulation.server.takeReceipts() == [Receipt(number: 2, player: client.id, outcome: .delivered)])
    #expect(client.takeReceipts().isEmpty && simulation.server.takeReceipts().isEmpty)
  }

  @Test func whatExpiresIsNotSentAnyMore() throws {
    let (simulation, client) = Self.joined(seed: 6)
    simulation.cut([client], for: .seconds(5))
    try client.send("fire", delivery: .reliableUnordered, expires: .milliseconds(200), receipt: 1)
    try client.send("score", delivery: .reliableUnordered, receipt: 2)
    simulation.run(for: .seconds(20))
    #expect(texts(simulation.server.takeEvents()) == ["score"])
    let outcomes = client.takeReceipts().map { [$0.number: $0.outcome] }
    #expect(outcomes == [[1: .expired], [2: .delivered]])
  }

  /// Of what waits behind a cut only the newest is told, and never an older one after a newer one.
  @Test(arguments: Array(0..<40) as [UInt64])
  func latestOnlyGoesForward(seed: UInt64) {
    let (simulation, client) = Self.joined(seed: seed, network: .awful)
    var sent = 0
    simulation.every(.milliseconds(20)) { simulation in
      sent += 1
      simulation.server.send("\(sent)", to: client.id, delivery: .latest)
    }
    simulation.after(.seconds(2)) { $0.cut([client], for: .seconds(2)) }
    simulation.run(for: .seconds(12))
    let got = texts(client.takeEvents()).compactMap { Int($0) }
    #expect(got.count > 50 && got.count < sent && got == got.sorted() && Set(got).count == got.count, "seed \(seed)")
    // Probes are two seconds apart after the cut, and one of three is lost with its answer on such a network: it may take
    // a few of them. From there on a second may be lost, hardly ever more.
    #expect((got.last ?? 0) > sent - 50, "seed \(seed)")
  }

  /// Under `manual` nothing leaves before `flush`.
  @Test func flushEndsAFrame() throws {
    var configuration = RoamkeyConfiguration()
    configuration.flushPolicy = .manual
    let (simulation, client) = Self.joined(seed: 10, configuration)
    try client.send("now")
    simulation.run(for: .seconds(1))
    #expect(simulation.server.takeEvents().isEmpty)
    client.flush()
    simulation.run(for: .seconds(1))
    #expect(texts(simulation.server.takeEvents()) == ["now"])
  }

  // MARK: Back pressure

  /// A game that does not take its events holds up reliable senders: the credit is used up, and then the queue.
  @Test func aSlowReaderHoldsTheSenderUp() {
    var configuration = RoamkeyConfiguration()
    // Credit is never less than the longest message.
    configuration.maximumMessageSize = 32 << 10
    configuration.receiveCredit = 64 << 10
    configuration.channelReceiveCredit = 64 << 10
    configuration.sendQueueLimit = 64 << 10
    let (simulation, client) = Self.joined(seed: 11, configuration, network: .local)
    var taken = 0
    var isRefused = false
    func fill() {
      for _ in 0..<50 {
        while !isRefused {
          do throws(SendError) {
            try client.send([UInt8](repeating: 1, count: 1000))
            taken += 1
          } catch { isRefused = true }
        }
        simulation.run(for: .milliseconds(100))
        isRefused = false
      }
    }
    fill()
    let held = taken
    #expect(held >= 100 && held <= 132)
    fill()
    #expect(taken == held, "nothing moves while nobody reads")
    var read = simulation.server.takeEvents().count
    #expect(read > 0 && read < held)
    simulation.run(for: .seconds(1))
    #expect(client.queuedBytes < 64 << 10)
    for _ in 0..<10 {
      read += simulation.server.takeEvents().count
      simulation.run(for: .seconds(1))
    }
    #expect(read == held && client.queuedBytes == 0 && simulation.violations.isEmpty)
  }

  /// Of what has no credit the newest are kept.
  @Test func unreadUnreliableMessagesMakeRoom() {
    var configuration = RoamkeyConfiguration()
    configuration.unreadUnreliableLimit = 16 << 10
    let (simulation, client) = Self.joined(seed: 12, configuration, network: .local)
    for number in 0..<100 {
      simulation.server.send("\(number) " + String(repeating: "x", count: 900), to: client.id, delivery: .unreliable)
      simulation.run(for: .milliseconds(20))
    }
    let got = texts(client.takeEvents())
    #expect(got.count > 5 && got.count < 17 && got.last?.hasPrefix("99 ") == true)
    #expect(client.unreadDropped == UInt64(100 - got.count))
  }
}
