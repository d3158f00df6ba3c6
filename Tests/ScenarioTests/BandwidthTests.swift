import RoamkeyEngine
import RoamkeySimulator
import Testing

/// Lines that carry only so much, and what waits in front of them.
@Suite struct BandwidthTests {
  private static func line(_ bandwidth: Int, queue: Int? = NetworkConditions.defaultQueue) -> NetworkConditions {
    NetworkConditions(delay: .milliseconds(20), keepsOrder: true, bandwidth: bandwidth, queue: queue)
  }

  /// A megabyte over 100 kB/s takes ten seconds: not less, and little more.
  @Test(arguments: [1, 2] as [UInt64], [true, false])
  func aTransferFillsTheLine(seed: UInt64, isUp: Bool) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.line(100_000))
    let before = world.elapsed
    let messages = numbered(200, size: 5000)
    var longestWait = Duration.zero
    for tick in 0..<1000 {
      world.after(.milliseconds(10 * tick)) { world in
        let link = isUp ? player.host.uplink : player.host.downlink
        longestWait = max(longestWait, link.wait(at: world.now))
      }
    }
    if isUp { world.send(messages, from: player) } else { world.send(messages, to: player) }
    world.run(within: .seconds(60)) { world in
      (isUp ? world.inbox(from: player) : player.inbox).count == messages.count
    }
    let time = world.elapsed - before
    #expect(time > .seconds(10) && time < .seconds(13), "seed \(seed): \(time)")
    // The queue of 64 KiB is 655 ms long. A transfer fills it, and nothing waits longer.
    #expect(longestWait > .milliseconds(300) && longestWait <= .milliseconds(656), "seed \(seed): \(longestWait)")
    world.expectDelivery(up: isUp ? messages : [], down: isUp ? [] : messages, of: player)
    world.expectQuiet(player)
  }

  /// A short queue loses what a long one would delay. All arrives all the same.
  @Test(arguments: [3, 4] as [UInt64])
  func aShortQueueOverflows(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.line(50_000, queue: 4000))
    let messages = numbered(300, size: 1000)
    world.send(messages, from: player)
    world.run(for: .seconds(2))
    #expect(player.host.uplink.statistics.overflowed > 0, "seed \(seed)")
    #expect(player.host.uplink.wait(at: world.now) <= .milliseconds(80))
    world.expectDelivery(up: messages, of: player)
    #expect(player.client.statistics.packetsLost >= UInt64(player.host.uplink.statistics.overflowed))
  }

  /// Somebody fills a bloated queue: what is said meanwhile comes late, and nobody is lost over it.
  @Test func aBloatedQueue() {
    let (world, player) = SimulatedWorld.joined(seed: 5, conditions: .dsl)
    let messages = numbered(1500, size: 2000)
    world.send(messages, to: player)
    var longestWait = Duration.zero
    for tick in 0..<500 {
      world.after(.milliseconds(20 * tick)) { world in
        longestWait = max(longestWait, player.host.downlink.wait(at: world.now))
      }
    }
    world.run(for: .seconds(10))
    #expect(longestWait > .milliseconds(150), "\(longestWait)")
    world.expectDelivery(down: messages, of: player, within: .seconds(60))
    #expect(player.host.offlineCount == 0 && world.serverHost.offlineCount == 0)
  }

  /// What keeps its place is not taken for lost, however much its delay varies.
  @Test func jitterOnALineThatKeepsTheOrder() {
    let conditions = NetworkConditions(delay: .milliseconds(20), jitter: .milliseconds(60), keepsOrder: true)
    let (world, player) = SimulatedWorld.joined(seed: 6, conditions: conditions)
    let messages = numbered(600, size: 400)
    for (tick, message) in messages.enumerated() {
      world.after(.milliseconds(5 * tick)) { $0.send(message, from: player) }
    }
    world.run(for: .seconds(4))
    world.expectDelivery(up: messages, of: player, within: .seconds(5))
    #expect(player.client.statistics.packetsLost == 0)
  }

  @Test(arguments: [7, 8, 9] as [UInt64])
  func aShareIsHeldBack(seed: UInt64) {
    let conditions = NetworkConditions(
      delay: .milliseconds(20), reordering: 0.2, reorderingDelay: .milliseconds(40))
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: conditions)
    let messages = numbered(600, size: 400)
    for (tick, message) in messages.enumerated() {
      world.after(.milliseconds(5 * tick)) { $0.send([message], to: player) }
    }
    world.run(for: .seconds(4))
    #expect(player.host.downlink.statistics.reordered > 50)
    world.expectDelivery(down: messages, of: player, within: .seconds(5))
  }

  /// 1200 bytes are what a handshake needs (PROTOCOL §1): a network that carries them is enough, one that does not is
  /// as none.
  @Test func theSmallestNetwork() {
    let (world, player) = SimulatedWorld.joined(seed: 10, conditions: NetworkConditions(mtu: 1200))
    let messages = numbered(20, size: 10_000)
    world.send(messages, from: player)
    world.send(messages, to: player)
    world.expectDelivery(up: messages, down: messages, of: player)

    let stranger = world.addPlayer(conditions: NetworkConditions(mtu: 1199))
    world.connect(stranger)
    world.run(for: .seconds(11))
    #expect(stranger.host.connectErrors == [.noAnswer])
    #expect(stranger.host.uplink.statistics.tooLarge > 3 && stranger.host.uplink.statistics.carried == 0)
    world.expectSound()
  }

  /// A game of fifteen messages a second each way, on every kind of network that there is a name for.
  @Test(arguments: [
    NetworkConditions.perfect, .local, .broadband, .dsl, .school, .satellite, .mobile, .awful,
  ])
  func everyPreset(conditions: NetworkConditions) {
    let (world, player) = SimulatedWorld.joined(seed: 11, conditions: conditions)
    let messages = numbered(300, size: 100)
    for (tick, message) in messages.enumerated() {
      world.after(.milliseconds(66 * tick)) { world in
        world.send(message, from: player)
        world.send([message], to: player)
      }
    }
    world.run(for: .seconds(20))
    world.expectDelivery(up: messages, down: messages, of: player, within: .seconds(60))
    #expect(player.host.offlineCount == 0 && player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
  }
}
