import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// A server whose machine changes networks: a laptop that hosts (PROTOCOL §5.6). The players' sessions go on.
@Suite struct MovingServerTests {
  private static let seeds: [UInt64] = [1, 2, 3, 4, 5]
  /// A server that can be reached is reached again within this.
  private static let limit = Duration.seconds(2)

  /// It says so itself, from where it is now, to a player whom its packets reach.
  @Test(arguments: seeds)
  func itSaysSo(seed: UInt64) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    let (start, before) = (world.now, world.serverHost.outside)
    world.moveServer()
    story.talk(for: .seconds(5))
    // The first packet from there, a challenge and its answer: the player follows when it is sure.
    story.expectGaps(RoamingStory.roundTrip * 2 + .milliseconds(100), since: start)
    story.expectOneSession()
    #expect(player.host.moves == [Move(.peer, before, world.serverHost.outside)], "seed \(seed)")
    #expect(world.serverHost.moves.isEmpty)
  }

  /// It says so behind a NAT, which lets in whom the server writes to.
  @Test(arguments: seeds)
  func itGoesBehindARouter(seed: UInt64) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    let start = world.now
    world.moveServer(behind: world.addNAT())
    story.talk(for: .seconds(5))
    story.expectGaps(Self.limit, since: start)
    story.expectOneSession()
    #expect(player.host.moves.map(\.to) == [world.serverHost.outside], "seed \(seed)")
  }

  /// Its router switches to another line, and nobody inside is told: its players see its packets come from elsewhere.
  @Test(arguments: seeds)
  func itsRouterMoves(seed: UInt64) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    let start = world.now
    world.moveServer(isNoticed: false)
    story.talk(for: .seconds(5))
    story.expectGaps(Self.limit, since: start)
    story.expectOneSession()
    #expect(player.host.moves.map(\.to) == [world.serverHost.outside], "seed \(seed)")
  }

  /// A player behind a router does not hear a server that writes from elsewhere. It knows where else the server is: the
  /// server has said so.
  @Test(arguments: seeds, [false, true])
  func itHasTwoAddresses(seed: UInt64, isNoticed: Bool) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: true))
    let (world, player) = (story.world, story.player)
    let second = world.addInterface(to: world.serverHost)
    world.connect(second)
    world.notice(world.serverHost)
    story.talk(for: .seconds(1))
    let start = world.now
    world.set(world.serverHost.interface, isNoticed ? .down : .silent)
    story.talk(for: .seconds(5))
    story.expectGaps(Self.limit, since: start)
    story.expectOneSession()
    #expect(player.host.moves.map(\.to) == [second.outside], "seed \(seed)")
  }

  /// Nor does it know where the server is now; but the server's name does.
  @Test(arguments: seeds, [false, true])
  func itsNameIsKnown(seed: UInt64, isNoticed: Bool) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: true))
    let (world, player) = (story.world, story.player)
    world.nameServer = NameServer { $0.serverAddresses }
    let start = world.now
    world.moveServer(isNoticed: isNoticed)
    story.talk(for: .seconds(5))
    story.expectGaps(Self.limit, since: start)
    story.expectOneSession()
    #expect(player.host.moves.map(\.to) == [world.serverHost.outside], "seed \(seed)")
    #expect((1...3).contains(world.nameServer?.questions ?? 0))
  }

  /// The server goes behind a router that lets its port in, as its players find by its name.
  @Test(arguments: seeds)
  func itsNameLeadsToARouter(seed: UInt64) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: true))
    let (world, player) = (story.world, story.player)
    world.nameServer = NameServer { $0.serverAddresses }
    let start = world.now
    world.moveServer(behind: world.addNAT())
    world.openPort(of: world.serverHost)
    story.talk(for: .seconds(5))
    story.expectGaps(Self.limit, since: start)
    story.expectOneSession()
    #expect(player.host.moves.map(\.to) == [world.serverHost.outside] && world.serverHost.nat != nil)
  }

  /// IPv4, IPv6 and back: a player with both follows.
  @Test(arguments: seeds)
  func families(seed: UInt64) {
    let story = RoamingStory(seed: seed, .init(families: .both))
    let (world, player) = (story.world, story.player)
    for families in [AddressFamilies.ipv6, .ipv4] {
      let start = world.now
      world.moveServer(families)
      world.nameServer = NameServer { $0.serverAddresses }
      story.talk(for: .seconds(5))
      story.expectGaps(Self.limit, since: start)
      let followed = player.host.moves.last { $0.side == .peer }
      #expect(followed?.to == world.serverHost.outside, "seed \(seed)")
    }
    story.expectOneSession()
    #expect(player.host.moves.map { $0.to.isIPv4 } == [false, false, true, true], "\(player.host.moves)")
  }

  /// Gone for half a minute, and back at another address, which a name tells.
  @Test(arguments: seeds)
  func goneForAWhile(seed: UInt64) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: true))
    let (world, player) = (story.world, story.player)
    world.nameServer = NameServer { $0.serverAddresses }
    let interface = world.serverHost.interface
    world.set(interface, .down)
    story.talk(for: .seconds(30))
    world.connect(interface)
    let said = story.said
    world.set(interface, .up)
    story.talk(for: .seconds(3))
    #expect(story.isDelivered(said), "seed \(seed)")
    story.expectOneSession()
    #expect(player.host.moves.map(\.to) == [world.serverHost.outside], "seed \(seed)")
  }

  /// Many players at once, a server that moves ten times in twenty seconds, and one session for each of them.
  @Test(arguments: [1, 2] as [UInt64])
  func manyPlayers(seed: UInt64) {
    let world = SimulatedWorld(seed: seed)
    let players = (0..<10).map { index in
      world.addPlayer(
        conditions: NetworkConditions(loss: 0.02, delay: .milliseconds(20), jitter: .milliseconds(10)),
        behind: index < 5 ? world.addNAT() : nil)
    }
    world.nameServer = NameServer { $0.serverAddresses }
    for player in players { world.connect(player) }
    world.run(for: .seconds(1))
    let count = 400
    for tick in 0..<count {
      world.after(.milliseconds(50 * tick)) { world in
        for player in players {
          world.send(numberedMessage(tick, size: 30), from: player)
          world.send([numberedMessage(tick, size: 30)], to: player)
        }
      }
    }
    for move in 0..<10 { world.after(.milliseconds(500 + 2000 * move)) { $0.moveServer(isNoticed: move % 3 != 2) } }
    world.run(for: .seconds(20))
    for player in players {
      world.expectDelivery(up: numbered(count, size: 30), down: numbered(count, size: 30), of: player)
      #expect(player.host.moves.last?.to == world.serverHost.outside, "seed \(seed)")
    }
    #expect(world.serverHost.joinedCount == 10 && world.serverHost.ends.isEmpty)
  }
}
