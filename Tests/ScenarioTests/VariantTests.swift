import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// What can be set otherwise: keys that are renewed often, policies, connection ids, several players.
@Suite struct VariantTests {
  private static let mixed = NetworkConditions(
    loss: 0.1, duplication: 0.1, delay: .milliseconds(20), jitter: .milliseconds(30))

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func keysAreRenewed(seed: UInt64) {
    var configuration = RoamkeyConfiguration()
    configuration.keyUpdatePacketCount = 50
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.mixed, configuration: configuration)
    let messages = numbered(2000, size: 600)
    world.send(messages, from: player)
    world.send(messages, to: player)
    world.expectDelivery(up: messages, down: messages, of: player, within: .seconds(300))
    #expect(player.host.traffic.datagramsSent > 1000)
    #expect(player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
  }

  /// Keys that are renewed by time, in a session that says nothing.
  @Test func keysAreRenewedInSilence() {
    var configuration = RoamkeyConfiguration()
    configuration.keyUpdateInterval = .seconds(2)
    let (world, player) = SimulatedWorld.joined(seed: 6, conditions: .local, configuration: configuration)
    world.run(for: .seconds(120))
    world.send(numbered(5), from: player)
    world.expectDelivery(up: numbered(5), of: player)
    #expect(player.client.statistics.dropped == 0 && world.server.statistics.dropped == 0)
  }

  @Test(arguments: [SigningPolicy.everyPacket, .sealedOnly], [0, 8])
  func policiesAndConnectionIDs(policy: SigningPolicy, idSize: Int) {
    var settings = ServerSettings(application: SimulatedWorld.application)
    settings.signingPolicy = policy
    var client = ClientSettings(application: SimulatedWorld.application)
    client.requiredPolicy = policy
    var configuration = RoamkeyConfiguration()
    configuration.clientConnectionIDSize = idSize
    let (world, player) = SimulatedWorld.joined(
      seed: 7, conditions: Self.mixed, configuration: configuration, settings: settings, client: client)
    let messages = numbered(500, size: 300)
    world.send(messages, from: player)
    world.send(messages, to: player)
    world.after(.milliseconds(100)) { $0.move(player) }
    world.after(.milliseconds(900)) { $0.rebind(player) }
    world.expectDelivery(up: messages, down: messages, of: player, within: .seconds(60))
    #expect(player.host.moves.last?.to == player.host.outside)
    world.expectQuiet(player)
    world.close(player, afterDelivery: true)
    world.run(for: .seconds(10))
    #expect(world.serverHost.ends == [.closed] && player.host.ends == [.closed])
  }

  @Test func twoPlayers() {
    let world = SimulatedWorld(seed: 8)
    let players = [world.addPlayer(conditions: Self.mixed), world.addPlayer(conditions: .local)]
    for player in players { world.connect(player) }
    world.run(within: .seconds(9)) { world in players.allSatisfy { $0.hasJoined && world.session(of: $0) != nil } }
    let messages = (0..<2).map { numbered(500, salt: UInt64($0)) }
    for (player, own) in zip(players, messages) {
      world.send(own, from: player)
      world.send(own, to: player)
    }
    world.after(.milliseconds(50)) { $0.move(players[0]) }
    for (player, own) in zip(players, messages) { world.expectDelivery(up: own, down: own, of: player) }
    world.close(players[0], afterDelivery: true)
    world.run(for: .seconds(10))
    #expect(world.serverHost.ends == [.closed] && players[1].host.ends.isEmpty)
    let more = messages[1] + numbered(10, from: 500, salt: 1)
    world.send(numbered(10, from: 500, salt: 1), from: players[1])
    world.expectDelivery(up: more, down: messages[1], of: players[1])
  }
}
