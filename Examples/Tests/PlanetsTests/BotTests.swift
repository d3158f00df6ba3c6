import Planets
import Testing

@Suite struct BotTests {
  @Test func theStrongerOneWins() {
    for (weaker, stronger, least) in [(BotLevel.weak, BotLevel.strong, 0.9), (.weak, .medium, 0.9)] {
      let seeds = seeds(20)
      // On both seats in turn.
      let wins = seeds.count { seed in
        seed.isMultiple(of: 2)
          ? match(of: [stronger, weaker], seed: seed).winner == 0
          : match(of: [weaker, stronger], seed: seed).winner == 1
      }
      #expect(Double(wins) >= least * Double(seeds.count), "\(stronger) against \(weaker): \(wins) of \(seeds.count)")
    }
  }

  /// No seat wins more than its share, and a margin that chance alone exceeds in one of thousands of runs.
  @Test(arguments: [2, 4])
  func noSeatIsBetter(seats: Int) {
    let seeds = seeds(20)
    var wins = Array(repeating: 0, count: seats)
    for seed in seeds {
      if let winner = match(of: Array(repeating: .medium, count: seats), seed: seed).winner { wins[winner] += 1 }
    }
    let share = 1 / Double(seats)
    let fair = Double(seeds.count) * share
    let margin = 4 * (fair * (1 - share)).squareRoot()
    #expect(wins.allSatisfy { Double($0) <= fair + margin }, "\(wins) of \(seeds.count)")
  }

  @Test(arguments: 2...6)
  func matchesEnd(seats: Int) {
    for seed in seeds(3) {
      let game = match(of: (0..<seats).map { BotLevel.allCases[$0 % 3] }, seed: seed)
      #expect(game.isOver && game.tick <= game.rules.length, "seed \(seed)")
      #expect(game.view(for: 0).isSound)
    }
  }

  @Test func aSeedIsAMatch() {
    let levels: [BotLevel] = [.strong, .medium, .weak]
    #expect(match(of: levels, seed: 3) == match(of: levels, seed: 3))
    #expect(match(of: levels, seed: 3) != match(of: levels, seed: 4))
  }

  /// Views stay sound, and hold what was promised of them, through whole matches.
  @Test func everyViewIsSound() {
    let levels: [BotLevel] = [.strong, .medium, .weak]
    var game = Game(seed: 11, seats: 3)
    var generators = levels.indices.map { SeededGenerator(seed: UInt64($0)) }
    while !game.isOver {
      playBots(levels, in: &game, &generators)
      game.advance()
      guard game.tick.isMultiple(of: 10) else { continue }
      let whole = game.view(for: nil)
      for seat in 0..<3 {
        let view = game.view(for: seat)
        #expect(view.isSound && Set(view.fleets).isSubset(of: whole.fleets), "tick \(game.tick)")
        #expect(view.planets.filter(\.isSeen).allSatisfy { $0 == whole.planets[$0.id] }, "tick \(game.tick)")
        #expect(view.planets.filter { $0.owner == seat } == whole.planets.filter { $0.owner == seat })
      }
    }
  }
}
