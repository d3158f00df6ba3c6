/// A match by its rules: the same orders at the same ticks make the same match, on every machine.
///
/// It is a value. Nothing in it is shared, and it asks for no time and no chance of its own.
public struct Game: Hashable, Sendable {
  /// One planet as it is.
  struct Planet: Hashable, Sendable {
    var place: Place
    var size: Int
    var owner: Int?
    /// Parts of ships at `asOf`.
    var stock: Int
    var asOf = 0
  }

  /// Ticks between two entries of the history.
  public static let historyInterval = 5 * Rules.ticksASecond

  public let map: Map
  public let rules: Rules
  public let seatCount: Int
  /// The match's time; below 0 in the countdown.
  public private(set) var tick = -Rules.countdown
  var planets: [Planet]
  var fleets: [View.Fleet] = []
  var scanners: Scanners
  private(set) var standings: [Standing]
  private(set) var history: [[Int]]
  private(set) var end: View.Phase?
  private var nextFleet = 1

  /// - Parameters:
  ///   - seed: what the map follows from.
  ///   - seats: how many play, taken into 2...6.
  public init(seed: UInt64, seats: Int, rules: Rules = Rules()) {
    self.rules = rules
    map = Map(seed: seed, seats: seats)
    seatCount = min(max(seats, Rules.seats.lowerBound), Rules.seats.upperBound)
    planets = map.planets.map {
      Planet(place: $0.place, size: $0.size, owner: $0.home, stock: $0.garrison * Rules.partsOfShip)
    }
    scanners = Scanners(planets: planets, seats: seatCount)
    standings = Array(repeating: Standing(), count: seatCount)
    history = Array(repeating: [], count: seatCount)
    if rules.hasScanners { scanners.scan(planets, fleets, at: tick, rules: rules) }
    count()
    for seat in standings.indices { history[seat] = [standings[seat].ships] }
  }

  /// Countdown, playing or over.
  public var phase: View.Phase { end ?? (tick < 0 ? .countdown : .playing) }

  /// Who has won; nil where nobody has, or not yet.
  public var winner: Int? {
    if case .over(let winner) = end { winner } else { nil }
  }

  /// Whether it is over.
  public var isOver: Bool { end != nil }

  /// How many ships and planets a seat had when they were counted last, and whether it is out.
  public func standing(of seat: Int) -> Standing { standings.indices.contains(seat) ? standings[seat] : Standing() }

  // MARK: Orders

  /// Sends ships off.
  ///
  /// Planets that are not the seat's, or have nothing to send, are passed over: what was true when the player looked
  /// may not be any more when the order comes.
  /// - Returns: how many fleets have left, at least 1.
  /// - Throws: why none has.
  @discardableResult
  public mutating func order(_ order: Order, by seat: Int) throws(OrderError) -> Int {
    guard case .playing = phase, (0..<seatCount).contains(seat) else { throw .notPlaying }
    guard !standings[seat].isOut else { throw .isOut }
    guard planets.indices.contains(order.target), order.sources.count <= planets.count,
      order.sources.allSatisfy(planets.indices.contains)
    else { throw .noSuchPlanet }
    var seen: Set<Int> = [order.target]
    let mine = order.sources.filter { seen.insert($0).inserted && planets[$0].owner == seat }
    guard !mine.isEmpty else { throw .notYours }
    let leaving = mine.map { (source: $0, ships: order.share.of(ships(of: $0))) }.filter { $0.ships > 0 }
    guard !leaving.isEmpty else { throw .nothingToSend }
    guard fleets.count(where: { $0.owner == seat }) + leaving.count <= Rules.fleetsOfSeat else { throw .tooManyFleets }
    for (source, ships) in leaving { launch(ships, from: source, to: order.target, of: seat) }
    return leaving.count
  }

  private mutating func launch(_ ships: Int, from source: Int, to target: Int, of seat: Int) {
    planets[source].stock = stock(of: source) - ships * Rules.partsOfShip
    planets[source].asOf = tick
    let travel = rules.travel(from: planets[source].place, to: planets[target].place)
    fleets.append(
      View.Fleet(
        id: nextFleet, owner: seat, from: source, to: target, ships: ships, departure: tick, arrival: tick + travel))
    nextFleet += 1
  }

  // MARK: Time

  /// One twentieth of a second.
  public mutating func advance() {
    guard end == nil else { return }
    tick += 1
    guard tick > 0 else { return }
    let hasLanded = land()
    if rules.hasScanners && (hasLanded || tick.isMultiple(of: Scanners.interval)) {
      scanners.scan(planets, fleets, at: tick, rules: rules)
    }
    if hasLanded || tick.isMultiple(of: Rules.ticksASecond) || tick >= rules.length { count() }
    decide()
  }

  /// Parts of ships on a planet now.
  func stock(of planet: Int) -> Int {
    let planet = planets[planet]
    guard planet.owner != nil else { return planet.stock }
    return rules.stock(planet.stock, size: planet.size, after: max(0, tick) - max(0, planet.asOf))
  }

  /// Whole ships on a planet now.
  func ships(of planet: Int) -> Int { stock(of: planet) / Rules.partsOfShip }

  private mutating func count() {
    var counts = Array(repeating: Standing(), count: seatCount)
    for (index, planet) in planets.enumerated() {
      guard let owner = planet.owner else { continue }
      counts[owner].planets += 1
      counts[owner].ships += ships(of: index)
    }
    for fleet in fleets {
      counts[fleet.owner].ships += fleet.ships
      counts[fleet.owner].fleets += 1
    }
    for seat in counts.indices { counts[seat].isOut = counts[seat].planets == 0 && counts[seat].fleets == 0 }
    standings = counts
    guard tick.isMultiple(of: Game.historyInterval), tick >= 0, history[0].count <= tick / Game.historyInterval else {
      return
    }
    for seat in counts.indices { history[seat].append(counts[seat].ships) }
  }

  private mutating func decide() {
    let left = standings.indices.filter { !standings[$0].isOut }
    if left.count <= 1 {
      end = .over(winner: left.first)
    } else if tick >= rules.length {
      func score(_ seat: Int) -> (Int, Int) { (standings[seat].ships, standings[seat].planets) }
      let best = left.max { score($0) < score($1) } ?? 0
      end = .over(winner: left.contains { $0 != best && score($0) == score(best) } ? nil : best)
    }
  }
}

/// What a seat has.
public struct Standing: Hashable, Sendable {
  public var ships = 0
  public var planets = 0
  public var fleets = 0
  public var isOut = false
}
