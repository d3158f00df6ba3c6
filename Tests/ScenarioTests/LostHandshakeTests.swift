import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Moves and copies in the moments in which there is no session (PROTOCOL §1.7, §5.7, §6).
@Suite struct LostHandshakeTests {
  private static let seeds: [UInt64] = [1, 2, 3]

  private static func world(seed: UInt64) -> (SimulatedWorld, SimulatedPlayer, Forwarder) {
    let world = SimulatedWorld(seed: seed)
    world.nameServer = NameServer { $0.serverAddresses }
    let player = world.addPlayer(conditions: NetworkConditions(delay: .milliseconds(50)))
    return (world, player, world.addForwarder(to: player))
  }

  private static func isFinish(_ datagram: Datagram) -> Bool { datagram.bytes[0] == HandshakeKind.finish.rawValue }
  private static func isHello(_ datagram: Datagram) -> Bool { datagram.bytes[0] == HandshakeKind.hello.rawValue }
  private static func isWelcome(_ datagram: Datagram) -> Bool { datagram.bytes[0] == HandshakeKind.welcome.rawValue }

  /// The server begins anew, says so, and moves before it is asked for another session: only its name tells where.
  @Test(arguments: seeds)
  func restartedThenMoved(seed: UInt64) {
    let (world, player, forwarder) = Self.world(seed: seed)
    world.connect(player)
    world.run(within: .seconds(5)) { _ in player.hasJoined && world.session(of: player) != nil }
    world.restartServer()
    var hasMoved = false
    forwarder.upward = { datagram in
      guard Self.isHello(datagram), !hasMoved else { return .ignores }
      hasMoved = true
      world.after(.zero) { $0.moveServer() }
      return .stops
    }
    world.send(numberedMessage(0, size: 20), from: player)
    let isBack = world.run(within: .seconds(4)) { _ in player.host.joinedCount == 2 }
    #expect(isBack && hasMoved, "seed \(seed): \(player.host.events)")
    #expect(player.host.resets.count == 1 && player.host.ends.isEmpty)
    world.expectSound()
  }

  /// The server moves when its Welcome has left: the Finish is brought to where it is now.
  @Test(arguments: seeds, [false, true])
  func movedBeforeTheFinish(seed: UInt64, isReconnection: Bool) {
    let (world, player, forwarder) = Self.world(seed: seed)
    if isReconnection {
      world.connect(player)
      world.run(within: .seconds(5)) { _ in player.hasJoined && world.session(of: player) != nil }
      world.restartServer()
      world.send(numberedMessage(0, size: 20), from: player)
    }
    var hasMoved = false
    forwarder.upward = { datagram in
      guard Self.isFinish(datagram), !hasMoved else { return .ignores }
      hasMoved = true
      world.after(.zero) { $0.moveServer(isNoticed: false) }
      return .stops
    }
    if !isReconnection { world.connect(player) }
    let joined = isReconnection ? 2 : 1
    let isIn = world.run(within: .seconds(6)) { _ in player.host.joinedCount == joined }
    #expect(isIn && hasMoved, "seed \(seed): \(player.host.events)")
    world.send(numbered(5, salt: 1), from: player)
    world.run(for: .seconds(2))
    #expect(world.inbox(from: player).suffix(5) == numbered(5, salt: 1)[...], "seed \(seed)")
    #expect(world.serverHost.joinedCount == 1 && player.host.ends.isEmpty)
    world.expectSound()
  }

  /// A Welcome that comes from elsewhere first leads nobody there; where only the copy arrives nobody answers it.
  @Test(arguments: seeds, [Forwarder.Choice.copies, .takes])
  func aWelcomeFromElsewhere(seed: UInt64, choice: Forwarder.Choice) {
    let (world, player, forwarder) = Self.world(seed: seed)
    forwarder.carriesBack = false
    forwarder.downward = { Self.isWelcome($0) ? choice : .ignores }
    world.connect(player)
    world.run(for: .seconds(2))
    #expect(player.hasJoined == (choice == .copies), "seed \(seed)")
    #expect(forwarder.sentOn > 0 && forwarder.received == 0, "seed \(seed): something was sent to the copy's address")
    forwarder.downward = { _ in .ignores }
    let isIn = world.run(within: .seconds(5)) { _ in player.hasJoined }
    #expect(isIn && player.host.moves.isEmpty, "seed \(seed)")
    world.expectSound()
  }
}
