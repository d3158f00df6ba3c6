import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// A player whose machine, or whose router, takes another way (PROTOCOL §5.5): how long the game stands still.
@Suite struct RouteTests {
  private static let seeds: [UInt64] = [1, 2, 3]
  /// From one announced way to another: what was under way is sent again at once.
  private static let moveLimit = RoamingStory.roundTrip + .milliseconds(100)

  /// Wi-Fi and cable, or Wi-Fi and telephone: both are there, and the system comes to prefer the other.
  @Test(arguments: seeds, [false, true])
  func theDefaultRouteMoves(seed: UInt64, isBehindNAT: Bool) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: isBehindNAT))
    let (world, player) = (story.world, story.player)
    let second = story.plugIn(behind: isBehindNAT ? world.addNAT() : nil)
    world.notice(player.host)
    story.talk(for: .seconds(1))
    let (start, before) = (world.now, player.host.outside)
    world.prefer(second)
    story.talk(for: .seconds(5))
    story.expectGaps(Self.moveLimit, since: start)
    story.expectOneSession()
    let after = player.host.outside
    #expect(before.ip != after.ip && before.port != after.port || isBehindNAT)
    #expect(world.serverHost.moves == [Move(.peer, before, after)], "seed \(seed)")
    #expect(player.host.moves == [Move(.own, before, after)], "seed \(seed)")
  }

  /// One interface, another network: the old address is gone at once.
  @Test(arguments: seeds, [false, true])
  func theNetworkIsAnother(seed: UInt64, isBehindNAT: Bool) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: isBehindNAT))
    let (world, player) = (story.world, story.player)
    let (start, before) = (world.now, player.host.outside)
    world.move(player, behind: isBehindNAT ? world.addNAT() : nil)
    story.talk(for: .seconds(5))
    story.expectGaps(Self.moveLimit, since: start)
    story.expectOneSession()
    #expect(world.serverHost.moves == [Move(.peer, before, player.host.outside)], "seed \(seed)")
  }

  /// The router forgets, and the player cannot know: the next packet has another source, and the server follows.
  @Test(arguments: seeds)
  func theRouterForgets(seed: UInt64) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: true))
    let (world, player) = (story.world, story.player)
    let (start, before) = (world.now, player.host.outside)
    player.host.nat?.forget()
    story.talk(for: .seconds(5))
    story.expectGaps(RoamingStory.roundTrip + .milliseconds(50), since: start)
    story.expectOneSession()
    let after = player.host.outside
    #expect(after.ip == before.ip && after != before)
    #expect(world.serverHost.moves == [Move(.peer, before, after)], "seed \(seed)")
  }

  /// A fifth of everything is lost as well.
  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func theRouterForgetsUnderLoss(seed: UInt64) {
    let story = RoamingStory(seed: seed, .init(loss: 0.2, isBehindNAT: true))
    let start = story.world.now
    story.player.host.nat?.forget()
    story.talk(for: .seconds(5))
    story.expectGaps(.milliseconds(1500), since: start)
    story.expectOneSession(within: .seconds(20))
    #expect(!story.world.serverHost.moves.isEmpty)
  }

  /// The household's router switches from cable to mobile: another address for all, and no machine inside is told.
  @Test(arguments: seeds)
  func theRouterMoves(seed: UInt64) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: true))
    let (world, player) = (story.world, story.player)
    let start = world.now
    world.move(player, isNoticed: false, behind: world.addNAT())
    story.talk(for: .seconds(5))
    story.expectGaps(RoamingStory.roundTrip + .milliseconds(100), since: start)
    story.expectOneSession()
    #expect(world.serverHost.moves.map(\.to) == [player.host.outside])
  }

  // MARK: Gone for a while

  /// No network for 25 s, then another one: what both said meanwhile arrives within a second.
  @Test(arguments: seeds, [false, true])
  func noNetworkForAWhile(seed: UInt64, isNoticed: Bool) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: true))
    let (world, player) = (story.world, story.player)
    let interface = player.host.interface
    world.set(interface, isNoticed ? .down : .silent)
    story.talk(for: .seconds(25))
    let (said, before) = (story.said, player.inbox.count)
    if isNoticed {
      world.connect(interface, behind: world.addNAT())
      world.set(interface, .up)
    } else {
      world.move(interface, isNoticed: false, behind: world.addNAT())
      interface.state = .up
    }
    #expect(said - before >= 25 * 20)
    world.run(for: .seconds(1))
    #expect(
      story.isDelivered(said), "seed \(seed): \(world.inbox(from: player).count), \(player.inbox.count) of \(said)")
    story.talk(for: .seconds(2))
    story.expectOneSession()
    #expect(player.host.offlineCount == player.host.onlineCount)
  }

  // MARK: Families

  /// IPv4, IPv6 and back. The player knows both addresses of the server, or one, and the server tells the other.
  @Test(arguments: seeds, [false, true])
  func families(seed: UInt64, knowsBoth: Bool) {
    let story = RoamingStory(
      seed: seed, .init(serverFamilies: .both, knows: { knowsBoth ? $0 : $0.filter { $0.family == .ipv4 } }))
    let (world, player) = (story.world, story.player)
    for families in [AddressFamilies.ipv6, .ipv4] {
      let start = world.now
      world.move(player, families)
      story.talk(for: .seconds(5))
      // Another address of the server is asked first, which is a round trip, and a system may take a moment to put a
      // route in the place of another.
      story.expectGaps(RoamingStory.roundTrip * 2 + .milliseconds(20), since: start)
      #expect(world.serverHost.moves.last?.to == player.host.outside, "seed \(seed)")
    }
    story.expectOneSession()
    #expect(world.serverHost.moves.count == 2 && !world.serverHost.moves[0].to.isIPv4)
  }

  // MARK: Two interfaces

  /// One of them dies without an error. The other one is there, and asked after one probe timeout.
  @Test(arguments: seeds, [false, true])
  func failover(seed: UInt64, isBehindNAT: Bool) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: isBehindNAT))
    let (world, player) = (story.world, story.player)
    let second = story.plugIn(behind: isBehindNAT ? world.addNAT() : nil)
    world.notice(player.host)
    story.talk(for: .seconds(2))
    let limit = story.probeTimeout + RoamingStory.roundTrip * 2
    var start = world.now
    player.host.isUp = false
    story.talk(for: .seconds(5))
    story.expectGaps(limit, since: start)
    #expect(world.serverHost.moves.last?.to == second.outside, "seed \(seed)")

    // And back again, when the other one dies.
    player.host.isUp = true
    start = world.now
    let back = story.probeTimeout + RoamingStory.roundTrip * 2
    second.state = .silent
    story.talk(for: .seconds(5))
    story.expectGaps(back, since: start)
    story.expectOneSession()
  }
}
