import Planets
import Roamkey

/// One match on the host, and who sits where.
struct Match: Hashable, Sendable {
  enum Player: Hashable, Sendable {
    case person(PlayerID)
    case bot(BotLevel)
  }

  struct Chair: Hashable, Sendable {
    let player: Player
    /// As it was at the beginning: who has left is still called by it.
    let name: String
    /// The chances of the bot who plays, or would.
    var generator: SeededGenerator
  }

  /// How many are told of this match, from 1.
  let number: Int
  var game: Game
  private(set) var chairs: [Chair]

  init(number: Int, seed: UInt64, rules: Rules, players: [(player: Player, name: String)]) {
    self.number = number
    game = Game(seed: seed, seats: players.count, rules: rules)
    chairs = players.enumerated().map { seat, player in
      Chair(
        player: player.player, name: player.name,
        generator: SeededGenerator(seed: seed &+ UInt64(seat + 1) &* 0x2545_f491_4f6c_dd1d))
    }
  }

  /// The seat of a person; nil for one who watches.
  func seat(of player: PlayerID) -> Int? { chairs.firstIndex { $0.player == .person(player) } }

  /// One tick of the game.
  /// - Parameter level: how well the bot plays that has a seat now; nil where a person has it.
  mutating func step(_ level: (Chair) -> BotLevel?) {
    var orders: [(seat: Int, orders: [Order])] = []
    // All have looked before any of them acts.
    for seat in chairs.indices {
      guard let level = level(chairs[seat]), Bot.thinks(level, at: game.tick) else { continue }
      orders.append((seat, Bot.orders(level, game.view(for: seat), using: &chairs[seat].generator)))
    }
    for (seat, orders) in orders {
      for order in orders { _ = try? game.order(order, by: seat) }
    }
    game.advance()
  }
}
