import RoamkeyEngine
import RoamkeySimulator
import Testing

/// Lids that are closed, processes that are stopped: nothing happens there, and then it goes on (PROTOCOL §11.1).
@Suite struct SuspensionTests {
  private static let conditions = NetworkConditions(
    loss: 0.02, delay: .milliseconds(20), jitter: .milliseconds(10))

  /// Ten messages a second each way for so many seconds; a player who is not there says nothing.
  private func talk(_ world: SimulatedWorld, _ player: SimulatedPlayer, seconds: Int) -> (
    up: [[UInt8]], down: [[UInt8]]
  ) {
    let up = numbered(10 * seconds)
    let down = numbered(10 * seconds, size: 100, salt: 1)
    for tick in 0..<10 * seconds {
      world.after(.milliseconds(100 * tick)) { world in
        world.send(up[tick], from: player)
        world.send([down[tick]], to: player)
      }
    }
    return (up, down)
  }

  @Test(arguments: [1, 2, 3] as [UInt64], [false, true])
  func aMinuteAway(seed: UInt64, stopsClock: Bool) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.conditions)
    let (up, down) = talk(world, player, seconds: 80)
    world.run(for: .seconds(5))
    world.suspend(player.host, for: .seconds(60), stopsClock: stopsClock)
    let sent = player.host.traffic
    world.run(for: .seconds(59))
    #expect(player.host.traffic == sent && !player.host.isRunning, "seed \(seed)")
    #expect(world.serverHost.offlineCount == 1, "seed \(seed)")
    #expect(player.host.offlineCount == 0 && player.inbox.count < 60)
    world.run(for: .seconds(2))
    #expect(player.host.isRunning && world.serverHost.onlineCount == 1, "seed \(seed)")
    #expect(world.now - world.time(of: player.host) == (stopsClock ? .seconds(60) : .zero))
    world.run(for: .seconds(15))
    world.expectDelivery(up: up, down: down, of: player, within: .seconds(20))
    #expect(player.host.joinedCount == 1 && player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
    world.expectQuiet(player)
  }

  /// What arrives meanwhile waits in the socket, as far as there is room.
  @Test func theSocketsBuffer() {
    let (world, player) = SimulatedWorld.joined(seed: 4, conditions: .local)
    player.host.socketBufferLimit = 5000
    let before = player.host.traffic.bytesReceived
    world.suspend(player.host, for: .seconds(10))
    world.send(numbered(100, size: 1000), to: player)
    world.run(for: .milliseconds(9999))
    #expect(player.host.missedDatagrams > 3 && player.host.traffic.bytesReceived == before)
    world.run(for: .milliseconds(1))
    let read = player.host.traffic.bytesReceived - before
    #expect(read > 2500 && read <= 5000)
    world.expectDelivery(down: numbered(100, size: 1000), of: player, within: .seconds(10))
  }

  /// The server's process stands still: everybody is still there afterwards.
  @Test(arguments: [5, 6] as [UInt64], [false, true])
  func theServerStandsStill(seed: UInt64, stopsClock: Bool) {
    let world = SimulatedWorld(seed: seed)
    let players = (0..<3).map { _ in world.addPlayer(conditions: Self.conditions) }
    for player in players { world.connect(player) }
    world.run(within: .seconds(9)) { world in players.allSatisfy { $0.hasJoined && world.session(of: $0) != nil } }
    for player in players { world.send(numbered(100), from: player) }
    world.suspend(world.serverHost, for: .seconds(60), stopsClock: stopsClock)
    world.run(for: .seconds(70))
    for player in players {
      #expect(player.host.offlineCount == 1 && player.host.onlineCount == 1, "seed \(seed)")
      world.expectDelivery(up: numbered(100), of: player, within: .seconds(10))
    }
    #expect(world.serverHost.ends.isEmpty)
  }

  /// Longer than anybody waits. Neither a process that was stopped nor a machine that slept gives up at once: each asks
  /// first, and waits for as long as it would for a network.
  @Test(arguments: [false, true])
  func tooLong(stopsClock: Bool) {
    let (world, player) = SimulatedWorld.joined(seed: 7, conditions: .local)
    player.host.socketBufferLimit = 0
    world.suspend(player.host, for: .seconds(400), stopsClock: stopsClock)
    world.run(for: .seconds(399))
    #expect(world.serverHost.ends == [.timedOut] && player.host.ends.isEmpty)
    // It is told so when it says something, and comes in anew.
    world.run(for: .seconds(40))
    #expect(player.host.ends.isEmpty && player.host.joinedCount == 2 && world.serverHost.joinedCount == 2)
    world.send(numbered(3), from: player)
    world.expectDelivery(up: numbered(3), of: player)
  }

  /// A laptop that is opened in another place: it goes on from there.
  @Test(arguments: [8, 9, 10] as [UInt64])
  func openedElsewhere(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.conditions)
    let (up, down) = talk(world, player, seconds: 60)
    world.after(.seconds(10)) { $0.suspend(player.host, for: .seconds(40), stopsClock: true) }
    world.after(.seconds(30)) { $0.move(player) }
    world.run(for: .seconds(45))
    #expect(player.host.moves.isEmpty)
    world.run(for: .seconds(16))
    world.expectDelivery(up: up, down: down, of: player, within: .seconds(20))
    #expect(player.host.moves.map(\.to) == [player.host.outside] && world.serverHost.moves.count == 1)
  }

  /// Suspended again before it is over: it lasts until the last one ends.
  @Test func overlapping() {
    let (world, player) = SimulatedWorld.joined(seed: 11, conditions: .local)
    world.suspend(player.host, for: .seconds(10))
    world.after(.seconds(5)) { $0.suspend(player.host, for: .seconds(10)) }
    world.after(.seconds(6)) { $0.suspend(player.host, for: .seconds(1)) }
    world.run(for: .milliseconds(14_900))
    #expect(!player.host.isRunning)
    world.run(for: .milliseconds(200))
    #expect(player.host.isRunning)
    // One that has ended is not woken.
    world.suspend(player.host, for: .seconds(5))
    world.crash(player.host)
    world.run(for: .seconds(10))
    #expect(!player.host.isRunning)
    world.restart(player)
    world.run(for: .seconds(1))
    #expect(player.hasJoined)
    world.expectSound()
  }

  /// Clocks that began elsewhere and run at other speeds: nothing that is promised depends on them.
  @Test(arguments: [(0, 0), (3600, 200), (86_400, -200), (1, 20_000), (7, -20_000)])
  func clocksThatDiffer(offset: Int, drift: Int) {
    let world = SimulatedWorld(seed: 12)
    let player = world.addPlayer(conditions: Self.conditions)
    player.host.clock = SimulatedClock(offset: .seconds(offset), drift: drift)
    world.connect(player)
    world.run(for: .seconds(2))
    #expect(player.hasJoined)
    let (up, down) = talk(world, player, seconds: 120)
    world.run(for: .seconds(121))
    world.expectDelivery(up: up, down: down, of: player, within: .seconds(10))
    #expect(player.host.offlineCount == 0 && world.serverHost.offlineCount == 0)
    world.expectQuiet(player)
  }
}
