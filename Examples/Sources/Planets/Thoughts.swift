/// How the strong bot thinks: it counts what will arrive where, keeps what it needs at home, joins several planets for
/// a conquest, and brings the rest to the front.
struct Thoughts {
  /// Who will have a planet, and how many ships on it.
  struct Forecast {
    var owner: Int?
    var ships: Int
  }

  let view: View
  private let you: Int
  /// The fleets that will arrive at each planet, in order of arrival.
  private var arrivals: [[View.Fleet]]
  /// What each planet of ours can do without.
  private var spare: [Int: Int] = [:]
  private var orders: [Order] = []

  init(_ view: View) {
    self.view = view
    you = view.you ?? -1
    arrivals = Array(repeating: [], count: view.planets.count)
    for fleet in view.fleets where arrivals.indices.contains(fleet.to) { arrivals[fleet.to].append(fleet) }
    for planet in arrivals.indices { arrivals[planet].sort { ($0.arrival, $0.id) < ($1.arrival, $1.id) } }
  }

  mutating func orders(using generator: inout some RandomNumberGenerator) -> [Order] {
    // Two that think alike would do the same at once for ever.
    guard Int.random(in: 0..<4, using: &generator) > 0 else { return [] }
    let own = view.yourPlanets
    for planet in own { spare[planet.id] = spareShips(of: planet) }
    help(own)
    while orders.count < 6, conquer(own, &generator) {}
    gather(own)
    return orders
  }

  // MARK: What will be

  /// How it will be at a later tick if nobody sends any more.
  func forecast(_ planet: View.Planet, at later: Int) -> Forecast {
    var now = Forecast(owner: planet.owner, ships: view.guess(planet, at: view.tick))
    var tick = view.tick
    func grow(until next: Int) {
      guard now.owner != nil else { return }
      let stock = view.rules.stock(now.ships * Rules.partsOfShip, size: planet.size, after: next - tick)
      now.ships = stock / Rules.partsOfShip
    }
    for fleet in arrivals[planet.id] where fleet.arrival <= later {
      grow(until: fleet.arrival)
      tick = max(tick, fleet.arrival)
      if fleet.owner == now.owner {
        now.ships += fleet.ships
      } else if fleet.ships > now.ships {
        now = Forecast(owner: fleet.owner, ships: fleet.ships - now.ships)
      } else {
        now.ships -= fleet.ships
      }
    }
    grow(until: later)
    return now
  }

  /// What a planet can do without and still be ours after all that is seen coming.
  private func spareShips(of planet: View.Planet) -> Int {
    let ships = view.ships(of: planet) ?? 0
    var (balance, least) = (ships, ships)
    var tick = view.tick
    for fleet in arrivals[planet.id] {
      balance += (fleet.arrival - tick) * planet.size * view.rules.pace / Rules.partsOfShip
      tick = fleet.arrival
      balance += fleet.owner == you ? fleet.ships : -fleet.ships
      least = min(least, balance)
    }
    // And of what may come from near by.
    return max(0, min(least, ships - min(pressure(on: planet), ships * 2 / 3)))
  }

  /// What others' planets near by could send here.
  private func pressure(on place: View.Planet) -> Int {
    view.planets.reduce(0) { sum, planet in
      guard let owner = planet.owner, owner != you, planet.stock != nil else { return sum }
      guard travel(planet, place) < 110 else { return sum }
      return sum + view.guess(planet, at: view.tick) / 2
    }
  }

  // MARK: What to do

  /// Planets of ours that will be lost get what they lack, if it can be there in time.
  private mutating func help(_ own: [View.Planet]) {
    for planet in own {
      guard let last = arrivals[planet.id].last(where: { $0.owner != you }) else { continue }
      let then = forecast(planet, at: last.arrival)
      guard then.owner != you else { continue }
      var lack = then.ships + 2
      for source in neighbours(of: planet, own) where lack > 0 {
        guard view.tick + travel(source, planet) <= last.arrival else { break }
        lack -= send(lack, from: source, to: planet)
      }
    }
  }

  /// The conquest that is worth most for what it costs.
  /// - Returns: whether there was one.
  private mutating func conquer(_ own: [View.Planet], _ generator: inout some RandomNumberGenerator) -> Bool {
    var best: (worth: Double, target: View.Planet, sources: [View.Planet], needed: Int)?
    for target in view.planets where target.owner != you || !target.isSeen {
      var sum = 0
      var sources: [View.Planet] = []
      for source in neighbours(of: target, own).prefix(6) {
        let ships = spare[source.id] ?? 0
        guard ships >= 4 else { continue }
        sources.append(source)
        sum += ships
        let arrival = view.tick + travel(source, target)
        let then = forecast(target, at: arrival)
        if then.owner == you { break }
        // Who is attacked sends help, and what is not seen has been reinforced.
        let needed =
          then.ships + 2
          + (then.owner == nil ? 0 : 2 + then.ships / (target.isSeen ? 8 : 3) + reinforcements(of: target))
        guard sum >= needed else { continue }
        let gain = Double(target.size) * (then.owner == nil ? 1 : 1.8)
        let worth = gain / Double(needed + (arrival - view.tick) / 8) * .random(in: 0.95...1.05, using: &generator)
        if worth > best?.worth ?? 0 { best = (worth, target, sources, needed) }
        break
      }
    }
    guard let best else { return false }
    var needed = best.needed
    for source in best.sources where needed > 0 { needed -= send(needed, from: source, to: best.target) }
    return needed < best.needed
  }

  /// What is far from everybody goes to where it is of use.
  private mutating func gather(_ own: [View.Planet]) {
    let foreign = view.planets.filter { $0.owner != you }
    func distance(_ planet: View.Planet) -> Int {
      foreign.map { ($0.owner == nil ? 2 : 1) * travel(planet, $0) }.min() ?? 0
    }
    let distances = Dictionary(uniqueKeysWithValues: own.map { ($0.id, distance($0)) })
    for planet in own where orders.count < 8 {
      let ships = spare[planet.id] ?? 0
      guard ships >= 10, let here = distances[planet.id] else { continue }
      let nearer = neighbours(of: planet, own).first { other in
        (distances[other.id] ?? here) + 10 < here && travel(planet, other) < here
      }
      if let nearer { send(ships, from: planet, to: nearer) }
    }
  }

  // MARK: Small things

  private func travel(_ a: View.Planet, _ b: View.Planet) -> Int { view.rules.travel(from: a.place, to: b.place) }

  /// What the owner's other planets near by could send to keep it, or to take it back.
  private func reinforcements(of target: View.Planet) -> Int {
    view.planets.reduce(0) { sum, planet in
      guard planet.owner == target.owner, planet.id != target.id, travel(planet, target) < 80 else { return sum }
      return sum + view.guess(planet, at: view.tick) / 3
    }
  }

  private func neighbours(of planet: View.Planet, _ own: [View.Planet]) -> [View.Planet] {
    own.filter { $0.id != planet.id }
      .map { (distance: $0.place.squaredDistance(to: planet.place), planet: $0) }
      .sorted { ($0.distance, $0.planet.id) < ($1.distance, $1.planet.id) }.map(\.planet)
  }

  /// Sends the smallest share that is enough, or the largest that can be spared.
  /// - Returns: how many ships.
  @discardableResult
  private mutating func send(_ wanted: Int, from source: View.Planet, to target: View.Planet) -> Int {
    let ships = view.ships(of: source) ?? 0
    let affordable = Share.allCases.filter { $0.of(ships) <= spare[source.id] ?? 0 && $0.of(ships) > 0 }
    guard let share = affordable.first(where: { $0.of(ships) >= wanted }) ?? affordable.last else { return 0 }
    let sent = share.of(ships)
    // One order a planet and thought: the next share would be of what is left.
    spare[source.id] = 0
    orders.append(Order(from: [source.id], to: target.id, share: share))
    arrivals[target.id].append(
      View.Fleet(
        id: -1 - orders.count, owner: you, from: source.id, to: target.id, ships: sent, departure: view.tick,
        arrival: view.tick + travel(source, target)))
    arrivals[target.id].sort { ($0.arrival, $0.id) < ($1.arrival, $1.id) }
    return sent
  }
}
