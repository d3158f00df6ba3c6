internal import Planets

/// What the first of four seats sees of a match of strong bots, at every second tick, as the game's host sends it.
struct PlanetsSeat: StateWorld {
  static let title = "planets"
  private static let seats = 4

  /// The match; nil in what was read.
  private var game: Game?
  private var generators: [SeededGenerator] = []
  private var view: View

  init(_ random: inout SeededRandom) {
    var game = Game(seed: random.next(), seats: Self.seats)
    generators = (0..<Self.seats).map { _ in SeededGenerator(seed: random.next()) }
    while game.tick < 0 { game.advance() }
    self.game = game
    view = Self.shown(game, frame: 1)
  }

  init(from decoder: any Decoder) throws { view = try View(from: decoder) }

  func encode(to encoder: any Encoder) throws { try view.encode(to: encoder) }

  static func == (one: PlanetsSeat, other: PlanetsSeat) -> Bool { one.view == other.view }

  var isOver: Bool { game?.isOver ?? true }

  mutating func step(_ random: inout SeededRandom) {
    guard var game else { return }
    for _ in 0..<2 where !game.isOver {
      // All have looked before any of them acts.
      let orders = generators.indices.filter { _ in Bot.thinks(.strong, at: game.tick) }.map { seat in
        (seat, Bot.orders(.strong, game.view(for: seat), using: &generators[seat]))
      }
      for (seat, orders) in orders {
        for order in orders { _ = try? game.order(order, by: seat) }
      }
      game.advance()
    }
    self.game = game
    view = Self.shown(game, frame: view.frame + 1)
  }

  /// With what the host fills in.
  private static func shown(_ game: Game, frame: Int) -> View {
    var view = game.view(for: 0)
    (view.frame, view.match) = (frame, 1)
    for (seat, name) in ["Orion", "Lyra", "Draco", "Corvus"].enumerated() {
      (view.seats[seat].name, view.seats[seat].bot) = (name, .strong)
    }
    return view
  }

  var columns: [UInt8] {
    var columns = ColumnBytes()
    columns.add([view.frame, view.tick, view.handledOrder].map { UInt32(truncatingIfNeeded: $0) })
    columns.add([view.match, view.you ?? -1, view.phase == .playing ? 1 : 0].map { Int8(truncatingIfNeeded: $0) })
    columns.add([view.rules.hasScanners, view.rules.watchersSeeAll].map { $0 ? UInt8(1) : 0 })
    columns.add([view.rules.length, view.rules.pace].map { UInt16(truncatingIfNeeded: $0) })
    columns.add(view.seats.map(\.name))
    columns.add(view.seats.map { $0.bot?.rawValue ?? "" })
    columns.add(view.seats.map { UInt8(truncatingIfNeeded: $0.colour) })
    columns.add(
      view.seats.map { seat in
        [seat.isHost, seat.isReady, seat.isAway, seat.isOffline, seat.isOut].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
      })
    columns.add(view.seats.map { UInt16(truncatingIfNeeded: $0.ships) })
    columns.add(view.seats.map { UInt8(truncatingIfNeeded: $0.planets) })
    addPlanets(&columns)
    addFleets(&columns)
    return columns.bytes
  }

  private func addPlanets(_ columns: inout ColumnBytes) {
    columns.add(view.planets.map { UInt8(truncatingIfNeeded: $0.id) })
    columns.add(view.planets.map(\.name))
    columns.add(view.planets.map { UInt8(truncatingIfNeeded: $0.place.x) })
    columns.add(view.planets.map { UInt8(truncatingIfNeeded: $0.place.y) })
    columns.add(view.planets.map { UInt8(truncatingIfNeeded: $0.size) })
    columns.add(view.planets.map { Int8(truncatingIfNeeded: $0.owner ?? -1) })
    columns.add(view.planets.map { Int16(truncatingIfNeeded: $0.stock ?? -1) })
    columns.add(view.planets.map { Int16(truncatingIfNeeded: $0.asOf) })
    columns.add(view.planets.map { $0.isSeen ? UInt8(1) : 0 })
  }

  private func addFleets(_ columns: inout ColumnBytes) {
    columns.add(view.fleets.map { UInt16(truncatingIfNeeded: $0.id) })
    columns.add(view.fleets.map { UInt8(truncatingIfNeeded: $0.owner) })
    columns.add(view.fleets.map { UInt8(truncatingIfNeeded: $0.from) })
    columns.add(view.fleets.map { UInt8(truncatingIfNeeded: $0.to) })
    columns.add(view.fleets.map { UInt16(truncatingIfNeeded: $0.ships) })
    columns.add(view.fleets.map { UInt16(truncatingIfNeeded: $0.departure) })
    columns.add(view.fleets.map { UInt16(truncatingIfNeeded: $0.arrival) })
  }
}
