extension Game {
  /// What a seat may know: with scanners what they reach, and what is remembered of the rest. Everybody sees all when
  /// it is over; those who watch or are out do so at once, or see nothing new (``Rules/watchersSeeAll``).
  ///
  /// Names, colours and what else is not the rules' affair is for the host to fill in.
  public func view(for seat: Int?) -> View {
    var view = View()
    view.tick = tick
    view.phase = phase
    view.you = seat.flatMap { (0..<seatCount).contains($0) ? $0 : nil }
    view.rules = rules
    view.seats = standings.enumerated().map { number, standing in
      var seat = View.Seat(name: "", colour: number)
      (seat.ships, seat.planets, seat.isOut) = (standing.ships, standing.planets, standing.isOut)
      return seat
    }
    let plays = view.you.map { !standings[$0].isOut } ?? false
    if !rules.hasScanners || end != nil || (rules.watchersSeeAll && !plays) {
      view.planets = planets.indices.map(seenPlanet)
      view.fleets = fleets
    } else if let seat = view.you {
      view.planets = planets.indices.map { scanners.sees(seat, $0) ? seenPlanet($0) : rememberedPlanet($0, by: seat) }
      view.fleets = fleets(seenBy: seat)
    } else {
      view.planets = planets.indices.map(blankPlanet)
    }
    if end != nil { view.history = history }
    return view
  }

  /// The map before a match: homes, and nothing of garrisons.
  public static func preview(seed: UInt64, seats: Int) -> [View.Planet] {
    Map(seed: seed, seats: seats).planets.enumerated().map { id, planet in
      View.Planet(id: id, name: planet.name, place: planet.place, size: planet.size, owner: planet.home)
    }
  }

  private func blankPlanet(_ id: Int) -> View.Planet {
    View.Planet(id: id, name: map.planets[id].name, place: planets[id].place, size: planets[id].size)
  }

  private func seenPlanet(_ id: Int) -> View.Planet {
    var result = blankPlanet(id)
    (result.owner, result.stock, result.asOf, result.isSeen) = (
      planets[id].owner, planets[id].stock, planets[id].asOf, true
    )
    return result
  }

  private func rememberedPlanet(_ id: Int, by seat: Int) -> View.Planet {
    var result = blankPlanet(id)
    let memory = scanners.memory[seat][id]
    (result.owner, result.stock, result.asOf) = (memory.owner, memory.stock, memory.asOf)
    return result
  }

  private func fleets(seenBy seat: Int) -> [View.Fleet] {
    let places = fleets.map { $0.place(at: tick, from: planets[$0.from].place, to: planets[$0.to].place) }
    let eyes = zip(fleets, places).filter { $0.0.owner == seat }.map(\.1)
    let owned = planets.filter { $0.owner == seat }
    return zip(fleets, places).filter { fleet, place in
      fleet.owner == seat
        || owned.contains { $0.place.isWithin(Rules.scannerRange(ofSize: $0.size), of: place) }
        || eyes.contains { $0.isWithin(Rules.scannerRangeOfFleet, of: place) }
    }.map(\.0)
  }
}
