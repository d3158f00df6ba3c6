import TestSupport
import Testing

@testable import Roamkey

/// Networks that are gone for a while, between real sockets: the app does nothing about it.
@Suite(.realTime, .timeLimit(.minutes(40))) struct DeadNetworkTests {
  /// Offline after 300 ms.
  private var impatient: RoamkeyConfiguration {
    var configuration = RoamkeyConfiguration()
    configuration.keepAliveInterval = .milliseconds(100)
    configuration.missesUntilOffline = 3
    configuration.offlineLimit = .seconds(120)
    configuration.probeTimeoutCap = .milliseconds(200)
    configuration.offlineProbeTimeoutCap = .milliseconds(200)
    return configuration
  }

  /// What both sides hear of each other.
  private struct Ends {
    let server: Server
    let client: Client
    let atServer: Log<Server.Event>
    let atClient: Log<Client.Event>

    init(_ server: Server, _ client: Client) {
      (self.server, self.client) = (server, client)
      (atServer, atClient) = (server.log, client.log)
    }

    /// Waits until the server's app knows of the client as well: which of the two does first is chance.
    func begin() async throws {
      try await atServer.first("the join") { if case .joined(client.id) = $0 { true } else { nil } }
    }

    /// Sends numbered messages both ways.
    func send(_ numbers: Range<Int>) throws {
      for number in numbers {
        try client.send("\(number)")
        #expect(server.send("\(number)", to: client.id) == nil)
      }
    }

    /// Waits for numbered messages both ways: each once, and in order.
    func expect(_ numbers: Range<Int>) async throws {
      let up = try await atServer.all(numbers.count, "the messages up") {
        if case .message(let message, client.id) = $0 { message.text } else { nil }
      }
      let down = try await atClient.all(numbers.count, "the messages down") {
        if case .message(let message) = $0 { message.text } else { nil }
      }
      #expect(up == numbers.map(String.init))
      #expect(down == numbers.map(String.init))
    }

    /// Waits until each side thinks that the other is offline, or is not.
    func become(offline: Bool) async throws {
      try await eventually(offline ? "offline" : "online") {
        let ours = await client.sessionStatistics()?.isOffline
        let theirs = await server.statistics(of: client.id)?.isOffline
        return ours == offline && theirs == offline ? true : nil
      }
    }

    /// Both apps were told of it, in turns, so often at least.
    func expectChanges(_ count: Int) {
      let atServer = atServer.events.filter { $0 == .offline(client.id) || $0 == .online(client.id) }
      let atClient = atClient.events.filter { $0 == .offline || $0 == .online }
      #expect(atServer.count >= 2 * count && atClient.count >= 2 * count)
      for (index, event) in atServer.enumerated() {
        #expect(event == (index.isMultiple(of: 2) ? .offline(client.id) : .online(client.id)))
      }
      for (index, event) in atClient.enumerated() { #expect(event == (index.isMultiple(of: 2) ? .offline : .online)) }
    }

    /// Closes both, after which nothing more may have come.
    func close(after numbers: Range<Int>) async throws {
      await client.close()
      try await atServer.first("the leave") { if case .left(client.id, .closed) = $0 { true } else { nil } }
      try await expect(numbers)
      #expect(atServer.events.count { if case .joined = $0 { true } else { false } } == 1)
      #expect(atServer.events.count { if case .left = $0 { true } else { false } } == 1)
      await server.close()
    }
  }

  /// Lets nothing through any more; returns once that is so.
  private func shut(_ relay: HostileRelay) async throws {
    let before = relay.counts.dropped
    relay.set(.init(dropped: 100))
    try await eventually("the relay to drop") { relay.counts.dropped > before ? true : nil }
  }

  @Test func whatIsQueuedForANetworkThatDropsEverythingArrivesAfterwards() async throws {
    let server = try await makeServer(discovery: .off, configuration: impatient)
    let relay = try HostileRelay(to: server.address, conditions: .init(), seed: 1)
    let client = try await Client(
      key: .generate(), application: "test/1", server: "\(relay.address)", pinned: server.id,
      configuration: impatient)
    let ends = Ends(server, client)
    try await ends.begin()
    try ends.send(0..<50)
    try await ends.expect(0..<50)
    // Twice, since what worked once may have left something behind.
    for round in 1...2 {
      try await shut(relay)
      try ends.send(round * 200 - 150..<round * 200)
      try await ends.become(offline: true)
      // Also what is sent once both know.
      try ends.send(round * 200..<round * 200 + 50)
      #expect(client.queuedBytes > 0 && server.queuedBytes(of: client.id) > 0)
      relay.set(.init())
      try await ends.become(offline: false)
      try await ends.expect(0..<round * 200 + 50)
    }
    try await ends.close(after: 0..<450)
    ends.expectChanges(2)
    relay.stop()
  }

  /// The socket's address has no way to the server: every send fails, as on a machine whose network has gone.
  @Test func aSessionSurvivesASocketThatCannotSend() async throws {
    let server = try await makeServer(discovery: .off, configuration: impatient)
    let client = try await makeClient(server, configuration: impatient)
    let ends = Ends(server, client)
    try await ends.begin()
    try ends.send(0..<50)
    try await ends.expect(0..<50)
    try client.rebind(to: NetworkAddress("[::1]:0"))
    try ends.send(50..<200)
    try await ends.become(offline: true)
    try ends.send(200..<250)
    try await eventually("errors of several sends") { await client.statistics().sendErrors > 5 ? true : nil }
    try client.rebind(to: loopback)
    try await ends.become(offline: false)
    try await ends.expect(0..<250)
    try await ends.close(after: 0..<250)
    ends.expectChanges(1)
  }

  @Test func whatExpiresWhileNothingGetsThroughIsNeverDelivered() async throws {
    let server = try await makeServer(discovery: .off, configuration: impatient)
    let relay = try HostileRelay(to: server.address, conditions: .init(), seed: 1)
    let client = try await Client(
      key: .generate(), application: "test/1", server: "\(relay.address)", pinned: server.id,
      configuration: impatient)
    let ends = Ends(server, client)
    try await ends.begin()
    let (atClient, atServer) = (client.receiptLog, server.receiptLog)
    try await shut(relay)
    for (number, delivery) in Delivery.allCases.enumerated() where delivery.isReliable {
      let (stale, patient) = (UInt64(number), UInt64(100 + number))
      try client.send("stale", delivery: delivery, expires: .milliseconds(150), receipt: stale)
      try client.send("patient", delivery: delivery, expires: .seconds(600), receipt: patient)
      server.send("stale", to: client.id, delivery: delivery, expires: .milliseconds(150), receipt: stale)
      server.send("patient", to: client.id, delivery: delivery, expires: .seconds(600), receipt: patient)
    }
    let expired: Set<UInt64> = [0, 1]
    for log in [atClient, atServer] {
      let told = try await log.all(2, "what expired") { $0 }
      #expect(Set(told.map(\.number)) == expired)
      #expect(told.allSatisfy { $0.outcome == .expired })
    }
    try await ends.become(offline: true)
    relay.set(.init())
    for log in [atClient, atServer] {
      let told = try await log.all(4, "the others") { $0 }
      #expect(told.dropFirst(2).allSatisfy { $0.outcome == .delivered && $0.number >= 100 })
    }
    let up = try await ends.atServer.all(2, "the messages up") {
      if case .message(let message, _) = $0 { message.text } else { nil }
    }
    let down = try await ends.atClient.all(2, "the messages down") {
      if case .message(let message) = $0 { message.text } else { nil }
    }
    await client.close()
    #expect(up == ["patient", "patient"] && down == up)
    #expect(!server.takeEvents().contains { if case .message = $0 { true } else { false } })
    await server.close()
    relay.stop()
  }
}
