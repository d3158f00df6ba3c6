import Testing

@testable import Planets

@Suite struct PredictionTests {
  @Test func anOrderShowsAtOnce() throws {
    var game = GameTests.begun([(0, 4, 40), (1, 3, 30)])
    GameTests.run(&game, 10)
    var prediction = Prediction()
    let order = Order(from: [0], to: 1, share: .half)
    #expect(try prediction.give(order, on: game.view(for: 0)) == 1)
    // Three ticks pass until the host has it.
    GameTests.run(&game, 3)
    let shown = prediction.applied(to: game.view(for: 0))
    #expect(shown.fleets.map(\.ships) == [20] && shown.fleets.allSatisfy { $0.id < 0 && $0.departure == 10 })
    #expect(shown.ships(of: shown.planets[0]) == 20)
    try game.order(order, by: 0)
    GameTests.run(&game, 3)
    var view = game.view(for: 0)
    view.handledOrder = 1
    #expect(prediction.applied(to: view) == view, "what the view has is not shown twice")
    prediction.take(view)
    #expect(prediction.pending.isEmpty)
    #expect(shown.ships(of: shown.planets[0], at: view.tick) == view.ships(of: view.planets[0]))
  }

  @Test func severalOrdersAddUp() throws {
    let view = GameTests.begun([(0, 4, 40), (1, 3, 30)]).view(for: 0)
    var prediction = Prediction()
    let order = Order(from: [0], to: 1, share: .half)
    for number in 1...3 { #expect(try prediction.give(order, on: view) == number) }
    let shown = prediction.applied(to: view)
    #expect(shown.fleets.map(\.ships).sorted() == [5, 10, 20] && Set(shown.fleets.map(\.id)).count == 3)
    #expect(shown.fleets.map(\.id) == shown.fleets.map(\.id).sorted())
    #expect(shown.ships(of: shown.planets[0]) == 5)
  }

  @Test func aRefusedOrderIsGone() throws {
    var view = GameTests.begun([(0, 4, 40), (1, 3, 30)]).view(for: 0)
    var prediction = Prediction()
    _ = try prediction.give(Order(from: [0], to: 1, share: .all), on: view)
    #expect(throws: OrderError.nothingToSend) {
      try prediction.give(Order(from: [0], to: 1, share: .all), on: view)
    }
    #expect(throws: OrderError.notYours) { try prediction.give(Order(from: [1], to: 0, share: .all), on: view) }
    view.handledOrder = 1
    prediction.take(view)
    #expect(prediction.applied(to: view) == view)
  }

  /// The planet is lost before the order arrives: nothing of it is shown any more.
  @Test func whatCannotBeAnyMoreIsNotShown() throws {
    var view = GameTests.begun([(0, 4, 40), (1, 3, 30)]).view(for: 0)
    var prediction = Prediction()
    _ = try prediction.give(Order(from: [0], to: 1, share: .all), on: view)
    view.planets[0].owner = 1
    #expect(prediction.applied(to: view) == view)
  }
}
