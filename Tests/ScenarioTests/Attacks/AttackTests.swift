import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Others on the way, and what they cannot do. Each shows the attack fail and the session go on.
@Suite struct AttackTests {
  private static let attacker = NetworkAddress(ipv4: 203, 0, 113, 66, port: 6666)
  private static let conditions = NetworkConditions(delay: .milliseconds(20))

  private static func start(seed: UInt64) -> (SimulatedWorld, SimulatedPlayer) {
    SimulatedWorld.joined(seed: seed, conditions: conditions)
  }

  /// 20 messages a second both ways, while the attack is on.
  private func play(_ world: SimulatedWorld, _ player: SimulatedPlayer, seconds: Int) {
    let up = numbered(seconds * 20)
    let down = numbered(seconds * 20, size: 300, salt: 1)
    for tick in 0..<seconds * 20 {
      world.after(.milliseconds(50 * tick)) { world in
        world.send(up[tick], from: player)
        world.send([down[tick]], to: player)
      }
    }
    world.run(for: .seconds(seconds))
    world.expectDelivery(up: up, down: down, of: player)
    #expect(player.host.joinedCount == 1 && world.serverHost.joinedCount == 1)
    #expect(player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
  }

  /// Somebody forwards a client's packets from an address of their own, faster than they arrive themselves.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func forwarder(seed: UInt64) {
    let (world, player) = Self.start(seed: seed)
    var forwarded = 0
    world.tap { datagram in
      guard datagram.source == player.host.outside, world.random.chance(0.3) else { return .pass }
      forwarded += 1
      world.forward(datagram, from: Self.attacker, after: .milliseconds(5))
      return .pass
    }
    play(world, player, seconds: 10)
    #expect(forwarded > 50)
    #expect(world.serverHost.moves.isEmpty, "nobody answered at the attacker's address")
    let traffic = world.serverTraffic(with: Self.attacker)
    #expect(traffic.sent <= 3 * traffic.received)
    #expect(world.server.statistics[.replayed] >= UInt64(forwarded), "each came twice")
  }

  /// A single forwarded packet of a client that then falls silent: the server goes back by itself.
  @Test func aForwardedLastWord() {
    let (world, player) = Self.start(seed: 4)
    world.run(for: .seconds(1))
    var isDone = false
    world.tap { datagram in
      guard datagram.source == player.host.outside, !isDone else { return .pass }
      isDone = true
      world.forward(datagram, from: Self.attacker, after: .milliseconds(5))
      return .drop
    }
    world.send(numbered(1), from: player)
    world.run(for: .milliseconds(100))
    world.send(numbered(50, size: 500), to: player)
    world.expectDelivery(up: numbered(1), down: numbered(50, size: 500), of: player, within: .seconds(5))
    #expect(world.serverHost.moves.isEmpty)
  }

  /// Every datagram either way is sent again later, from where it came and from elsewhere.
  @Test func replayer() {
    let (world, player) = Self.start(seed: 5)
    var count: UInt64 = 0
    world.tap { datagram in
      guard datagram.bytes[0] & 0x80 == 0 else { return .pass }
      for delay in [1, 100, 3000] {
        count += 1
        world.forward(datagram, from: delay == 100 ? Self.attacker : nil, after: .milliseconds(200 + delay))
      }
      return .pass
    }
    play(world, player, seconds: 5)
    world.run(for: .seconds(4))
    let replayed = world.server.statistics[.replayed] + player.client.statistics[.replayed]
    // A short packet number means another one by the time it comes again: such a packet does not open.
    let unopened = world.server.statistics[.authenticationFailed] + player.client.statistics[.authenticationFailed]
    // The copies of the last keep-alive are still on their way.
    #expect(replayed + unopened <= count && replayed + unopened + 12 >= count, "\(replayed), \(unopened) of \(count)")
    #expect(replayed > count / 2)
    #expect(world.serverHost.moves.isEmpty && world.serverTraffic(with: Self.attacker).sent == 0)
  }

  /// The whole handshake of a player, played again by somebody else, after the player and after it left.
  @Test func handshakeReplayer() {
    let world = SimulatedWorld(seed: 6)
    let player = world.addPlayer(conditions: .local)
    var recorded: [[UInt8]] = []
    world.tap { datagram in
      if datagram.source == player.host.outside { recorded.append(datagram.bytes) }
      return .pass
    }
    world.connect(player)
    world.run(for: .seconds(1))
    world.send(numbered(5), from: player)
    world.run(for: .seconds(1))
    let copy = recorded
    for (i, bytes) in copy.enumerated() { world.inject(bytes, from: Self.attacker, after: .milliseconds(i)) }
    world.run(for: .seconds(15))
    world.close(player, afterDelivery: true)
    world.run(for: .seconds(15))
    for (i, bytes) in copy.enumerated() { world.inject(bytes, from: Self.attacker, after: .milliseconds(i)) }
    world.run(for: .seconds(15))
    #expect(world.serverHost.joinedCount == 1 && world.serverHost.ends == [.closed])
    #expect(difference(world.inbox(from: player), numbered(5)) == nil)
    #expect(world.server.isIdle)
    world.expectSound()
  }

  /// Random bytes, headers of every kind in front of them, sent to both sides from everywhere.
  @Test(arguments: [7, 8] as [UInt64])
  func garbage(seed: UInt64) {
    let (world, player) = Self.start(seed: seed)
    var ids: [[UInt8]] = []
    world.tap { datagram in
      if datagram.bytes[0] & 0x80 == 0, datagram.source == player.host.outside {
        ids = [Array(datagram.bytes[1..<9])]
      }
      return .pass
    }
    world.send(numbered(1), from: player)
    world.run(for: .seconds(1))
    let before = world.server.statistics.dropped + player.client.statistics.dropped
    for i in 0..<4000 {
      var bytes = world.random.bytes(Int.random(in: 0...1400, using: &world.random))
      switch i % 4 {
      case 0: break
      case 1: bytes = [UInt8(i & 0x1f)] + ids[0] + bytes
      case 2: bytes = [[0x80, 0x90, 0xa0, 0xb0][i / 4 % 4], 0x52, 0x4b, 0, 1, 8] + ids[0] + [0] + bytes
      default: bytes = [0x80, 0x52, 0x4b, 0, 1, 8] + world.random.bytes(9) + bytes
      }
      bytes = Array(bytes.prefix(1400))
      let delay = Duration.milliseconds(i)
      world.inject(bytes, from: i % 3 == 0 ? player.host.outside : Self.attacker, after: delay)
      world.inject(bytes, from: SimulatedWorld.serverAddress, to: player.host.outside, after: delay)
    }
    world.send(numbered(1, from: 1), from: player)
    play(world, player, seconds: 5, from: 2)
    #expect(world.server.statistics.dropped + player.client.statistics.dropped >= before + 7000)
    let traffic = world.serverTraffic(with: Self.attacker)
    #expect(traffic.sent <= traffic.received)
  }

  private func play(_ world: SimulatedWorld, _ player: SimulatedPlayer, seconds: Int, from first: Int) {
    let up = numbered(seconds * 20, from: first)
    for tick in 0..<seconds * 20 { world.after(.milliseconds(50 * tick)) { $0.send(up[tick], from: player) } }
    world.run(for: .seconds(seconds))
    world.expectDelivery(up: numbered(first + seconds * 20), of: player)
    #expect(world.serverHost.moves.isEmpty && player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
  }

  /// Every datagram is followed by cut and flipped copies of itself, handshake included.
  @Test(arguments: [9, 10] as [UInt64])
  func mutator(seed: UInt64) {
    let world = SimulatedWorld(seed: seed)
    let player = world.addPlayer(conditions: Self.conditions)
    world.tap { datagram in
      var bytes = datagram.bytes
      if world.random.chance(0.5) {
        bytes.removeLast(Int.random(in: 1...bytes.count, using: &world.random))
      } else {
        bytes[Int.random(in: 0..<bytes.count, using: &world.random)] ^=
          1 << UInt8.random(in: 0..<8, using: &world.random)
      }
      // The damaged one arrives first.
      world.forward(datagram, as: bytes, after: .milliseconds(1))
      return .pass
    }
    world.connect(player)
    world.run(within: .seconds(10)) { _ in player.hasJoined && world.session(of: player) != nil }
    #expect(player.hasJoined)
    play(world, player, seconds: 5)
    #expect(world.server.statistics[.authenticationFailed] > 50)
    #expect(world.serverHost.moves.isEmpty)
  }

  /// Somebody claims the player's address: the server says nothing to it beyond its Welcomes.
  @Test func reflection() {
    let world = SimulatedWorld(seed: 11)
    let player = world.addPlayer(conditions: .local)
    var hello: [UInt8] = []
    world.tap { datagram in
      if hello.isEmpty { hello = datagram.bytes }
      return .drop
    }
    world.connect(player)
    world.run(for: .milliseconds(1))
    let victim = NetworkAddress(ipv4: 198, 51, 100, 1, port: 53)
    for i in 0..<100 {
      var copy = hello
      copy[1 + 4 + 1] = UInt8(i)
      world.inject(i % 2 == 0 ? hello : copy, from: victim, after: .milliseconds(i))
    }
    world.run(for: .seconds(30))
    let traffic = world.serverTraffic(with: victim)
    #expect(traffic.sent <= traffic.received)
    world.expectSound()
  }
}
