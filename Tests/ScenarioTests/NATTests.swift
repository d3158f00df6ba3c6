import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Routers that forget, and those who live behind one (PROTOCOL §5, §11.1).
@Suite struct NATTests {
  private static func behind(
    _ behavior: NATBehavior, seed: UInt64, players count: Int = 1, conditions: NetworkConditions = .perfect
  ) -> (SimulatedWorld, SimulatedNAT, [SimulatedPlayer]) {
    let world = SimulatedWorld(seed: seed)
    let nat = world.addNAT(behavior, conditions: conditions)
    let players = (0..<count).map { _ in world.addPlayer(conditions: .local, behind: nat) }
    for player in players { world.connect(player) }
    let areIn = world.run(within: .seconds(10)) { world in
      players.allSatisfy { $0.hasJoined && world.session(of: $0) != nil }
    }
    #expect(areIn, "seed \(seed)")
    return (world, nat, players)
  }

  /// The keep-alive of five seconds holds a mapping of thirty, however long nobody has anything to say.
  @Test func theKeepAliveHoldsAMapping() {
    let (world, nat, players) = Self.behind(NATBehavior(), seed: 1)
    world.run(for: .seconds(600))
    #expect(nat.statistics.mapped == 1 && nat.statistics.expired == 0 && nat.statistics.unmapped == 0)
    #expect(world.serverHost.moves.isEmpty && players[0].host.moves.isEmpty)
    world.send(numbered(3), to: players[0])
    world.expectDelivery(down: numbered(3), of: players[0], within: .milliseconds(100))
  }

  /// A mapping of three seconds does not last: what the server says to a quiet player is lost until that one speaks
  /// again, from another port. The session is the same.
  @Test(arguments: [2, 3, 4] as [UInt64])
  func aMappingIsLost(seed: UInt64) {
    let (world, nat, players) = Self.behind(NATBehavior(timeout: .seconds(3)), seed: seed)
    let player = players[0]
    // Longer than the mapping lasts after the first second, in which clocks are compared; before the first keep-alive.
    world.run(for: .milliseconds(4500))
    let before = player.host.outside
    world.send(numbered(20), to: player)
    world.run(for: .milliseconds(200))
    #expect(player.inbox.isEmpty && nat.statistics.unmapped > 0)
    world.run(for: .seconds(6))
    #expect(difference(player.inbox, numbered(20)) == nil)
    #expect(player.host.outside != before && player.host.outside.ip == before.ip)
    #expect(world.serverHost.moves.first?.from == before)
    world.send(numbered(20), from: player)
    world.run(for: .seconds(60))
    world.expectDelivery(up: numbered(20), down: numbered(20), of: player, within: .seconds(10))
    #expect(nat.statistics.mapped > 5, "a fresh one for each keep-alive")
    #expect(player.host.joinedCount == 1 && world.serverHost.joinedCount == 1)
    #expect(player.host.offlineCount == 0 && world.serverHost.offlineCount == 0)
  }

  /// Both are at one IP address, and each keeps its own session.
  @Test(arguments: [false, true], [5, 6] as [UInt64])
  func twoPlayersBehindOne(isSymmetric: Bool, seed: UInt64) {
    let (world, nat, players) = Self.behind(NATBehavior(isSymmetric: isSymmetric), seed: seed, players: 2)
    #expect(
      players[0].host.outside.ip == players[1].host.outside.ip && players[0].host.outside != players[1].host.outside)
    let messages = (0..<2).map { numbered(200, salt: UInt64($0)) }
    for tick in 0..<200 {
      world.after(.milliseconds(20 * tick)) { world in
        for (player, own) in zip(players, messages) {
          world.send(own[tick], from: player)
          world.send([own[tick]], to: player)
        }
      }
    }
    // The router starts anew: both get another port.
    world.after(.seconds(2)) { $0.rebind(players[0]) }
    world.run(for: .seconds(4))
    for (player, own) in zip(players, messages) {
      world.expectDelivery(up: own, down: own, of: player, within: .seconds(10))
      #expect(player.host.moves.count == 1 && player.host.moves.last?.to == player.host.outside)
    }
    #expect(world.serverHost.moves.count == 2 && nat.statistics.mapped == 4)
    #expect(world.serverHost.joinedCount == 2 && world.serverHost.ends.isEmpty)
  }

  /// One of them leaves the house and goes on elsewhere; the other notices nothing.
  @Test func oneLeavesTheHouse() {
    let (world, _, players) = Self.behind(NATBehavior(), seed: 7, players: 2)
    let mobile = world.addNAT(NATBehavior(timeout: .seconds(120)))
    world.send(numbered(20), to: players[0])
    world.move(players[0], behind: mobile)
    world.run(for: .milliseconds(500))
    #expect(players[0].host.outside.ip == mobile.address.ip)
    #expect(world.serverHost.moves.map(\.to) == [players[0].host.outside])
    world.send(numbered(20, from: 20), to: players[0])
    world.send(numbered(20), to: players[1])
    world.expectDelivery(down: numbered(40), of: players[0], within: .seconds(5))
    world.expectDelivery(down: numbered(20), of: players[1], within: .seconds(5))
    #expect(players[1].host.moves.isEmpty)
  }

  /// With no port left a newcomer gets nothing through, and nobody inside loses theirs.
  @Test func noPortIsLeft() {
    let (world, nat, players) = Self.behind(NATBehavior(portLimit: 1), seed: 8)
    let second = world.addPlayer(conditions: .local, behind: nat)
    world.connect(second)
    world.run(for: .seconds(15))
    #expect(second.host.connectErrors == [.noAnswer] && nat.statistics.exhausted > 3)
    world.send(numbered(5), to: players[0])
    world.expectDelivery(down: numbered(5), of: players[0], within: .seconds(1))
    // Thirty seconds after the first has left, its port is free.
    world.close(players[0], afterDelivery: true)
    world.run(for: .seconds(40))
    world.restart(second)
    world.run(for: .seconds(1))
    #expect(second.hasJoined && nat.portsInUse == 1)
    world.expectSound()
  }

  /// Strangers do not get past the router, whatever they send; who claims to be the server does, and is seen through.
  @Test func strangersAreFiltered() {
    let (world, nat, players) = Self.behind(NATBehavior(), seed: 9)
    let player = players[0]
    let stranger = NetworkAddress(ipv4: 203, 0, 113, 66, port: 6666)
    for i in 0..<100 {
      let bytes = world.random.bytes(100)
      world.inject(bytes, from: stranger, to: player.host.outside, after: .milliseconds(i))
    }
    world.run(for: .seconds(1))
    #expect(nat.statistics.filtered == 100 && player.client.statistics.dropped == 0)
    world.inject(world.random.bytes(100), from: SimulatedWorld.serverAddress, to: player.host.outside)
    world.run(for: .seconds(1))
    #expect(player.client.statistics.dropped == 1)
    world.send(numbered(5), from: player)
    world.expectDelivery(up: numbered(5), of: player, within: .seconds(1))
  }

  /// A household shares its line as well: what one sends, the other waits for.
  @Test func aSharedLine() {
    let line = NetworkConditions(keepsOrder: true, bandwidth: 100_000)
    let (world, nat, players) = Self.behind(NATBehavior(), seed: 10, players: 2, conditions: line)
    let messages = numbered(100, size: 5000)
    let before = world.elapsed
    for player in players { world.send(messages, from: player) }
    world.run(within: .seconds(60)) { world in players.allSatisfy { world.inbox(from: $0).count == 100 } }
    #expect(world.elapsed - before > .seconds(10), "twice half a megabyte at 100 kB/s")
    #expect(nat.uplink.statistics.bytesCarried > 1_000_000)
    for player in players {
      #expect(player.host.uplink.statistics.overflowed == 0)
      world.expectDelivery(up: messages, of: player)
    }
  }
}
