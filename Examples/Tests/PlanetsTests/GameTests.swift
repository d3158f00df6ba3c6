import Testing

@testable import Planets

@Suite struct GameTests {
  /// A match that has begun, on a map of its own: planets in a row, 30 units apart.
  static func begun(
    _ planets: [(owner: Int?, size: Int, ships: Int)], seats: Int = 2, rules: Rules = Rules(hasScanners: false)
  ) -> Game {
    var game = Game(seed: 1, seats: seats, rules: rules)
    game.planets = planets.enumerated().map { index, planet in
      Game.Planet(
        place: Place(x: 5 + 30 * index, y: 10), size: planet.size, owner: planet.owner,
        stock: planet.ships * Rules.partsOfShip)
    }
    game.scanners = Scanners(planets: game.planets, seats: seats)
    while game.tick < 0 { game.advance() }
    return game
  }

  static func run(_ game: inout Game, _ ticks: Int) { for _ in 0..<ticks { game.advance() } }

  @Test func shipsGrowBySizeUpToALimit() {
    var game = Self.begun([(0, 2, 10), (1, 5, 10), (nil, 3, 7)])
    #expect(game.tick == 0 && game.phase == .playing)
    Self.run(&game, 100)
    #expect([0, 1, 2].map(game.ships(of:)) == [12, 15, 7])
    Self.run(&game, 9000)
    #expect([0, 1, 2].map(game.ships(of:)) == [80, 200, 7])
  }

  @Test func nothingMovesInTheCountdown() {
    var game = Game(seed: 1, seats: 2)
    let home = game.planets.firstIndex { $0.owner == 0 } ?? 0
    #expect(game.phase == .countdown && game.tick == -60)
    #expect(throws: OrderError.notPlaying) {
      try game.order(Order(from: [home], to: home + 1, share: .half), by: 0)
    }
    Self.run(&game, 60)
    #expect(game.phase == .playing && game.ships(of: home) == 40)
  }

  @Test func aFleetTravelsAndConquers() throws {
    var game = Self.begun([(0, 4, 40), (nil, 3, 9), (1, 4, 40)])
    try game.order(Order(from: [0], to: 1, share: .quarter), by: 0)
    #expect(game.ships(of: 0) == 30 && game.fleets.map(\.ships) == [10])
    Self.run(&game, 89)
    #expect(game.planets[1].owner == nil)
    game.advance()
    #expect(game.planets[1].owner == 0 && game.ships(of: 1) == 1 && game.fleets.isEmpty)
  }

  /// What of (owner, ships) is left when fleets of (seat, ships) arrive at once.
  @Test(arguments: [
    (start: (0, 10), fleets: [(1, 10)], end: (0, 0)), (start: (0, 10), fleets: [(1, 11)], end: (1, 1)),
    (start: (0, 10), fleets: [(1, 4)], end: (0, 6)), (start: (0, 10), fleets: [(0, 5)], end: (0, 15)),
    (start: (0, 10), fleets: [(1, 12), (0, 5)], end: (0, 3)),
    (start: (0, 10), fleets: [(1, 12), (2, 12)], end: (0, 0)),
    (start: (-1, 10), fleets: [(1, 12), (2, 12)], end: (-1, 0)),
    (start: (-1, 5), fleets: [(1, 12), (2, 9)], end: (1, 3)),
    (start: (-1, 5), fleets: [(1, 3), (1, 3)], end: (1, 1)),
  ])
  func fights(start: (Int, Int), fleets: [(Int, Int)], end: (Int, Int)) {
    func play(_ fleets: [(Int, Int)]) -> (Int, Int) {
      // Of size 1, so that nothing grows within a tick.
      var game = Self.begun([(start.0 < 0 ? nil : start.0, 1, start.1), (0, 1, 1), (1, 1, 1), (2, 1, 1)], seats: 3)
      game.fleets = fleets.enumerated().map { id, fleet in
        View.Fleet(id: id, owner: fleet.0, from: 1, to: 0, ships: fleet.1, departure: 0, arrival: 1)
      }
      game.advance()
      return (game.planets[0].owner ?? -1, game.ships(of: 0))
    }
    #expect(play(fleets) == end)
    #expect(play(fleets.reversed()) == end, "no seat comes first")
  }

  /// One ship more than a planet shows is always enough, whatever it was building.
  @Test func whatIsBeingBuiltDoesNotFight() {
    var game = Self.begun([(0, 4, 10), (1, 1, 1)])
    Self.run(&game, 20)
    #expect(game.stock(of: 0) > 10 * Rules.partsOfShip && game.ships(of: 0) == 10)
    game.fleets = [View.Fleet(id: 1, owner: 1, from: 1, to: 0, ships: 11, departure: 0, arrival: 21)]
    game.advance()
    #expect(game.planets[0].owner == 1 && game.ships(of: 0) == 1)
  }

  @Test func whoHasNothingIsOutAndTheLastOneWins() throws {
    var game = Self.begun([(0, 4, 40), (1, 1, 3), (2, 1, 1)], seats: 3)
    try game.order(Order(from: [1], to: 0, share: .all), by: 1)
    try game.order(Order(from: [0], to: 1, share: .half), by: 0)
    Self.run(&game, 90)
    #expect(game.standing(of: 1).isOut && !game.isOver)
    #expect(throws: OrderError.isOut) { try game.order(Order(from: [1], to: 0, share: .all), by: 1) }
    try game.order(Order(from: [0], to: 2, share: .all), by: 0)
    Self.run(&game, 180)
    #expect(game.phase == .over(winner: 0) && game.winner == 0)
    let last = game
    game.advance()
    #expect(game == last, "what is over stands still")
  }

  /// A seat whose last ships are under way is still in; what it does there decides.
  @Test(arguments: [(garrison: 5, isOut: false), (garrison: 9, isOut: true)])
  func aFleetIsEnoughToStayIn(garrison: Int, isOut: Bool) throws {
    var game = Self.begun([(0, 1, 9), (1, 1, 20), (nil, 1, 1), (nil, 1, garrison)])
    try game.order(Order(from: [0], to: 3, share: .all), by: 0)
    try game.order(Order(from: [1], to: 0, share: .half), by: 1)
    Self.run(&game, 269)
    #expect(game.planets[0].owner == 1 && !game.isOver && !game.standing(of: 0).isOut)
    game.advance()
    #expect(game.standing(of: 0).isOut == isOut && game.winner == (isOut ? 1 : nil))
  }

  @Test func timeEndsIt() {
    let rules = Rules(hasScanners: false, length: 200)
    var game = Self.begun([(0, 4, 40), (1, 4, 41)], rules: rules)
    Self.run(&game, 199)
    #expect(!game.isOver)
    game.advance()
    #expect(game.phase == .over(winner: 1))
    var tied = Self.begun([(0, 4, 40), (1, 4, 40)], rules: rules)
    Self.run(&tied, 200)
    #expect(tied.phase == .over(winner: nil))
    #expect(tied.view(for: 0).history.map(\.count) == [3, 3])
  }

  @Test func ordersThatCannotBeFollowed() throws {
    var game = Self.begun([(0, 4, 40), (0, 1, 0), (1, 1, 5)])
    let before = game
    for target in [-1, 3, .max, .min] {
      #expect(throws: OrderError.noSuchPlanet) { try game.order(Order(from: [0], to: target, share: .all), by: 0) }
      #expect(throws: OrderError.noSuchPlanet) { try game.order(Order(from: [target], to: 0, share: .all), by: 0) }
    }
    let many = Order(from: Array(repeating: 0, count: 1000), to: 2, share: .all)
    #expect(throws: OrderError.noSuchPlanet) { try game.order(many, by: 0) }
    #expect(throws: OrderError.notYours) { try game.order(Order(from: [2], to: 0, share: .all), by: 0) }
    #expect(throws: OrderError.notYours) { try game.order(Order(from: [0], to: 0, share: .all), by: 0) }
    #expect(throws: OrderError.notYours) { try game.order(Order(from: [], to: 0, share: .all), by: 0) }
    #expect(throws: OrderError.nothingToSend) { try game.order(Order(from: [1], to: 0, share: .all), by: 0) }
    for seat in [-1, 2, .max] {
      #expect(throws: OrderError.notPlaying) { try game.order(Order(from: [0], to: 1, share: .all), by: seat) }
    }
    #expect(game == before)
    // What can be followed of an order is.
    #expect(try game.order(Order(from: [2, 0, 0], to: 2, share: .all), by: 0) == 1)
    #expect(game.fleets.map(\.ships) == [40])
  }

  @Test func fleetsAreCounted() throws {
    var game = Self.begun([(0, 5, 1_000_000), (0, 5, 1_000_000), (1, 1, 5)])
    for _ in 0..<32 { try game.order(Order(from: [0, 1], to: 2, share: .quarter), by: 0) }
    #expect(throws: OrderError.tooManyFleets) { try game.order(Order(from: [0], to: 2, share: .quarter), by: 0) }
    #expect(game.fleets.count == Rules.fleetsOfSeat && Set(game.fleets.map(\.id)).count == game.fleets.count)
  }

  @Test func aQuickMatchIsTheSameOnlyFaster() throws {
    var game = Self.begun([(0, 4, 40), (1, 4, 40)], rules: Rules(hasScanners: false, pace: 4))
    Self.run(&game, 25)
    #expect(game.ships(of: 0) == 44)
    try game.order(Order(from: [0], to: 1, share: .half), by: 0)
    #expect(game.fleets.map { $0.arrival - $0.departure } == [22])
  }
}
