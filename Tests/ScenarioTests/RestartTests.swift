import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Processes that end without a word and begin anew with the same key.
@Suite struct RestartTests {
  private static let first = SessionHandle(rawValue: 1)

  /// The server announces the new session and ends the old one; nobody is told what was meant for the process before.
  @Test(arguments: [1, 2, 3] as [UInt64], [Duration.zero, .seconds(2), .seconds(60)])
  func aPlayerComesBack(seed: UInt64, downtime: Duration) {
    for keepsPort in [false, true] {
      let conditions = NetworkConditions(loss: 0.05, delay: .milliseconds(20), jitter: .milliseconds(10))
      let (world, player) = SimulatedWorld.joined(seed: seed, conditions: conditions)
      world.send(numbered(50), from: player)
      world.send(numbered(50, salt: 1), to: player)
      world.run(for: .seconds(2))
      let address = player.host.inside
      world.send(numbered(50, from: 50, salt: 1), to: player)
      world.run(for: .milliseconds(10))
      let (old, oldClient) = (world.session(of: player), player.client)
      world.restart(player, after: downtime, keepsPort: keepsPort)
      world.run(for: downtime + .seconds(4))
      let new = world.session(of: player)
      #expect(player.hasJoined && old != new, "seed \(seed)")
      #expect(world.serverHost.joinedCount == 2 && world.serverHost.ends == [.replaced], "seed \(seed)")
      #expect((player.host.inside == address) == keepsPort && player.client !== oldClient)
      #expect(player.client.id == oldClient.id)
      // Two runs, two books: each has what it was sent.
      #expect(player.host.formerProcesses.count == 1)
      #expect(difference(player.host.formerProcesses[0].inbox[Self.first] ?? [], numbered(50, salt: 1)) == nil)
      #expect(player.inbox.isEmpty && player.host.ends.isEmpty)
      world.send(numbered(30, from: 100), from: player)
      world.send(numbered(30, from: 100, salt: 1), to: player)
      world.expectDelivery(
        up: numbered(30, from: 100), down: numbered(30, from: 100, salt: 1), of: player, within: .seconds(20))
      #expect(old.map { difference(world.serverHost.inbox[$0] ?? [], numbered(50)) } == .some(nil))
      world.expectQuiet(player)
    }
  }

  /// Again and again, before anybody has noticed: one session is left, and every other has ended once.
  @Test(arguments: [4, 5] as [UInt64])
  func manyRestarts(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: .local)
    for round in 0..<20 {
      world.after(.milliseconds(700 * round)) { world in
        world.restart(player, after: .milliseconds(Int.random(in: 0...300, using: &world.random)))
      }
    }
    world.run(for: .seconds(30))
    #expect(player.hasJoined && player.host.formerProcesses.count == 20)
    #expect(world.serverHost.joinedCount > 10)
    #expect(world.serverHost.ends == Array(repeating: .replaced, count: world.serverHost.joinedCount - 1))
    world.send(numbered(10), from: player)
    world.expectDelivery(up: numbered(10), of: player)
  }

  /// Who ends and does not come back is missed after the time that everybody has.
  @Test func aPlayerDoesNotComeBack() {
    let (world, player) = SimulatedWorld.joined(seed: 6, conditions: .local)
    world.crash(player.host)
    world.send(numbered(3), from: player)
    let sent = player.host.traffic.datagramsSent
    world.run(for: .seconds(19))
    #expect(world.serverHost.offlineCount == 0)
    world.run(for: .seconds(10))
    #expect(world.serverHost.offlineCount == 1)
    world.run(for: .seconds(300))
    #expect(world.serverHost.ends == [.timedOut] && world.server.isIdle)
    #expect(player.host.traffic.datagramsSent == sent && player.host.missedDatagrams > 0)
    #expect(player.host.undeliverable == 3)
    world.expectSound()
  }

  /// Another server with the same key has taken the place of the one before: its word is none for the sessions of that
  /// one, and who was in gives up in time.
  @Test(arguments: [Duration.zero, .seconds(30)])
  func anotherServerComes(downtime: Duration) {
    let (world, player) = SimulatedWorld.joined(seed: 7, conditions: .local)
    world.send(numbered(5), from: player)
    world.run(for: .seconds(1))
    let (id, before) = (world.server.id, world.server)
    world.restartServer(after: downtime, keepsInstance: false)
    #expect(world.server.id == id && world.server !== before)
    world.send(numbered(5, from: 5), from: player)
    world.run(for: .seconds(40))
    #expect(player.host.offlineCount == 1 && world.serverHost.events.isEmpty)
    #expect(world.server.statistics[.unknownConnection] > 0)
    let said = world.serverHost.traffic.datagramsSent - Int(before.statistics.datagramsSent)
    #expect(
      said == Int(world.server.statistics.resetsSent), "it says nothing to strangers, but that they are strangers")
    #expect((world.serverHost.missedDatagrams > 0) == (downtime > .zero))

    // Somebody who comes now gets in, and its session is the first one of this process.
    let late = world.addPlayer(conditions: .local)
    world.connect(late)
    world.run(for: .seconds(1))
    #expect(late.hasJoined && world.session(of: late) == Self.first)
    world.send(numbered(5, salt: 9), from: late)
    world.expectDelivery(up: numbered(5, salt: 9), of: late, within: .seconds(1))
    let former = world.serverHost.formerProcesses[0]
    #expect(difference(former.inbox[Self.first] ?? [], numbered(5)) == nil, "the books of both are kept apart")

    world.run(for: .seconds(300))
    #expect(player.host.ends == [.timedOut] && player.client.isIdle && late.host.ends.isEmpty)
    world.expectSound()
  }

  /// Addresses that the process before had validated are not validated any more: the ledger of three times is new.
  @Test func aNewServerTrustsNoAddress() {
    let (world, player) = SimulatedWorld.joined(seed: 8, conditions: NetworkConditions(delay: .milliseconds(50)))
    world.send(numbered(2000, size: 500), from: player)
    world.run(for: .milliseconds(200))
    world.restartServer()
    // What was on its way arrives at the new process.
    world.run(for: .seconds(5))
    #expect(world.server.statistics[.unknownConnection] > 10)
    let traffic = world.serverTraffic(with: player.host.outside)
    #expect(traffic.sent < traffic.received && traffic.received > 1000)
    world.restart(player)
    world.run(for: .seconds(1))
    #expect(player.hasJoined)
    world.send(numbered(5), from: player)
    world.expectDelivery(up: numbered(5), of: player)
  }

  /// Both at once, as after a power cut.
  @Test(arguments: [9, 10, 11] as [UInt64])
  func aPowerCut(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: .local)
    world.send(numbered(100, size: 1000), from: player)
    world.run(for: .milliseconds(5))
    world.restart(player, after: .seconds(20))
    world.restartServer(after: .seconds(22))
    world.run(for: .seconds(40))
    #expect(player.hasJoined && world.serverHost.joinedCount == 1 && world.serverHost.ends.isEmpty)
    world.send(numbered(10), from: player)
    world.send(numbered(10), to: player)
    world.expectDelivery(up: numbered(10), down: numbered(10), of: player)
  }
}
