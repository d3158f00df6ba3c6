extension View {
  /// Whether all numbers are in their ranges and name what is there: a view may come from somebody else's program, and
  /// only one that is sound may be shown or calculated with.
  public var isSound: Bool {
    rules.isSound && ticks.contains(tick) && frame >= 0 && match >= 0 && handledOrder >= 0
      && seats.count <= Rules.seats.upperBound && planets.count <= Map.mostPlanets
      && fleets.count <= Rules.seats.upperBound * Rules.fleetsOfSeat
      && isSeat(you) && winnerIsSound && historyIsSound
      && seats.allSatisfy(isSound) && planets.enumerated().allSatisfy { isSound($1, at: $0) }
      && fleets.allSatisfy(isSound) && zip(fleets, fleets.dropFirst()).allSatisfy { $0.id < $1.id }
  }

  private var ticks: ClosedRange<Int> { -Rules.countdown...Rules.longest }
  /// More than all planets build in the longest match at the highest pace.
  private var ships: ClosedRange<Int> { 0...10_000_000 }

  private func isSeat(_ seat: Int?) -> Bool { seat.map(seats.indices.contains) ?? true }

  private var winnerIsSound: Bool {
    if case .over(let winner) = phase { isSeat(winner) } else { true }
  }

  private var historyIsSound: Bool {
    history.count <= seats.count
      && history.allSatisfy { $0.count <= Rules.longest / Game.historyInterval + 2 && $0.allSatisfy(ships.contains) }
  }

  private func isSound(_ seat: Seat) -> Bool {
    seat.name.utf8.count <= 64 && Rules.colours.contains(seat.colour) && ships.contains(seat.ships)
      && (0...planets.count).contains(seat.planets)
  }

  private func isSound(_ planet: Planet, at index: Int) -> Bool {
    planet.id == index && planet.name.utf8.count <= 32 && (1...5).contains(planet.size)
      && (0..<Place.width).contains(planet.place.x) && (0..<Place.height).contains(planet.place.y)
      && isSeat(planet.owner) && ticks.contains(planet.asOf)
      && planet.stock.map((0...ships.upperBound * Rules.partsOfShip).contains) ?? true
  }

  private func isSound(_ fleet: Fleet) -> Bool {
    fleet.id >= 0 && seats.indices.contains(fleet.owner) && planets.indices.contains(fleet.from)
      && planets.indices.contains(fleet.to) && ships.contains(fleet.ships)
      && ticks.contains(fleet.departure) && fleet.arrival > fleet.departure
      && fleet.arrival <= Rules.longest + 1000 && fleet.arrival - fleet.departure <= 1000
  }
}
