import Testing

@testable import Planets

@Suite struct ScannerTests {
  /// Planets in a row, 30 units apart: a size of 4 sees its neighbours, and no farther.
  static func begun() -> Game {
    GameTests.begun([(0, 4, 40), (nil, 2, 9), (nil, 2, 9), (1, 4, 40)], rules: Rules())
  }

  @Test func aSeatSeesWhatIsNear() {
    var game = Self.begun()
    GameTests.run(&game, 5)
    let view = game.view(for: 0)
    #expect(view.planets.map(\.isSeen) == [true, true, false, false])
    #expect(view.planets.map(\.stock) == [4000, 900, nil, nil] && view.planets.map(\.owner) == [0, nil, nil, nil])
    #expect(view.planets.map(\.size) == [4, 2, 2, 4], "places and sizes are known to all")
    #expect(game.view(for: nil).planets.allSatisfy { $0.isSeen }, "who watches sees all")
    #expect(view.isScanned(.init(x: 30, y: 10), at: 5) && !view.isScanned(.init(x: 90, y: 10), at: 5))
  }

  /// Whatever happens out of range changes nothing of what a seat is sent, but the public count of ships.
  @Test func nothingLeaksFromOutOfRange() throws {
    var (one, other) = (Self.begun(), Self.begun())
    try other.order(Order(from: [3], to: 2, share: .half), by: 1)
    GameTests.run(&one, 60)
    GameTests.run(&other, 60)
    func hidden(_ game: Game) -> View {
      var view = game.view(for: 0)
      for seat in view.seats.indices { (view.seats[seat].ships, view.seats[seat].planets) = (0, 0) }
      return view
    }
    #expect(one != other && hidden(one) == hidden(other))
    // But it comes into range: then it is there.
    try other.order(Order(from: [3], to: 1, share: .half), by: 1)
    GameTests.run(&other, 176)
    #expect(other.view(for: 0).fleets.map(\.owner) == [1])
  }

  @Test func whatWasSeenIsRemembered() throws {
    var game = Self.begun()
    try game.order(Order(from: [0], to: 1, share: .half), by: 0)
    GameTests.run(&game, 100)
    #expect(game.view(for: 0).planets.map(\.isSeen) == [true, true, false, false])
    try game.order(Order(from: [0], to: 2, share: .all), by: 0)
    GameTests.run(&game, 190)
    #expect(game.view(for: 0).planets.map(\.owner) == [0, 0, 0, nil])
    #expect(game.view(for: 0).planets[2].isSeen)
    // It is lost: its last state is known, its further fate is not.
    try game.order(Order(from: [3], to: 2, share: .all), by: 1)
    GameTests.run(&game, 100)
    var view = game.view(for: 0)
    let lost = view.planets[2]
    #expect(lost.owner == 1 && !lost.isSeen && lost.asOf < game.tick)
    let ships = view.ships(of: lost)
    GameTests.run(&game, 300)
    view = game.view(for: 0)
    #expect(view.planets[2] == lost && view.ships(of: lost) == ships)
    #expect((view.age(of: lost) ?? 0) > 300)
    #expect(game.view(for: 1).ships(of: game.view(for: 1).planets[2]) ?? 0 > ships ?? 0)
  }

  @Test func withoutScannersAllIsSeen() {
    let game = GameTests.begun([(0, 4, 40), (nil, 2, 9), (nil, 2, 9), (1, 4, 40)])
    #expect(game.view(for: 0).planets == game.view(for: nil).planets)
    #expect(game.view(for: 0).isScanned(.init(x: 150, y: 80), at: 0))
  }

  @Test func whenItIsOverAllIsSeen() {
    var game = GameTests.begun([(0, 4, 40), (nil, 2, 9), (nil, 2, 9), (1, 4, 40)], rules: Rules(length: 10))
    GameTests.run(&game, 10)
    #expect(game.isOver && game.view(for: 0).planets.allSatisfy { $0.isSeen })
  }
}
