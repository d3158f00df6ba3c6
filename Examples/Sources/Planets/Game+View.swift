extension Game {
  /// What a seat may know: with scanners what they reach, and what is remembered of the rest. One who watches, or is
  /// out, sees all, and so does everybody when it is over.
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
    let viewer = view.you.flatMap { rules.hasScanners && end == nil && !standings[$0].isOut ? $0 : nil }
    view.planets = planets.indices.map { planet($0, for: viewer) }
    view.fleets = viewer.map(fleets(seenBy:)) ?? fleets
    if end != nil { view.history = history }
    return view
  }

  /// The map before a match: homes, and nothing of garrisons.
  public static func preview(seed: UInt64, seats: Int) -> [View.Planet] {
    Map(seed: seed, seats: seats).planets.enumerated().map { id, planet in
      View.Planet(id: id, name: planet.name, place: planet.place, size: planet.size, owner: planet.home)
    }
  }

  private func planet(_ id: Int, for viewer: Int?) -> View.Planet {
    let planet = planets[id]
    var result = View.Planet(id: id, name: map.planets[id].name, place: planet.place, size: planet.size)
    if let viewer, !scanners.sees(viewer, id) {
      let memory = scanners.memory[viewer][id]
      (result.owner, result.stock, result.asOf) = (memory.owner, memory.stock, memory.asOf)
    } else {
      (result.owner, result.stock, result.asOf, result.isSeen) = (planet.owner, planet.stock, planet.asOf, true)
    }
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
