import RoamkeySimulator
import Testing

/// Bad networks: what is lost, doubled, mixed up and damaged arrives once and in order all the same.
@Suite struct LossTests {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func tenThousandMessagesOnceAndInOrder(seed: UInt64) {
    let conditions = NetworkConditions(
      loss: 0.2, duplication: 0.1, delay: .milliseconds(20), jitter: .milliseconds(30))
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: conditions)
    let up = numbered(10_000)
    world.send(up, from: player)
    world.expectDelivery(up: up, of: player, within: .seconds(300))
    #expect(player.client.statistics.packetsLost > 0)
    world.expectQuiet(player)
  }

  @Test(arguments: [4, 5] as [UInt64])
  func aGameOverAnAwfulNetwork(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: .awful)
    let up = numbered(600)
    let down = numbered(600, salt: 1)
    for tick in 0..<600 {
      world.after(.milliseconds(33 * tick)) { world in
        world.send(up[tick], from: player)
        world.send([down[tick]], to: player)
      }
    }
    world.expectDelivery(up: up, down: down, of: player, within: .seconds(120))
  }

  @Test func burstsOfLoss() {
    let (world, player) = SimulatedWorld.joined(seed: 6, conditions: .mobile)
    let down = numbered(2000, size: 200)
    world.send(down, to: player)
    world.expectDelivery(down: down, of: player, within: .seconds(120))
  }
}
