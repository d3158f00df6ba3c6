import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Every session ends once, on both sides, and leaves nothing behind.
@Suite struct ClosingTests {
  private static let bad = NetworkConditions(
    loss: 0.3, duplication: 0.1, delay: .milliseconds(20), jitter: .milliseconds(20))

  private func expectGone(_ world: SimulatedWorld, _ player: SimulatedPlayer, _ reason: EndReason) {
    #expect(player.host.ends == [reason] && world.serverHost.ends == [reason], "seed \(world.seed)")
    #expect(player.client.isIdle && world.server.isIdle, "seed \(world.seed)")
    #expect(player.client.nextTimeout == nil)
    let before = player.host.traffic.datagramsSent + world.serverHost.traffic.datagramsSent
    world.run(for: .seconds(30))
    #expect(player.host.traffic.datagramsSent + world.serverHost.traffic.datagramsSent == before)
    world.expectSound()
  }

  @Test(arguments: [NetworkConditions.local, bad], 1...5 as ClosedRange<UInt64>)
  func afterDelivery(conditions: NetworkConditions, seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: conditions)
    let messages = numbered(300, size: 400)
    world.send(messages, from: player)
    world.close(player, afterDelivery: true)
    let isGone = world.run(within: .seconds(120)) { _ in player.client.isIdle && world.server.isIdle }
    #expect(difference(world.inbox(from: player), messages) == nil, "seed \(seed)")
    guard !isGone, conditions.loss > 0 else { return expectGone(world, player, .closed) }
    // All three of the client's tries were lost: the server hears of it from silence.
    world.run(for: .seconds(330))
    #expect(player.host.ends == [.closed] && world.serverHost.ends == [.timedOut] && world.server.isIdle)
    world.expectSound()
  }

  @Test(arguments: [NetworkConditions.local, bad], 1...10 as ClosedRange<UInt64>)
  func atOnce(conditions: NetworkConditions, seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: conditions)
    world.send(numbered(100), to: player)
    world.close(player, afterDelivery: false)
    let isGone = world.run(within: .seconds(30)) { _ in player.client.isIdle && world.server.isIdle }
    // All tries may be lost: then the server hears of it from silence.
    if !isGone { world.run(for: .seconds(330)) }
    #expect(player.host.ends == [.closed] && world.serverHost.ends.count == 1)
    #expect(isGone ? world.serverHost.ends == [.closed] : world.serverHost.ends == [.timedOut], "seed \(seed)")
    #expect(world.server.isIdle)
    world.expectSound()
  }

  @Test func kicked() {
    let (world, player) = SimulatedWorld.joined(seed: 11, conditions: .local)
    if let session = world.session(of: player) { world.close(session, code: .kicked, reason: "no spam, please") }
    world.run(for: .seconds(10))
    expectGone(world, player, .kicked("no spam, please"))
  }

  @Test func shutdownEndsAllAndAdmitsNobody() {
    let world = SimulatedWorld(seed: 12)
    let players = (0..<3).map { _ in world.addPlayer(conditions: Self.bad) }
    for player in players { world.connect(player) }
    world.run(within: .seconds(9)) { _ in players.allSatisfy(\.hasJoined) }
    world.shutdown()
    let late = world.addPlayer(conditions: .local)
    world.connect(late)
    world.run(for: .seconds(15))
    for player in players { #expect(player.host.ends == [.shutdown]) }
    #expect(world.serverHost.ends == [.shutdown, .shutdown, .shutdown] && world.server.isIdle)
    #expect(late.host.connectErrors == [.noAnswer])
    world.expectSound()
  }

  @Test func bothAtTheSameMoment() {
    let (world, player) = SimulatedWorld.joined(seed: 13, conditions: .local)
    world.close(player, afterDelivery: false)
    if let session = world.session(of: player) { world.close(session, code: .kicked, reason: "") }
    world.run(for: .seconds(10))
    #expect(player.host.ends == [.closed] && world.serverHost.ends == [.kicked("")])
    #expect(player.client.isIdle && world.server.isIdle)
    world.expectSound()
  }

  /// The queue is still full when the network goes: the end comes by silence, and only then.
  @Test func afterDeliveryWithoutNetwork() {
    let (world, player) = SimulatedWorld.joined(seed: 14, conditions: .local)
    player.host.isUp = false
    world.send(numbered(5), from: player)
    world.close(player, afterDelivery: true)
    world.after(.seconds(60)) { _ in player.host.isUp = true }
    world.run(for: .seconds(70))
    #expect(difference(world.inbox(from: player), numbered(5)) == nil)
    expectGone(world, player, .closed)
  }

  @Test func sendingAfterTheEnd() {
    let (world, player) = SimulatedWorld.joined(seed: 15, conditions: .local)
    world.close(player, afterDelivery: true)
    world.send(numbered(2), from: player)
    world.run(for: .seconds(5))
    #expect(player.host.undeliverable == 2)
    expectGone(world, player, .closed)
  }

  @Test func closedBeforeConnected() {
    let world = SimulatedWorld(seed: 16)
    let player = world.addPlayer(conditions: .local)
    world.connect(player)
    world.run(for: .microseconds(500))
    world.close(player, afterDelivery: true)
    world.run(for: .seconds(15))
    #expect(player.host.connectErrors == [.closed] && player.client.isIdle && world.server.isIdle)
    world.expectSound()
  }

  /// Closed between Welcome and the server's first packet: the client is told of one end, whichever it is.
  @Test(arguments: [false, true])
  func closedBeforeConfirmed(afterDelivery: Bool) {
    let world = SimulatedWorld(seed: 17)
    let player = world.addPlayer(conditions: .local)
    world.connect(player)
    world.run(for: .microseconds(2500))
    #expect(!player.client.isIdle && !player.hasJoined)
    world.close(player, afterDelivery: afterDelivery)
    world.run(for: .seconds(20))
    let ends = player.host.ends.count + player.host.connectErrors.count
    #expect(ends == 1, "\(player.host.events)")
    #expect(player.client.isIdle && world.server.isIdle)
    world.expectSound()
  }
}
