import RoamkeySimulator
import Testing

/// Two who talk over a good network.
@Suite struct ExchangeTests {
  @Test func messagesGoBothWays() {
    let (world, player) = SimulatedWorld.joined(seed: 1, conditions: .local)
    let up = numbered(100)
    let down = numbered(100, salt: 1)
    world.send(up, from: player)
    world.send(down, to: player)
    world.expectDelivery(up: up, down: down, of: player, within: .seconds(1))
    #expect(player.host.joinedCount == 1)
    #expect(world.serverHost.joinedCount == 1)
    #expect(player.host.moves.isEmpty && world.serverHost.moves.isEmpty)
    #expect(player.client.statistics.packetsLost == 0)
    world.expectQuiet(player)
  }
}
