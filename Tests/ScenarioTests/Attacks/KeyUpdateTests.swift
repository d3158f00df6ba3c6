import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Somebody on the way who holds packets back and repeats them while both sides renew their keys (PROTOCOL §2.2).
@Suite struct KeyUpdateTests {
  /// Every tenth packet or so sealed with a new key, each direction by itself. A fifth of the packets come late, by up
  /// to several phases; all of them come again, once the keys that opened them are gone.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func heldBackAndRepeated(seed: UInt64) throws {
    var configuration = RoamkeyConfiguration()
    configuration.keyUpdatePacketCount = 10
    let game = HonestGame(seed: seed, configuration: configuration)
    let (world, player) = (game.world, game.players[0])
    var repeated = 0
    world.tap { datagram in
      for delay in [150, 900, 3000] {
        world.forward(datagram, after: .milliseconds(delay))
        repeated += 1
      }
      guard world.random.chance(0.2) else { return .pass }
      world.forward(datagram, after: .milliseconds(Int.random(in: 30...400, using: &world.random)))
      return .drop
    }
    game.play(10)
    let sessions = [try #require(player.client.session), try #require(world.server.players[player.id])]
    for session in sessions { #expect(session.phases.number >= 10, "seed \(seed): \(session.phases.number) phases") }
    game.expectUnharmed()
    let dropped = world.server.statistics.dropped + player.client.statistics.dropped
    #expect(dropped > UInt64(repeated / 2), "seed \(seed): \(dropped) of \(repeated)")
  }

  /// What was sealed in a phase long gone is not opened, even where its number is within the replay window and was
  /// never seen: it was held back for two seconds.
  @Test func aPhaseThatIsGone() throws {
    var configuration = RoamkeyConfiguration()
    configuration.keyUpdatePacketCount = 4
    let game = HonestGame(seed: 7, configuration: configuration)
    let (world, player) = (game.world, game.players[0])
    game.play(1)
    var held: Datagram?
    world.tap { datagram in
      guard held == nil, datagram.isFrom(player) else { return .pass }
      held = datagram
      return .drop
    }
    // Fewer than 128 packets later: the one byte of its number still says which it is (PROTOCOL §3.2).
    game.play(2)
    let before = (world.server.statistics[.authenticationFailed], world.server.statistics[.replayed])
    world.forward(try #require(held), after: .milliseconds(1))
    world.run(for: .milliseconds(10))
    #expect(world.server.statistics[.authenticationFailed] == before.0 + 1)
    #expect(world.server.statistics[.replayed] == before.1)
    game.play(1)
    game.expectUnharmed()
  }

  /// A player that never acknowledges a phase cannot hold up the others, nor make the server use a key for two of them:
  /// the server stays in the phase until it has been answered.
  @Test func aPeerThatNeverAcknowledges() throws {
    var configuration = RoamkeyConfiguration()
    configuration.keyUpdatePacketCount = 10
    let game = HonestGame(seed: 8, configuration: configuration)
    let world = game.world
    let mute = world.addPlayer(conditions: .local)
    world.connect(mute)
    world.run(for: .seconds(1))
    let session = try #require(world.server.players[mute.id])
    let phase = session.sendPhase.number
    // It hears nothing any more, so it acknowledges nothing, and talks on.
    world.tap { $0.destination == mute.host.outside ? .drop : .pass }
    for _ in 0..<10 {
      for _ in 0..<10 { world.send([1], from: mute) }
      world.send(numbered(20, size: 500), to: mute)
      game.play(1)
    }
    #expect(session.sendPhase.number <= phase + 1, "it moved at most once, for what was acknowledged before")
    #expect(try #require(world.server.players[game.players[0].id]).sendPhase.number >= 10)
    game.expectUnharmed()
  }
}
