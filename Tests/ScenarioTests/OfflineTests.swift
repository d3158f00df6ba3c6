import RoamkeyEngine
import RoamkeySimulator
import Testing

/// Offline is not gone (PROTOCOL §11.1).
@Suite struct OfflineTests {
  @Test(arguments: [1, 2, 3] as [UInt64], [false, true])
  func aMinuteWithoutNetwork(seed: UInt64, movesMeanwhile: Bool) {
    let (world, player) = SimulatedWorld.joined(
      seed: seed, conditions: NetworkConditions(loss: 0.02, delay: .milliseconds(20)))
    let up = numbered(900)
    let down = numbered(900, size: 100, salt: 1)
    for tick in 0..<900 {
      world.after(.milliseconds(100 * tick)) { world in
        world.send(up[tick], from: player)
        world.send([down[tick]], to: player)
      }
    }
    world.after(.seconds(10)) { _ in player.host.isUp = false }
    if movesMeanwhile { world.after(.seconds(40)) { $0.move(player) } }
    world.after(.seconds(70)) { _ in player.host.isUp = true }
    world.run(for: .seconds(65))
    #expect(player.host.offlineCount == 1 && world.serverHost.offlineCount == 1)
    #expect(player.host.onlineCount == 0 && world.serverHost.onlineCount == 0)
    // Back: noticed within one probe.
    world.run(for: .seconds(11))
    #expect(player.host.onlineCount == 1 && world.serverHost.onlineCount == 1, "\(world.elapsed)")
    world.run(for: .seconds(20))
    world.expectDelivery(up: up, down: down, of: player, within: .seconds(10))
    #expect(player.host.offlineCount == 1 && world.serverHost.offlineCount == 1)
    #expect(player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
    #expect(player.host.joinedCount == 1 && world.serverHost.joinedCount == 1)
    world.expectQuiet(player)
  }

  /// Nothing to say on either side when the network goes and comes.
  @Test func aSilentMinuteWithoutNetwork() {
    let (world, player) = SimulatedWorld.joined(seed: 4, conditions: .local)
    player.host.isUp = false
    world.run(for: .seconds(60))
    #expect(player.host.offlineCount == 1 && world.serverHost.offlineCount == 1)
    player.host.isUp = true
    world.run(for: .seconds(6))
    #expect(player.host.onlineCount == 1 && world.serverHost.onlineCount == 1)
    world.expectQuiet(player)
  }

  /// A network that returns under another address, which the client is told of: it is back at once.
  @Test func backAtOnceOnAnotherNetwork() {
    let (world, player) = SimulatedWorld.joined(seed: 5, conditions: .local)
    player.host.isUp = false
    world.run(for: .seconds(61))
    player.host.isUp = true
    world.move(player)
    world.run(for: .milliseconds(50))
    #expect(player.host.onlineCount == 1 && world.serverHost.onlineCount == 1)
  }

  @Test func silenceEndsTheSessionOnBothSides() {
    let (world, player) = SimulatedWorld.joined(seed: 6, conditions: .local)
    world.send(numbered(3), from: player)
    world.run(for: .seconds(1))
    player.host.isUp = false
    world.send(numbered(3, from: 3), from: player)
    world.run(for: .seconds(318))
    #expect(player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
    world.run(for: .seconds(8))
    #expect(player.host.ends == [.timedOut] && world.serverHost.ends == [.timedOut])
    #expect(player.client.isIdle && world.server.isIdle)
    let before = player.host.traffic.datagramsSent
    world.run(for: .seconds(60))
    #expect(player.host.traffic.datagramsSent == before)
    world.expectSound()
  }

  /// Silence is cheap: two small packets a second for a minute, then five in four seconds (PROTOCOL §5.7).
  @Test func aDeadNetworkCostsLittle() {
    let (world, player) = SimulatedWorld.joined(seed: 7, conditions: .local)
    player.host.isUp = false
    world.send(numbered(500, size: 500), from: player)
    world.run(for: .seconds(30))
    let before = player.host.traffic.datagramsSent
    world.run(for: .seconds(100))
    let sent = player.host.traffic.datagramsSent - before
    #expect(sent <= 30 * 2 + 70 * 5 / 4 + 5)
    #expect(sent >= 100, "who comes back would wait")
    world.expectSound()
  }

  /// Datagrams come through one way only for half a minute.
  @Test(arguments: [true, false])
  func oneWay(isUplinkDead: Bool) {
    let (world, player) = SimulatedWorld.joined(seed: 8, conditions: .local)
    world.tap { datagram in
      let isUp = datagram.source == player.host.outside
      return isUp == isUplinkDead && world.elapsed > .seconds(5) && world.elapsed < .seconds(35) ? .drop : .pass
    }
    let messages = numbered(400)
    for tick in 0..<400 {
      world.after(.milliseconds(100 * tick)) { world in
        world.send(messages[tick], from: player)
        world.send([messages[tick]], to: player)
      }
    }
    world.run(for: .seconds(40))
    world.expectDelivery(up: messages, down: messages, of: player, within: .seconds(10))
    #expect(player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
  }
}
