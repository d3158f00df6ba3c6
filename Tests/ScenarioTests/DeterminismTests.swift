import RoamkeySimulator
import Testing

/// A seed is a whole run: the same one gives the same datagrams and events, another one others.
@Suite struct DeterminismTests {
  private static func run(seed: UInt64, meddle: (SimulatedWorld) -> Void = { _ in }) -> UInt64 {
    let world = SimulatedWorld(seed: seed)
    let nat = world.addNAT(NATBehavior(timeout: .seconds(3)), conditions: .dsl)
    let players = (0..<6).map { world.addPlayer(conditions: $0 < 3 ? .awful : .school, behind: $0 < 2 ? nil : nat) }
    for player in players { world.connect(player) }
    world.run(for: .seconds(5))
    for player in players {
      world.send(numbered(50), from: player)
      world.send(numbered(50), to: player)
    }
    world.after(.seconds(1)) { $0.move(players[0]) }
    world.after(.seconds(2)) { $0.rebind(players[1]) }
    world.after(.seconds(3)) { $0.rebind(players[2]) }
    world.after(.seconds(3)) { $0.suspend(players[3].host, for: .seconds(4), stopsClock: true) }
    world.after(.seconds(4)) { $0.partition([players[4].host], .outbound, for: .seconds(2)) }
    world.after(.seconds(5)) { $0.restart(players[5], after: .seconds(1)) }
    world.after(.seconds(6)) { $0.partitionAll(for: .milliseconds(500)) }
    meddle(world)
    world.run(for: .seconds(10))
    world.restartServer(after: .milliseconds(100))
    world.restart(players[0])
    world.run(for: .seconds(5))
    world.shutdown()
    world.run(for: .seconds(10))
    world.expectSound()
    #expect(nat.statistics.mapped > 4 && world.cutDatagrams > 0)
    return world.traceHash
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func sameSeedSameRun(seed: UInt64) {
    #expect(Self.run(seed: seed) == Self.run(seed: seed))
  }

  @Test func anotherSeedAnotherRun() {
    #expect(Self.run(seed: 1) != Self.run(seed: 2))
  }

  /// Whatever happens leaves a trace, however little of it is to be seen elsewhere.
  @Test func whateverHappensLeavesATrace() {
    let plain = Self.run(seed: 1)
    let changes: [(SimulatedWorld) -> Void] = [
      { $0.suspend($0.players[0].host, for: .nanoseconds(1)) },
      { $0.after(.milliseconds(500)) { $0.rebind($0.players[5]) } },
      { $0.restart($0.players[1], keepsPort: true) },
      { $0.partition([$0.players[0].host], for: .milliseconds(100)) },
      { $0.move($0.players[0], isNoticed: false, toPlace: 7) },
    ]
    #expect(Set(changes.map { Self.run(seed: 1, meddle: $0) } + [plain]).count == changes.count + 1)
  }

  @Test func randomNumbersArePartOfTheContract() {
    var random = SeededRandom(seed: 1_234_567)
    #expect(
      (0..<3).map { _ in random.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      ])
  }
}
