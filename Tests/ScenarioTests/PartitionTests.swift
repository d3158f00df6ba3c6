import RoamkeyEngine
import RoamkeySimulator
import Testing

/// Cables that are cut, one way or both, and mended (PROTOCOL §11.1).
@Suite struct PartitionTests {
  private static let conditions = NetworkConditions(
    loss: 0.02, delay: .milliseconds(20), jitter: .milliseconds(10))

  /// Ten messages a second each way for so many seconds.
  private func talk(_ world: SimulatedWorld, _ player: SimulatedPlayer, seconds: Int) -> (
    up: [[UInt8]], down: [[UInt8]]
  ) {
    let up = numbered(10 * seconds, salt: UInt64(player.index))
    let down = numbered(10 * seconds, size: 100, salt: 1 + UInt64(player.index))
    for tick in 0..<10 * seconds {
      world.after(.milliseconds(100 * tick)) { world in
        world.send(up[tick], from: player)
        world.send([down[tick]], to: player)
      }
    }
    return (up, down)
  }

  /// What is sent before, during and after arrives once and in order.
  @Test(arguments: [1, 2, 3] as [UInt64], [CutDirection.both, .outbound, .inbound])
  func aMinuteApart(seed: UInt64, direction: CutDirection) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.conditions)
    let (up, down) = talk(world, player, seconds: 80)
    world.after(.seconds(5)) { $0.partition([player.host], direction, for: .seconds(60)) }
    world.run(for: .seconds(60))
    let heardByServer = world.inbox(from: player).count
    let heardByPlayer = player.inbox.count
    // Who gets no acknowledgement says little that is new: one way alone is hardly better than none.
    #expect(direction == .inbound ? heardByServer >= 50 : heardByServer == 50, "seed \(seed)")
    #expect(direction == .outbound ? heardByPlayer >= 50 : heardByPlayer == 50, "seed \(seed)")
    #expect(world.cutDatagrams > 0)
    // Each side calls the other offline where it hears nothing.
    #expect(world.serverHost.offlineCount == (direction == .inbound ? 0 : 1), "seed \(seed)")
    #expect(player.host.offlineCount == (direction == .outbound ? 0 : 1), "seed \(seed)")
    world.run(for: .seconds(20))
    world.expectDelivery(up: up, down: down, of: player, within: .seconds(20))
    #expect(player.host.joinedCount == 1 && world.serverHost.joinedCount == 1)
    #expect(player.host.offlineCount == player.host.onlineCount)
    #expect(world.serverHost.offlineCount == world.serverHost.onlineCount)
    #expect(player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
    world.expectQuiet(player)
  }

  /// Those who are cut off together still have each other.
  @Test func whoIsInsideStaysTogether() {
    let world = SimulatedWorld(seed: 4)
    let players = (0..<3).map { _ in world.addPlayer(conditions: .local) }
    for player in players { world.connect(player) }
    world.run(for: .seconds(1))
    world.partition([world.serverHost, players[0].host])
    for player in players { world.send(numbered(5), from: player) }
    world.run(for: .seconds(30))
    #expect(players.map { world.inbox(from: $0).count } == [5, 0, 0])
    #expect(players.map(\.host.offlineCount) == [0, 1, 1])
    world.heal()
    for player in players { world.expectDelivery(up: numbered(5), of: player, within: .seconds(10)) }
  }

  /// Everything is cut, again and again; a cut that is over does not end another one.
  @Test(arguments: [5, 6] as [UInt64])
  func everythingAtOnce(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.conditions)
    let (up, down) = talk(world, player, seconds: 60)
    for second in [2, 4, 20, 22, 50] { world.after(.seconds(second)) { $0.partitionAll(for: .seconds(3)) } }
    world.run(for: .milliseconds(2200))
    let before = player.host.traffic.datagramsReceived
    world.run(for: .milliseconds(4700))
    #expect(player.host.traffic.datagramsReceived == before, "seed \(seed): the second cut lasts until second seven")
    world.run(for: .seconds(54))
    world.expectDelivery(up: up, down: down, of: player, within: .seconds(20))
    #expect(world.serverHost.offlineCount == 0 && player.host.offlineCount == 0)
  }

  @Test func healingEndsAllCuts() {
    let (world, player) = SimulatedWorld.joined(seed: 7, conditions: .local)
    world.partitionAll()
    world.partition([player.host], for: .seconds(100))
    world.send(numbered(3), from: player)
    world.run(for: .seconds(10))
    #expect(world.inbox(from: player).isEmpty)
    world.heal()
    world.expectDelivery(up: numbered(3), of: player, within: .seconds(6))
    world.run(for: .seconds(100))
    #expect(player.host.offlineCount == 0)
  }

  /// Six minutes are too long: both sides give up, each by its own clock, and nothing is left.
  @Test func tooLong() {
    let (world, player) = SimulatedWorld.joined(seed: 8, conditions: .local)
    world.partition([player.host], for: .seconds(360))
    world.run(for: .seconds(370))
    #expect(player.host.ends == [.timedOut] && world.serverHost.ends == [.timedOut])
    #expect(player.client.isIdle && world.server.isIdle)
    world.expectSound()
  }
}
