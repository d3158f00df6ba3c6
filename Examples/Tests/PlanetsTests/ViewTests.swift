import Testing

@testable import Planets

@Suite struct ViewTests {
  /// Between two views a screen calculates: and it calculates what the game does.
  @Test func aViewTellsWhatComes() throws {
    var game = GameTests.begun([(0, 4, 40), (1, 3, 30), (nil, 2, 9)])
    try game.order(Order(from: [0], to: 1, share: .half), by: 0)
    let view = game.view(for: 0)
    for _ in 0..<89 {
      game.advance()
      for planet in view.planets { #expect(view.ships(of: planet, at: game.tick) == game.ships(of: planet.id)) }
    }
    let fleet = try #require(view.fleets.first)
    #expect(view.position(of: fleet, at: 0) == .init(x: 5, y: 10))
    #expect(view.position(of: fleet, at: 45) == .init(x: 20, y: 10))
    #expect(view.position(of: fleet, at: 1000) == .init(x: 35, y: 10))
    #expect(view.travel(from: 0, to: 1) == 90 && view.travel(from: 0, to: 9) == nil)
  }

  /// What a preview promises is what happens.
  @Test(arguments: Share.allCases)
  func previewsComeTrue(share: Share) throws {
    var game = GameTests.begun([(0, 4, 40), (0, 2, 21), (1, 3, 30)])
    GameTests.run(&game, 33)
    let order = Order(from: [0, 1, 2], to: 2, share: share)
    let preview = try game.view(for: 0).preview(order)
    #expect(try game.order(order, by: 0) == 2)
    let launched = game.fleets
    #expect(preview.fleets.map(\.ships) == launched.map(\.ships) && preview.fleets.map(\.from) == launched.map(\.from))
    #expect(preview.arrivals == 123...213 && preview.arrivals.upperBound == launched.map(\.arrival).max())
    #expect(preview.ships == launched.reduce(0) { $0 + $1.ships } && !preview.isReinforcement)
    game.fleets = []
    GameTests.run(&game, 213 - 33)
    #expect(preview.defenders == game.ships(of: 2))
  }

  @Test func changesAreTold() throws {
    var game = GameTests.begun([(0, 4, 40), (nil, 3, 9), (1, 1, 5)])
    var view = game.view(for: 0)
    view.match = 1
    var told: [Change] = []
    func look() {
      var next = game.view(for: 0)
      next.match = 1
      told += next.changes(since: view)
      view = next
    }
    try game.order(Order(from: [0], to: 1, share: .half), by: 0)
    for _ in 0..<100 {
      game.advance()
      look()
    }
    #expect(told == [.taken(planet: 1, by: 0, from: nil)])
    try game.order(Order(from: [0], to: 2, share: .all), by: 0)
    for _ in 0..<200 {
      game.advance()
      look()
    }
    #expect(told.dropFirst() == [.taken(planet: 2, by: 0, from: 1), .out(seat: 1), .over(winner: 0)])
    var next = view
    next.match = 2
    (next.phase, next.tick) = (.countdown, -60)
    #expect(next.changes(since: view) == [.began])
  }

  /// Each of these is in nobody's honest view, and would trap or draw nonsense if it were taken.
  @Test func unsoundViewsAreTold() throws {
    var game = GameTests.begun([(0, 4, 40), (1, 3, 30)])
    try game.order(Order(from: [0], to: 1, share: .half), by: 0)
    let good = game.view(for: 0)
    #expect(good.isSound)
    let spoilers: [(inout View) -> Void] = [
      { $0.you = 7 }, { $0.you = -1 }, { $0.tick = .max }, { $0.tick = .min }, { $0.planets[0].size = 0 },
      { $0.planets[0].size = .max }, { $0.planets[1].id = 0 }, { $0.planets[0].owner = 2 },
      { $0.planets[0].stock = -1 }, { $0.planets[0].stock = .max }, { $0.planets[0].asOf = .min },
      { $0.planets[0].place.x = 160 }, { $0.planets[0].place.y = .min }, { $0.fleets[0].to = 2 },
      { $0.fleets[0].from = -1 }, { $0.fleets[0].owner = 9 }, { $0.fleets[0].arrival = 0 },
      { $0.fleets[0].departure = .min }, { $0.fleets[0].arrival = .max }, { $0.fleets[0].ships = .max },
      { $0.fleets.append($0.fleets[0]) }, { $0.fleets[0].id = -1 }, { $0.rules.pace = 0 }, { $0.rules.length = .max },
      { $0.phase = .over(winner: 5) }, { $0.history = [[.max]] }, { $0.seats[0].colour = 6 },
      { $0.seats[0].name = String(repeating: "x", count: 65) }, { $0.seats[0].ships = -1 }, { $0.frame = -1 },
      { $0.history = Array(repeating: [], count: 3) }, { $0.handledOrder = -1 },
    ]
    for (number, spoil) in spoilers.enumerated() {
      var view = good
      spoil(&view)
      #expect(view != good && !view.isSound, "\(number)")
    }
  }
}
