/// What each seat sees, and what it remembers of what it saw.
struct Scanners: Hashable, Sendable {
  /// What a seat knows of a planet that it does not see.
  struct Memory: Hashable, Sendable {
    var owner: Int?
    var stock: Int?
    var asOf = 0
  }

  /// Ticks between two looks; after a fight there is one at once.
  static let interval = 5

  /// The planets within range of each planet, one bit each.
  private let inRange: [UInt64]
  /// The planets that each seat sees, one bit each.
  private(set) var seen: [UInt64]
  private(set) var memory: [[Memory]]

  init(planets: [Game.Planet], seats: Int) {
    inRange = planets.map { planet in
      let range = Rules.scannerRange(ofSize: planet.size)
      return planets.indices.reduce(0) { bits, other in
        planets[other].place.isWithin(range, of: planet.place) ? bits | 1 << UInt64(other) : bits
      }
    }
    seen = Array(repeating: 0, count: seats)
    memory = Array(repeating: Array(repeating: Memory(), count: planets.count), count: seats)
  }

  func sees(_ seat: Int, _ planet: Int) -> Bool { seen[seat] >> UInt64(planet) & 1 == 1 }

  mutating func scan(_ planets: [Game.Planet], _ fleets: [View.Fleet], at tick: Int, rules: Rules) {
    var now = Array(repeating: UInt64(0), count: seen.count)
    for (index, planet) in planets.enumerated() {
      if let owner = planet.owner { now[owner] |= inRange[index] }
    }
    for fleet in fleets {
      let place = fleet.place(at: tick, from: planets[fleet.from].place, to: planets[fleet.to].place)
      for (index, planet) in planets.enumerated()
      where planet.place.isWithin(Rules.scannerRangeOfFleet, of: place) {
        now[fleet.owner] |= 1 << UInt64(index)
      }
    }
    for seat in seen.indices where seen[seat] & ~now[seat] != 0 {
      for (index, planet) in planets.enumerated() where (seen[seat] & ~now[seat]) >> UInt64(index) & 1 == 1 {
        let grown = planet.owner.map { _ in
          rules.stock(planet.stock, size: planet.size, after: max(0, tick) - max(0, planet.asOf))
        }
        memory[seat][index] = Memory(owner: planet.owner, stock: grown ?? planet.stock, asOf: tick)
      }
    }
    seen = now
  }
}

extension View.Fleet {
  /// Where it is, in whole units.
  func place(at tick: Int, from a: Place, to b: Place) -> Place {
    let (way, whole) = (min(max(0, tick - departure), arrival - departure), max(1, arrival - departure))
    return Place(x: a.x + (b.x - a.x) * way / whole, y: a.y + (b.y - a.y) * way / whole)
  }
}
