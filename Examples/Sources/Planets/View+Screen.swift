/// What a screen asks of a view. All of it is free of traps for a view that ``View/isSound``.
extension View {
  /// A point between places, in units of the map.
  public struct Point: Hashable, Sendable {
    public var x: Double
    public var y: Double

    public init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
  }

  /// The seat that sees this.
  public var yourSeat: Seat? { you.flatMap { seats.indices.contains($0) ? seats[$0] : nil } }

  /// The planets that are the viewer's own.
  public var yourPlanets: [Planet] { you.map { you in planets.filter { $0.owner == you && $0.isSeen } } ?? [] }

  /// A planet's whole ships at the view's tick; nil if it was never seen. For one that is not seen now, as it was then.
  public func ships(of planet: Planet) -> Int? { ships(of: planet, at: tick) }

  /// The same at another tick, if nobody acts until then: a screen that moves on between two views.
  public func ships(of planet: Planet, at tick: Int) -> Int? {
    planet.stock.map { stock in
      guard planet.isSeen, planet.owner != nil else { return stock / Rules.partsOfShip }
      let ticks = max(0, tick) - max(0, planet.asOf)
      return rules.stock(stock, size: planet.size, after: ticks) / Rules.partsOfShip
    }
  }

  /// How long ago a planet was seen last, in ticks; nil if never, 0 if it is seen now.
  public func age(of planet: Planet) -> Int? {
    planet.stock == nil ? nil : planet.isSeen ? 0 : max(0, tick - planet.asOf)
  }

  /// How far a fleet has come, 0 to 1, at a tick or between two.
  public func progress(of fleet: Fleet, at tick: Double) -> Double {
    let whole = Double(fleet.arrival - fleet.departure)
    return whole > 0 ? min(max(0, (tick - Double(fleet.departure)) / whole), 1) : 1
  }

  /// Where a fleet is at a tick or between two; nil where its planets are not in the view.
  public func position(of fleet: Fleet, at tick: Double) -> Point? {
    guard planets.indices.contains(fleet.from), planets.indices.contains(fleet.to) else { return nil }
    let (a, b) = (planets[fleet.from].place, planets[fleet.to].place)
    let way = progress(of: fleet, at: tick)
    return Point(x: Double(a.x) + Double(b.x - a.x) * way, y: Double(a.y) + Double(b.y - a.y) * way)
  }

  /// How many ticks a fleet is under way; nil where there are no such planets.
  public func travel(from source: Int, to target: Int) -> Int? {
    guard planets.indices.contains(source), planets.indices.contains(target) else { return nil }
    return rules.travel(from: planets[source].place, to: planets[target].place)
  }

  /// Whether the viewer's scanners reach a point; always where there are none.
  public func isScanned(_ point: Point, at tick: Double) -> Bool {
    guard rules.hasScanners, let you, case .playing = phase else { return true }
    func reaches(_ x: Double, _ y: Double, _ range: Int) -> Bool {
      (x - point.x) * (x - point.x) + (y - point.y) * (y - point.y) <= Double(range * range)
    }
    for planet in planets where planet.owner == you && planet.isSeen {
      let range = Rules.scannerRange(ofSize: planet.size)
      if reaches(Double(planet.place.x), Double(planet.place.y), range) { return true }
    }
    return fleets.contains { fleet in
      guard fleet.owner == you, let place = position(of: fleet, at: tick) else { return false }
      return reaches(place.x, place.y, Rules.scannerRangeOfFleet)
    }
  }

  /// What an order would do if the host got it now.
  public struct Preview: Hashable, Sendable {
    /// One fleet for each planet that sends any, in the order's order; ids are not those that the host will give.
    public var fleets: [Fleet]
    /// All of their ships.
    public var ships: Int
    /// The ticks at which the first and the last of them are there.
    public var arrivals: ClosedRange<Int>
    /// What the target will have when the last one arrives if nobody else acts: its own ships, built meanwhile, as far
    /// as is known; nil if it was never seen.
    public var defenders: Int?
    /// Whether the target is the viewer's own.
    public var isReinforcement: Bool
  }

  /// What an order would do if the host got it now.
  /// - Throws: why it would do nothing.
  public func preview(_ order: Order) throws(OrderError) -> Preview {
    guard let you, case .playing = phase else { throw .notPlaying }
    guard yourSeat?.isOut == false else { throw .isOut }
    guard planets.indices.contains(order.target), order.sources.allSatisfy(planets.indices.contains) else {
      throw .noSuchPlanet
    }
    var isMine = false
    var launched: [Fleet] = []
    var seen: Set<Int> = [order.target]
    for source in order.sources where seen.insert(source).inserted {
      let planet = planets[source]
      guard planet.owner == you, planet.isSeen else { continue }
      isMine = true
      let ships = order.share.of(ships(of: planet) ?? 0)
      guard ships > 0 else { continue }
      let travel = rules.travel(from: planet.place, to: planets[order.target].place)
      launched.append(
        Fleet(
          id: -1 - launched.count, owner: you, from: source, to: order.target, ships: ships, departure: tick,
          arrival: tick + travel))
    }
    guard isMine else { throw .notYours }
    guard let first = launched.map(\.arrival).min(), let last = launched.map(\.arrival).max() else {
      throw .nothingToSend
    }
    guard fleets.count(where: { $0.owner == you }) + launched.count <= Rules.fleetsOfSeat else { throw .tooManyFleets }
    let target = planets[order.target]
    return Preview(
      fleets: launched, ships: launched.reduce(0) { $0 + $1.ships }, arrivals: first...last,
      defenders: ships(of: target, at: last), isReinforcement: target.owner == you && target.isSeen)
  }
}
