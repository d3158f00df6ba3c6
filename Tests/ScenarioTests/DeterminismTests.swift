import RoamkeySimulator
import Testing

/// A seed is a whole run: the same one gives the same datagrams and events, another one others.
@Suite struct DeterminismTests {
  private static func run(seed: UInt64) -> UInt64 {
    let world = SimulatedWorld(seed: seed)
    let players = (0..<5).map { _ in world.addPlayer(conditions: .awful) }
    for player in players { world.connect(player) }
    world.run(for: .seconds(5))
    for player in players {
      world.send(numbered(50), from: player)
      world.send(numbered(50), to: player)
    }
    world.after(.seconds(1)) { $0.move(players[0]) }
    world.after(.seconds(2)) { $0.rebind(players[1]) }
    world.run(for: .seconds(10))
    world.shutdown()
    world.run(for: .seconds(10))
    world.expectSound()
    return world.traceHash
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func sameSeedSameRun(seed: UInt64) {
    #expect(Self.run(seed: seed) == Self.run(seed: seed))
  }

  @Test func anotherSeedAnotherRun() {
    #expect(Self.run(seed: 1) != Self.run(seed: 2))
  }

  @Test func randomNumbersArePartOfTheContract() {
    var random = SeededRandom(seed: 1_234_567)
    #expect(
      (0..<3).map { _ in random.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      ])
  }
}
