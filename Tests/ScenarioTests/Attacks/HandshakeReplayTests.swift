import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Datagrams of one handshake, played again in another one. (What is played again in the session that it was made for,
/// and after it, stands in `AttackTests`.)
@Suite struct HandshakeReplayTests {
  private static let conditions = NetworkConditions(delay: .milliseconds(20))

  /// PROTOCOL §1.7: the Welcome of the player's handshake before answers no other Hello, though key, application and
  /// address are the same, and comes first.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func aWelcomeOfAnotherHandshake(seed: UInt64) {
    let world = SimulatedWorld(seed: seed)
    let player = world.addPlayer(conditions: Self.conditions)
    var welcomes: [[UInt8]] = []
    world.tap { datagram in
      switch HandshakeKind(rawValue: datagram.bytes[0]) {
      case .welcome: welcomes.append(datagram.bytes)
      case .hello:
        for old in welcomes {
          world.inject(old, from: datagram.destination, to: datagram.source, after: .milliseconds(1))
        }
      case .retry, .finish, nil: break
      }
      return .pass
    }
    world.connect(player)
    world.run(for: .seconds(1))
    for round in 1...3 {
      world.restart(player)
      world.run(for: .seconds(1))
      #expect(player.hasJoined && player.host.connectErrors.isEmpty, "seed \(seed), round \(round)")
      #expect(player.client.statistics[.badHandshake] == UInt64(round), "seed \(seed): the old ones are of no use")
    }
    world.send(numbered(5), from: player)
    world.expectDelivery(up: numbered(5), of: player)
  }

  /// PROTOCOL §1.7: a Finish belongs to the Hello whose transcript it signs. Led to another handshake, of its own
  /// player or of somebody else, it is no good, and does that handshake no harm.
  @Test(arguments: [4, 5, 6] as [UInt64])
  func aFinishOfAnotherHandshake(seed: UInt64) {
    let world = SimulatedWorld(seed: seed)
    let players = [0, 1].map { _ in world.addPlayer(conditions: Self.conditions) }
    var finishes: [[UInt8]] = []
    var replayed = 0
    world.tap { datagram in
      guard datagram.bytes[0] == HandshakeKind.finish.rawValue, !datagram.isServers else { return .pass }
      // The old ones with the new one's connection id, and as they were.
      for old in finishes {
        world.forward(datagram, as: Array(datagram.bytes[..<14]) + old.dropFirst(14), after: .milliseconds(1))
        world.forward(datagram, as: old, after: .milliseconds(1))
        replayed += 1
      }
      finishes.append(datagram.bytes)
      return .pass
    }
    world.connect(players[0])
    world.run(for: .seconds(1))
    world.connect(players[1])
    world.run(for: .seconds(1))
    world.restart(players[0])
    world.run(for: .seconds(2))
    #expect(replayed >= 3, "seed \(seed)")
    #expect(world.server.statistics[.badHandshake] >= UInt64(replayed), "seed \(seed)")
    // Each joined as who it is, as often as it asked to.
    let joined = world.serverHost.events.compactMap { if case .joined(_, let id, _) = $0 { id } else { nil } }
    #expect(joined == [players[0].id, players[1].id, players[0].id], "seed \(seed)")
    #expect(players[1].host.ends.isEmpty, "seed \(seed)")
    for player in players {
      world.send(numbered(5), from: player)
      world.expectDelivery(up: numbered(5), of: player)
    }
  }

  /// The same Hello from the same place gets the same Welcome, byte for byte, however often it comes (PROTOCOL §1.2):
  /// keys of a handshake never cover two messages, and a hundred copies make one session.
  @Test func aHelloAgainAndAgain() {
    let world = SimulatedWorld(seed: 7)
    let player = world.addPlayer(conditions: Self.conditions)
    var welcomes: [[UInt8]] = []
    world.tap { datagram in
      if datagram.bytes[0] == HandshakeKind.welcome.rawValue { welcomes.append(datagram.bytes) }
      guard datagram.bytes[0] == HandshakeKind.hello.rawValue else { return .pass }
      for i in 0..<100 { world.forward(datagram, after: .milliseconds(i / 10)) }
      return .pass
    }
    world.connect(player)
    world.run(for: .seconds(1))
    #expect(welcomes.count >= 100 && Set(welcomes).count == 1)
    #expect(world.serverHost.joinedCount == 1 && player.hasJoined)
    world.send(numbered(5), from: player)
    world.expectDelivery(up: numbered(5), of: player)
    // What still comes once the session is there begins nothing that could replace it.
    world.run(for: .seconds(30))
    #expect(world.serverHost.joinedCount == 1 && world.serverHost.ends.isEmpty)
  }
}
