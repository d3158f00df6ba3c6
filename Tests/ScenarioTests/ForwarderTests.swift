import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Somebody on the way who sends a player's packets, or the server's, from an address of their own before they arrive
/// (PROTOCOL §5.4): the session stays with those who hold the keys.
@Suite struct ForwarderTests {
  private static let seeds: [UInt64] = [1, 2, 3]

  /// Every packet of the player's comes from elsewhere first, for a minute; nothing is carried back.
  @Test(arguments: seeds)
  func everyPacketComesFirstFromElsewhere(seed: UInt64) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    let forwarder = world.addForwarder(to: player)
    forwarder.carriesBack = false
    let start = world.now
    forwarder.upward = { _ in .copies }
    story.talk(for: .seconds(60))
    forwarder.upward = { _ in .ignores }
    story.talk(for: .seconds(2))
    // It is a nuisance, and no more.
    story.expectGaps(.seconds(2), since: start)
    story.expectOneSession()
    #expect(forwarder.sentOn > 1000 && world.serverHost.moves.isEmpty, "seed \(seed): \(world.serverHost.moves)")
    let traffic = world.serverTraffic(with: forwarder.address)
    #expect(traffic.sent <= 3 * traffic.received, "seed \(seed): \(traffic)")
  }

  /// It carries the answers back as well, so that it is a way that works: at times the session takes it. Nothing is
  /// lost, and it ends with the forwarder.
  @Test(arguments: seeds, [false, true])
  func bothWays(seed: UInt64, takes: Bool) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    let forwarder = world.addForwarder(to: player)
    let start = world.now
    let choice = takes ? Forwarder.Choice.takes : .copies
    forwarder.upward = { _ in choice }
    forwarder.downward = { _ in choice }
    story.talk(for: .seconds(30))
    forwarder.upward = { _ in .ignores }
    forwarder.downward = { _ in .ignores }
    forwarder.carriesBack = false
    story.talk(for: .seconds(10))
    story.expectGaps(.seconds(3), since: start)
    story.expectOneSession()
    if let last = world.serverHost.moves.last { #expect(last.to == player.host.outside, "seed \(seed)") }
    if let last = player.host.moves.last(where: { $0.side == .peer }) {
      #expect(last.to == SimulatedWorld.serverAddress, "seed \(seed)")
    }
  }

  /// A move that is announced, and the announcement is what comes from elsewhere first: the server believes it, and the
  /// player's next packet puts it right.
  @Test(arguments: seeds, [Forwarder.Choice.copies, .takes])
  func aForwardedAnnouncement(seed: UInt64, choice: Forwarder.Choice) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    let forwarder = world.addForwarder(to: player)
    forwarder.carriesBack = false
    // The announcement is padded and comes first.
    var left = 3
    forwarder.upward = { datagram in
      guard datagram.bytes.count >= 1200, left > 0 else { return .ignores }
      left -= 1
      return choice
    }
    let start = world.now
    world.move(player)
    story.talk(for: .seconds(10))
    #expect(left < 3)
    story.expectGaps(.seconds(choice == .takes ? 2 : 1), since: start)
    story.expectOneSession()
    #expect(world.serverHost.moves.last?.to == player.host.outside, "seed \(seed)")
    #expect(!world.serverHost.moves.contains { $0.to == forwarder.address }, "seed \(seed)")
    let traffic = world.serverTraffic(with: forwarder.address)
    #expect(traffic.sent <= 3 * traffic.received, "seed \(seed): \(traffic)")
  }

  // MARK: Back and forth

  /// One packet a second comes from elsewhere first. Three times the server believes it for a moment; from then on the
  /// address has to prove itself first, and all that goes there is what asks it to.
  @Test(arguments: seeds)
  func threeReversals(seed: UInt64) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    let forwarder = world.addForwarder(to: player)
    forwarder.carriesBack = false
    var isDue = false
    forwarder.upward = { _ in
      defer { isDue = false }
      return isDue ? .copies : .ignores
    }
    var received: [(round: Int, size: Int)] = []
    var round = 0
    world.hear(forwarder.address) { received.append((round, $0.bytes.count)) }
    for next in 1...50 {
      round = next
      isDue = true
      let start = world.now
      story.talk(for: .seconds(1))
      // The copy came a little early, and the message after it when it always does.
      if round > 4 { story.expectGaps(RoamingStory.period, since: start) }
    }
    let early = received.filter { $0.round <= 3 }
    let late = received.filter { $0.round > 4 }
    #expect(!early.isEmpty, "seed \(seed): nobody was misled")
    // Challenges, of three times the packet's size at most.
    #expect(late.count <= 46 * 3 && late.allSatisfy { $0.size <= 400 }, "seed \(seed): \(late)")
    story.expectOneSession()
    #expect(world.serverHost.moves.isEmpty, "seed \(seed)")
    let traffic = world.serverTraffic(with: forwarder.address)
    #expect(traffic.sent <= 3 * traffic.received, "seed \(seed): \(traffic)")
  }

  /// Who is doubted because of a forwarder, and then moves for good: announced, the server follows at once; not
  /// announced, once the old address has failed to answer.
  @Test(arguments: seeds, [false, true])
  func aMoveOfSomebodyWhoIsDoubted(seed: UInt64, isNoticed: Bool) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    let forwarder = world.addForwarder(to: player)
    forwarder.carriesBack = false
    forwarder.upward = { _ in .copies }
    story.talk(for: .seconds(5))
    forwarder.upward = { _ in .ignores }
    story.talk(for: .seconds(1))
    let start = world.now
    world.move(player, isNoticed: isNoticed)
    story.talk(for: .seconds(10))
    story.expectGaps(isNoticed ? .milliseconds(200) : .seconds(4), since: start)
    story.expectOneSession()
    #expect(world.serverHost.moves.last?.to == player.host.outside, "seed \(seed)")
  }

  // MARK: The server's packets from elsewhere

  /// Where no server is ever looked for, whoever says so (PROTOCOL §5.6).
  private static let forbidden = [
    NetworkAddress(ipv4: 127, 0, 0, 1, port: 22), NetworkAddress(ipv4: 224, 0, 0, 251, port: 5353),
    NetworkAddress(ipv4: 255, 255, 255, 255, port: 67), NetworkAddress(ipv4: 192, 168, 0, 1, port: 80),
    NetworkAddress(ipv4: 10, 200, 0, 1, port: 80), NetworkAddress(ipv4: 169, 254, 169, 254, port: 80),
    NetworkAddress(ipv4: 0, 0, 0, 0, port: 7), NetworkAddress(ipv4: 203, 0, 113, 66, port: 0),
    NetworkAddress(ip: 1, port: 22), NetworkAddress(ip: 0xff02 << 112 | 1, port: 5353),
    NetworkAddress(ip: 0xfd00 << 112 | 1, port: 80), NetworkAddress(ip: 0xfe80 << 112 | 1, port: 80),
  ]

  /// The server seems to have gone to where the forwarder is: it hears nothing, and all that it says comes from there.
  private func strand(_ forwarder: Forwarder) {
    forwarder.downward = { _ in .takes }
    let address = forwarder.address
    forwarder.upward = { $0.destination == address ? .ignores : .stops }
  }

  private func release(_ forwarder: Forwarder) {
    forwarder.downward = { _ in .ignores }
    forwarder.upward = { _ in .ignores }
  }

  /// The address in use is silent, and the server's packets come from such an address: nothing is sent there. With a
  /// server that says MOVED all the while, too.
  @Test(arguments: Self.forbidden, [false, true])
  func neverToSuchAnAddress(address: NetworkAddress, isMoving: Bool) {
    let story = RoamingStory(seed: 1, .init(serverFamilies: .both, families: .both))
    let (world, player) = (story.world, story.player)
    let forwarder = world.addForwarder(to: player, at: address)
    strand(forwarder)
    story.talk(for: .seconds(2))
    if isMoving { world.moveServer(.both) }
    story.talk(for: .seconds(10))
    #expect(forwarder.sentOn > 5 && forwarder.received == 0, "\(address)")
    release(forwarder)
    world.nameServer = NameServer { $0.serverAddresses }
    story.talk(for: .seconds(5))
    story.expectOneSession()
    #expect(player.host.moves.allSatisfy { $0.to != address })
  }

  /// From a public address they may come; it is asked, and until it has answered nothing else goes there: three
  /// challenges of full size for each time, three times in ten seconds.
  @Test(arguments: seeds, [false, true])
  func aSpoofedServer(seed: UInt64, isMoving: Bool) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    let forwarder = world.addForwarder(to: player)
    forwarder.carriesBack = false
    strand(forwarder)
    if isMoving { world.moveServer() }
    story.talk(for: .seconds(20))
    let asked = forwarder.received
    #expect((1...2 * 3 * 3).contains(asked), "seed \(seed): \(asked) packets in 20 s")
    release(forwarder)
    world.nameServer = NameServer { $0.serverAddresses }
    story.talk(for: .seconds(5))
    story.expectOneSession()
    #expect(player.host.moves.allSatisfy { $0.to != forwarder.address })
  }
}
