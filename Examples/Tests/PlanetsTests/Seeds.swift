import Foundation
import Planets

/// How many matches the tests over seeds play: few by themselves, more by `ROAMKEY_MATCHES`.
func seeds(_ few: Int) -> [UInt64] {
  let wanted = ProcessInfo.processInfo.environment["ROAMKEY_MATCHES"].flatMap { Int($0) } ?? few
  return (0..<UInt64(max(few, wanted))).map { $0 }
}

/// A match of bots, to its end.
func match(of levels: [BotLevel], seed: UInt64, rules: Rules = Rules()) -> Game {
  var game = Game(seed: seed, seats: levels.count, rules: rules)
  var generators = levels.indices.map { SeededGenerator(seed: seed &* 1000 &+ UInt64($0)) }
  while !game.isOver {
    playBots(levels, in: &game, &generators)
    game.advance()
  }
  return game
}

/// What the bots of all seats do in one tick; all have looked before any of them acts.
func playBots(_ levels: [BotLevel], in game: inout Game, _ generators: inout [SeededGenerator]) {
  // None of them thinks at any other.
  guard game.tick.isMultiple(of: 4) else { return }
  let orders = levels.enumerated().map { seat, level in
    Bot.orders(level, game.view(for: seat), using: &generators[seat])
  }
  for (seat, orders) in orders.enumerated() {
    for order in orders { _ = try? game.order(order, by: seat) }
  }
}
