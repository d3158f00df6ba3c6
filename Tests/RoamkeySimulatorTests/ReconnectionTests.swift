import Roamkey
import RoamkeySimulator
import Testing

/// A server that begins anew, as a game sees it.
@Suite struct ReconnectionTests {
  /// What the server's app was handed, run by run.
  private final class Journal {
    var texts: [[String]] = [[]]
    let server: SimulatedServer

    init(_ simulation: Simulation) { server = simulation.server }

    func take() {
      for case .message(let message, _) in server.takeEvents() { texts[texts.count - 1].append(message.text ?? "") }
    }

    /// What its app had taken by then, it has.
    func restart(_ simulation: Simulation, after downtime: Duration = .zero) {
      take()
      simulation.restartServer(after: downtime)
      texts.append([])
    }
  }

  /// What `reconnected` has handed back, of all that were told.
  private func handedBack(_ events: [Client.Event]) -> [[Undelivered]] {
    events.compactMap { if case .reconnected(let undelivered) = $0 { undelivered } else { nil } }
  }

  private func reconnect(_ simulation: Simulation, _ client: SimulatedClient) throws -> [Undelivered] {
    var events: [Client.Event] = []
    let isBack = simulation.run(
      until: {
        events += client.takeEvents()
        return !handedBack(events).isEmpty
      }, within: .seconds(60))
    #expect(isBack && client.isConnected)
    return try #require(handedBack(events).first)
  }

  // MARK: What is handed back

  @Test(arguments: [1, 2, 3] as [UInt64])
  func whatWasNotConfirmedIsHandedBackAsItWasMeant(seed: UInt64) throws {
    let (simulation, client) = SimulationTests.joined(seed: seed)
    let journal = Journal(simulation)
    try client.send("before")
    simulation.run(for: .seconds(1))
    simulation.cut([client])
    journal.restart(simulation, after: .milliseconds(500))
    for number in 0..<5 { try client.send("chat \(number)", as: "chat") }
    try client.send(
      [1, 2], as: "door", delivery: .reliableUnordered, priority: .high, channel: 3, expires: .seconds(60), receipt: 7)
    try client.send("fire", delivery: .reliableUnordered, expires: .milliseconds(200), receipt: 8)
    try client.send("state", delivery: .latest)
    try client.send("noise", delivery: .unreliable)
    simulation.run(for: .seconds(2))
    #expect(client.takeReceipts() == [Receipt(number: 8, player: client.serverID, outcome: .expired)])
    simulation.heal()
    let lost = try reconnect(simulation, client)
    #expect(lost.count == 6, "seed \(seed)")
    let chat = lost.filter { $0.options.channel == 0 }
    #expect(chat.map(\.message.text) == (0..<5).map { "chat \($0)" })
    #expect(chat.allSatisfy { $0.options == SendOptions() && $0.message.action == "chat" })
    let door = try #require(lost.first { $0.options.channel == 3 })
    #expect(door.message.body == [1, 2] && door.message.text == nil && door.message.action == "door")
    let left = try #require(door.options.expires)
    #expect(left < .seconds(58) && left > .seconds(50))
    #expect(
      door.options
        == SendOptions(delivery: .reliableUnordered, priority: .high, channel: 3, expires: left, receipt: 7))
    #expect(door.message.channel == 3 && door.message.delivery == .reliableUnordered)

    for undelivered in lost { try client.send(undelivered) }
    simulation.run(for: .seconds(1))
    journal.take()
    #expect(journal.texts[0] == ["before"])
    #expect(journal.texts[1].filter { $0.hasPrefix("chat") } == (0..<5).map { "chat \($0)" })
    #expect(journal.texts[1].count == 6)
    #expect(client.takeReceipts() == [Receipt(number: 7, player: client.serverID, outcome: .delivered)])
    #expect(simulation.violations.isEmpty)
  }

  /// All was confirmed: there is nothing to be said again, and the new session carries what comes.
  @Test func nothingIsHandedBackWhereAllArrived() throws {
    let (simulation, client) = SimulationTests.joined(seed: 4)
    try client.send("one")
    simulation.run(for: .seconds(1))
    simulation.restartServer()
    #expect(try reconnect(simulation, client).isEmpty)
    #expect(simulation.server.players == [client.id] && client.undelivered.isEmpty)
    try client.send("two")
    simulation.server.send("hello", to: client.id)
    simulation.run(for: .seconds(1))
    let texts = simulation.server.takeEvents().compactMap {
      if case .message(let message, _) = $0 { (message.text, message.id) } else { nil }
    }
    #expect(texts.map(\.0) == ["two"] && texts.map(\.1) == [0])
    #expect(client.takeEvents().count == 1)
  }

  /// A silence that was told is over: who shows it takes it away.
  @Test func offlineEndsWithOnline() throws {
    let (simulation, client) = SimulationTests.joined(seed: 5)
    simulation.restartServer(after: .seconds(60))
    simulation.run(for: .seconds(70))
    #expect(client.takeEvents() == [.offline, .online, .reconnected(undelivered: [])])
  }

  /// With another instance it is a stranger's word, and counts for nothing.
  @Test func anotherInstanceIsNobody() throws {
    var configuration = RoamkeyConfiguration()
    configuration.offlineLimit = .seconds(30)
    let (simulation, client) = SimulationTests.joined(seed: 6, configuration)
    simulation.restartServer(keepsInstance: false)
    try client.send("one", receipt: 1)
    try client.send("two", channel: 1)
    try client.send("state", delivery: .latest)
    simulation.run(for: .seconds(60))
    #expect(client.takeEvents() == [.offline, .disconnected(.timedOut)])
    #expect(
      client.undelivered == [
        Undelivered(client.undelivered[0].message, options: .init(receipt: 1)),
        Undelivered(client.undelivered[1].message, options: .init(channel: 1)),
      ])
    #expect(client.undelivered.map(\.message.text) == ["one", "two"])
  }

  // MARK: Without a session

  /// A client whose server has begun anew, and then cannot be reached: there is no session for as long as it likes.
  private func reconnecting(
    seed: UInt64, _ configuration: RoamkeyConfiguration = .init()
  ) throws -> (Simulation, SimulatedClient, Journal) {
    let (simulation, client) = SimulationTests.joined(seed: seed, configuration)
    let journal = Journal(simulation)
    journal.restart(simulation)
    try client.send("old 0")
    try client.send("old 1")
    #expect(simulation.run(until: { client.state == .reconnecting }, within: .seconds(10)))
    simulation.cut([client])
    simulation.run(for: .seconds(2))
    #expect(client.state == .reconnecting && client.sessionStatistics == nil && client.takeEvents().isEmpty)
    return (simulation, client, journal)
  }

  @Test func whatIsSentMeanwhileGoesFirst() throws {
    var configuration = RoamkeyConfiguration()
    configuration.sendQueueLimit = 4096
    let (simulation, client, journal) = try reconnecting(seed: 7, configuration)
    #expect(client.queuedBytes == 0, "what was lost counts no more")
    try client.send("new 0")
    // News of which only the newest is worth something fills no queue.
    for number in 0..<1000 {
      try client.send("state \(number)", delivery: .latest, channel: 9)
      try client.send("noise \(number)", delivery: .unreliable)
    }
    try client.send("new 1")
    #expect(client.queuedBytes > 0)
    // The queue has its limit all the same.
    var count = 0
    do throws(SendError) {
      while count < 10_000 {
        try client.send([UInt8](repeating: 0, count: 100), delivery: .reliableUnordered)
        count += 1
      }
    } catch { #expect(error == .queueFull(limit: 4096)) }
    #expect(count > 10 && count < 40)
    simulation.heal()
    let lost = try reconnect(simulation, client)
    #expect(lost.map(\.message.text) == ["old 0", "old 1"])
    simulation.run(for: .seconds(1))
    for undelivered in lost { try client.send(undelivered) }
    simulation.run(for: .seconds(1))
    journal.take()
    let texts = journal.texts[1]
    #expect(texts.filter { $0.hasPrefix("new") || $0.hasPrefix("old") } == ["new 0", "new 1", "old 0", "old 1"])
    #expect(texts.filter { $0.hasPrefix("state") } == ["state 999"] && !texts.contains { $0.hasPrefix("noise") })
    #expect(client.queuedBytes == 0)
  }

  @Test func whoIsNotLetInAgainHasAllOfItBack() throws {
    var configuration = RoamkeyConfiguration()
    configuration.offlineLimit = .seconds(20)
    let (simulation, client, _) = try reconnecting(seed: 8, configuration)
    try client.send("new")
    try client.send("state", delivery: .latest)
    simulation.run(for: .seconds(30))
    let reason = EndReason.notReadmitted(.noAnswer)
    #expect(client.state == .disconnected(reason) && client.takeEvents() == [.disconnected(reason)])
    #expect(client.undelivered.map(\.message.text) == ["old 0", "old 1", "new"])
    #expect(throws: SendError.notConnected) { try client.send("too late") }
    #expect(client.queuedBytes == 0)
  }

  /// Who closes without a session still gets rid of what was said since; what was said before is handed back at the end.
  @Test func closingDeliversWhatWasSentMeanwhile() throws {
    let (simulation, client, journal) = try reconnecting(seed: 9)
    try client.send("last words")
    client.close()
    simulation.run(for: .seconds(2))
    #expect(client.state == .reconnecting)
    simulation.heal()
    simulation.run(for: .seconds(5))
    journal.take()
    #expect(journal.texts[1] == ["last words"] && client.state == .disconnected(.closed))
    #expect(client.undelivered.map(\.message.text) == ["old 0", "old 1"])
  }

  @Test func closingAtOnceNeedsNoSession() throws {
    let (simulation, client, _) = try reconnecting(seed: 10)
    try client.send("never said")
    client.close(afterDelivery: false)
    simulation.run(for: .milliseconds(10))
    #expect(client.state == .disconnected(.closed) && client.takeEvents() == [.disconnected(.closed)])
    #expect(client.undelivered.map(\.message.text) == ["old 0", "old 1", "never said"])
  }

  /// Somebody who waits for delivery when the server begins anew is not left in the dark about what was lost.
  @Test func aRestartUnderWhoeverCloses() throws {
    let (simulation, client) = SimulationTests.joined(seed: 11)
    simulation.restartServer(after: .seconds(1))
    try client.send("last words")
    client.close()
    simulation.run(for: .seconds(10))
    #expect(client.state == .disconnected(.closed))
    #expect(client.undelivered.map(\.message.text) == ["last words"])
  }

  // MARK: What goes on

  @Test func aRestGoesOn() throws {
    let (simulation, client) = SimulationTests.joined(seed: 12)
    client.rest()
    simulation.run(for: .seconds(5))
    simulation.restartServer()
    // Nothing is sent by itself; a move is.
    simulation.run(for: .seconds(60))
    #expect(client.takeEvents().isEmpty)
    simulation.move(client)
    #expect(try reconnect(simulation, client).isEmpty)
    simulation.run(for: .seconds(2))
    #expect(client.sessionStatistics?.presence == .resting)
    #expect(simulation.server.statistics(of: client.id)?.presence == .resting)

    // A message has ended it: it is no rest any more, in whichever session.
    try client.send("here")
    simulation.restartServer()
    _ = try reconnect(simulation, client)
    simulation.run(for: .seconds(2))
    #expect(client.sessionStatistics?.presence == .playing)
  }

  @Test func aRestThatIsAskedForMeanwhileBegins() throws {
    let (simulation, client, _) = try reconnecting(seed: 13)
    client.rest()
    simulation.heal()
    _ = try reconnect(simulation, client)
    simulation.run(for: .seconds(2))
    #expect(client.sessionStatistics?.presence == .resting)
  }

  /// What was not taken of the lost session gives no credit to the new one.
  @Test func creditOfTheLostSessionIsGone() throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = 8 << 10
    configuration.receiveCredit = 32 << 10
    configuration.channelReceiveCredit = 32 << 10
    let (simulation, client) = SimulationTests.joined(seed: 14, configuration)
    func fill() {
      for _ in 0..<64 { simulation.server.send([UInt8](repeating: 0, count: 1000), to: client.id) }
      simulation.run(for: .seconds(2))
    }
    func unread() -> Int { client.takeEvents().count { if case .message = $0 { true } else { false } } }
    fill()
    simulation.restartServer()
    try client.send("wake up")
    #expect(simulation.run(until: { simulation.server.players == [client.id] }, within: .seconds(10)))
    simulation.run(for: .seconds(1))
    let ofTheFirst = unread()
    #expect(ofTheFirst > 20 && ofTheFirst < 33)
    simulation.run(for: .seconds(1))
    fill()
    let waiting = simulation.server.queuedBytes(of: client.id)
    #expect(waiting > 30 << 10, "as much as before: nothing was given on top")
    #expect(unread() == ofTheFirst)
    simulation.run(for: .seconds(2))
    #expect(simulation.violations.isEmpty)
  }

  /// A server that dies again and again loses nothing of what is said again.
  @Test(arguments: 0..<6)
  func againAndAgain(run: Int) throws {
    let seed = UInt64.random(in: 0 ... .max)
    let network = NetworkConditions(loss: 0.05, delay: .milliseconds(20), jitter: .milliseconds(10))
    let (simulation, client) = SimulationTests.joined(seed: seed, network: network)
    let journal = Journal(simulation)
    var (said, isOver) = (0, false)
    var told: [Client.Event] = []
    simulation.every(.milliseconds(20), on: client) { _ in
      for event in client.takeEvents() {
        told.append(event)
        guard case .reconnected(let undelivered) = event else { continue }
        for lost in undelivered { try? client.send(lost) }
      }
      guard !isOver, (try? client.send("\(said)")) != nil else { return }
      said += 1
    }
    simulation.every(.milliseconds(20)) { _ in journal.take() }
    for _ in 0..<12 {
      simulation.run(for: .milliseconds(Int.random(in: 20...1500, using: &simulation.random)))
      journal.restart(simulation, after: .milliseconds(Int.random(in: 0...400, using: &simulation.random)))
    }
    simulation.run(for: .seconds(5))
    isOver = true
    simulation.run(for: .seconds(10))
    #expect(client.isConnected && client.queuedBytes == 0 && simulation.violations.isEmpty, "seed \(seed)")
    let heard = Set(journal.texts.joined())
    let missed = (0..<said).filter { !heard.contains("\($0)") }
    #expect(said > 100 && missed.isEmpty, "seed \(seed)")
    // In one run of the server nothing is heard twice.
    #expect(journal.texts.allSatisfy { Set($0).count == $0.count }, "seed \(seed)")
    #expect(!handedBack(told).isEmpty && handedBack(told).count <= 12, "seed \(seed)")
  }

  // MARK: A server that moves

  @Test(arguments: [true, false]) func theServerMoves(isNoticed: Bool) throws {
    let (simulation, client) = SimulationTests.joined(seed: 15)
    try client.send("one")
    simulation.run(for: .seconds(1))
    simulation.moveServer(isNoticed: isNoticed)
    simulation.server.send("from elsewhere", to: client.id)
    simulation.run(for: .seconds(2))
    try client.send("two")
    simulation.run(for: .seconds(5))
    let kinds = client.takeEvents().map { event in
      switch event {
      case .message: "message"
      case .serverRoamed: "serverRoamed"
      case .roamed, .offline, .online, .reconnected, .disconnected: "\(event)"
      }
    }
    #expect(kinds.sorted() == ["message", "serverRoamed"])
    #expect(client.queuedBytes == 0 && client.isConnected && simulation.violations.isEmpty)
  }
}
