import RoamkeyEngine
import RoamkeySimulator
import Testing

/// An app that does not take its messages holds up who sends them, and nobody runs out of memory.
@Suite struct FlowControlTests {
  @Test(arguments: [NetworkConditions.local, .awful], [100, 20_000])
  func slowReader(conditions: NetworkConditions, size: Int) {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = 50_000
    configuration.receiveCredit = 100_000
    configuration.sendQueueLimit = 50_000
    let (world, player) = SimulatedWorld.joined(seed: 1, conditions: conditions, configuration: configuration)
    let messages = numbered(1_000_000 / size, size: size)
    world.serverHost.isReading = false
    world.send(messages, from: player)
    world.run(for: .seconds(60))
    #expect(world.serverHost.unreadBytes <= 100_000 && world.serverHost.unreadBytes > 50_000)
    #expect(player.client.queuedBytes <= 50_000 + size + 100)
    #expect(player.host.waitingMessages > 0)
    // Held up, not dead: keep-alives hold the session.
    world.run(for: .seconds(60))
    #expect(player.host.offlineCount == 0 && world.serverHost.offlineCount == 0)
    let before = player.host.traffic.bytesSent
    world.run(for: .seconds(60))
    #expect(player.host.traffic.bytesSent - before < 30_000, "it must not probe with data that nobody takes")
    // Reads in bites.
    for _ in 0..<5 {
      world.consumeAll(world.serverHost)
      world.run(for: .seconds(5))
      #expect(world.serverHost.unreadBytes <= 100_000)
    }
    world.serverHost.isReading = true
    world.consumeAll(world.serverHost)
    world.expectDelivery(up: messages, of: player, within: .seconds(300))
  }

  /// One slow player does not hold up the other.
  @Test func aSlowPlayerIsAlone() {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = 10_000
    configuration.receiveCredit = 20_000
    let world = SimulatedWorld(seed: 2, configuration: configuration)
    let slow = world.addPlayer(conditions: .local)
    let quick = world.addPlayer(conditions: .local)
    world.connect(slow)
    world.connect(quick)
    world.run(for: .seconds(1))
    slow.host.isReading = false
    let messages = numbered(300, size: 1000)
    world.send(messages, to: slow)
    world.send(messages, to: quick)
    world.run(for: .seconds(2))
    #expect(difference(quick.inbox, messages) == nil)
    #expect(slow.inbox.count < 30 && world.session(of: slow).map { world.server.queuedBytes(of: $0) > 200_000 } == true)
    slow.host.isReading = true
    world.consumeAll(slow.host)
    world.expectDelivery(down: messages, of: slow, within: .seconds(5))
  }

  /// A message that begins late in the credit and fills most of it: the credit for its rest must come all the same.
  @Test(arguments: [13_000, 15_000, 16_000, 17_000])
  func aLongMessageLateInTheCredit(before: Int) {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = 32_000
    configuration.receiveCredit = 33_000
    let (world, player) = SimulatedWorld.joined(seed: 5, conditions: .local, configuration: configuration)
    let messages =
      numbered(before / 500, size: 468) + [numberedMessage(900, size: 32_000), numberedMessage(901, size: 1)]
    world.send(messages, from: player)
    world.expectDelivery(up: messages, of: player, within: .seconds(5))
  }

  @Test func anEmptyQueueTakesAnyMessage() {
    var configuration = RoamkeyConfiguration()
    configuration.sendQueueLimit = 1000
    let (world, player) = SimulatedWorld.joined(seed: 3, conditions: .local, configuration: configuration)
    let messages = [numberedMessage(0, size: 300_000), numberedMessage(1, size: 20)]
    world.send(messages, from: player)
    world.expectDelivery(up: messages, of: player)
  }

  @Test func tooLargeIsRefusedAtOnce() {
    let (world, player) = SimulatedWorld.joined(seed: 4, conditions: .local)
    world.send([numberedMessage(0, size: 2 << 20), numberedMessage(1, size: 20)], from: player)
    world.expectDelivery(up: [numberedMessage(1, size: 20)], of: player)
    #expect(player.host.undeliverable == 1)
  }
}
