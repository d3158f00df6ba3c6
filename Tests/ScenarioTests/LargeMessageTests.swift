import RoamkeySimulator
import Testing

/// Messages that span packets.
@Suite struct LargeMessageTests {
  private static func mixed() -> [[UInt8]] {
    var messages = numbered(40, size: 100)
    messages.insert(numberedMessage(900, size: 1 << 20), at: 10)
    messages.insert(numberedMessage(901, size: 64 << 10), at: 20)
    messages.insert(numberedMessage(902, size: 1100), at: 21)
    messages.insert(numberedMessage(903, size: 64 << 10), at: 22)
    return messages
  }

  @Test func largeAmongSmall() {
    let (world, player) = SimulatedWorld.joined(seed: 1, conditions: .broadband)
    let messages = Self.mixed()
    world.send(messages, from: player)
    world.send(messages, to: player)
    world.expectDelivery(up: messages, down: messages, of: player)
  }

  @Test(arguments: [2, 3] as [UInt64])
  func largeAmongSmallWithLoss(seed: UInt64) {
    let conditions = NetworkConditions(
      loss: 0.1, duplication: 0.05, delay: .milliseconds(10), jitter: .milliseconds(10))
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: conditions)
    let messages = Self.mixed()
    world.send(messages, from: player)
    world.expectDelivery(up: messages, of: player, within: .seconds(300))
  }

  /// Every size around the edges of a packet, whole and in pieces.
  @Test func everySizeAroundAPacket() {
    let (world, player) = SimulatedWorld.joined(
      seed: 4, conditions: NetworkConditions(loss: 0.05, delay: .milliseconds(5)))
    let messages = (0..<120).map { numberedMessage($0, size: 1040 + $0) }
    world.send(messages, from: player)
    world.send(messages, to: player)
    world.expectDelivery(up: messages, down: messages, of: player)
  }
}
