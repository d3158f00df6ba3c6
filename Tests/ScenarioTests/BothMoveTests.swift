import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Player and server change networks within the same second: what each says of it goes to where the other was
/// (PROTOCOL §5.6).
@Suite struct BothMoveTests {
  private static let seeds: [UInt64] = [1, 2, 3, 4, 5]
  /// From when either can reach the other.
  private static let limit = Duration.seconds(3)

  /// How the player can know where the server is.
  enum Knowledge: CaseIterable {
    /// Its name is known.
    case name
    /// It had told of another address, which it keeps.
    case secondAddress
  }

  @Test(arguments: seeds, Knowledge.allCases)
  func withinOneSecond(seed: UInt64, knowledge: Knowledge) {
    for offset in [Duration.zero, .milliseconds(30), .milliseconds(700), .milliseconds(-20), .milliseconds(-600)] {
      let story = RoamingStory(seed: seed, .init(isBehindNAT: true))
      let (world, player) = (story.world, story.player)
      switch knowledge {
      case .name:
        world.nameServer = NameServer { $0.serverAddresses }
      case .secondAddress:
        world.connect(world.addInterface(to: world.serverHost))
        world.notice(world.serverHost)
      }
      story.talk(for: .seconds(1))
      let start = world.now
      world.after(max(.zero, .zero - offset)) { $0.move(player, behind: $0.addNAT()) }
      world.after(max(.zero, offset)) { $0.moveServer() }
      story.talk(for: .seconds(8))
      story.expectGaps(Self.limit + max(offset, .zero - offset), since: start)
      story.expectOneSession()
      #expect(world.serverHost.moves.last?.to == player.host.outside, "seed \(seed), \(offset)")
    }
  }

  /// Nobody knows of the other at first: the server's name is slow to follow, by ten seconds.
  @Test(arguments: seeds)
  func theNameIsLate(seed: UInt64) {
    let story = RoamingStory(seed: seed, .init(isBehindNAT: true))
    let (world, player) = (story.world, story.player)
    let old = world.serverAddresses
    var known = old
    world.nameServer = NameServer { _ in known }
    world.move(player, behind: world.addNAT())
    world.moveServer()
    story.talk(for: .seconds(10))
    known = world.serverAddresses
    let (start, said) = (world.now, story.said)
    // The engine asks the name again after pauses that grow, up to half a minute.
    let wait = story.talk(within: .seconds(35)) { story.isDelivered(said) }
    #expect(wait != nil, "seed \(seed): not found after \(world.now - start)")
    story.talk(for: .seconds(1))
    story.expectOneSession()
  }

  /// The server comes back to where it was; the player has moved twice meanwhile.
  @Test(arguments: seeds)
  func theServerComesBack(seed: UInt64) {
    let story = RoamingStory(seed: seed)
    let (world, player) = (story.world, story.player)
    world.moveServer(behind: world.addNAT())
    world.move(player, behind: world.addNAT())
    story.talk(for: .seconds(5))
    world.move(player, behind: world.addNAT())
    story.talk(for: .seconds(5))
    world.moveServer(toPlace: 0)
    let start = world.now
    let said = story.said
    let wait = story.talk(within: Self.limit) { story.isDelivered(said) }
    #expect(wait != nil, "seed \(seed): silent \(world.now - start) after")
    story.talk(for: .seconds(1))
    story.expectOneSession()
  }
}
