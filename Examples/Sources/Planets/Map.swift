/// Where the planets are: the same for every seat, turned or mirrored.
///
/// Two seats face each other across the middle, four have a quarter each. A rectangle cannot be cut into three, five or
/// six parts that are alike, so their planets lie within a circle, which can.
public struct Map: Hashable, Sendable {
  public struct Planet: Hashable, Sendable {
    public var name: String
    public var place: Place
    public var size: Int
    /// Whose home it is.
    public var home: Int?
    /// Its ships at the beginning.
    public var garrison: Int
  }

  public let planets: [Planet]

  /// More planets than any map has.
  public static let mostPlanets = 40
  /// No two planets are nearer, in units of the map.
  public static let leastDistance = 11
  static let homeSize = 4
  static let homeGarrison = 40

  /// - Parameters:
  ///   - seed: another one, another map.
  ///   - seats: how many play, taken into 2...6.
  public init(seed: UInt64, seats: Int) {
    let seats = min(max(seats, Rules.seats.lowerBound), Rules.seats.upperBound)
    var generator = SeededGenerator(seed: seed &+ UInt64(seats) &* 0x9e37_79b9)
    var drawing = Drawing(symmetry: Symmetry(seats: seats), generator: generator)
    drawing.draw()
    generator = drawing.generator
    var names = Map.names.shuffled(using: &generator)[...]
    planets = drawing.planets.map { planet in
      Planet(
        name: names.popFirst() ?? "", place: planet.place, size: planet.size, home: planet.home,
        garrison: planet.garrison)
    }
  }
}

/// How a part of the map becomes all of it.
struct Symmetry {
  let seats: Int

  private static let middle = Place(x: 80, y: 45)
  /// Of the circle for three, five and six.
  private static let radius = 42

  /// Cosine and sine of a turn to the next seat, in ten-thousandths.
  private var turn: (cosine: Int, sine: Int) {
    switch seats {
    case 3: (-5000, 8660)
    case 5: (3090, 9511)
    default: (5000, 8660)
    }
  }

  /// A place and those that correspond to it, one for each seat.
  func places(of place: Place) -> [Place] {
    let (x, y) = (place.x - Self.middle.x, place.y - Self.middle.y)
    switch seats {
    case 2: return [(x, y), (-x, -y)].map(Self.fromMiddle)
    case 4: return [(x, y), (-x, y), (-x, -y), (x, -y)].map(Self.fromMiddle)
    default:
      // In hundredths, rounded once, so that no error adds up.
      var (a, b) = (x * 10_000, y * 10_000)
      return (0..<seats).map { _ in
        defer {
          (a, b) = ((a * turn.cosine - b * turn.sine) / 10_000, (a * turn.sine + b * turn.cosine) / 10_000)
        }
        return Self.fromMiddle(rounded(a), rounded(b))
      }
    }
  }

  private func rounded(_ value: Int) -> Int { (value + (value < 0 ? -5000 : 5000)) / 10_000 }

  private static func fromMiddle(_ x: Int, _ y: Int) -> Place { Place(x: middle.x + x, y: middle.y + y) }

  /// A place for a planet, by chance.
  func place(_ generator: inout SeededGenerator) -> Place {
    while true {
      let place = Place(x: .random(in: 6...153, using: &generator), y: .random(in: 5...84, using: &generator))
      let isCircle = seats != 2 && seats != 4
      if !isCircle || place.isWithin(Self.radius, of: Self.middle) { return place }
    }
  }

  /// How far from the middle a home is, at least.
  var homeDistance: Int { seats == 2 ? 48 : seats == 4 ? 44 : 30 }
  /// How many planets each seat has a share in, its home included.
  var planetsOfSeat: Int { [2: 10, 3: 8, 4: 6, 5: 5][seats] ?? 4 }

  func isHome(_ place: Place) -> Bool { !place.isWithin(homeDistance, of: Self.middle) }
  var centre: Place { Self.middle }
}

/// A map while it is being drawn.
private struct Drawing {
  struct Planet {
    var place: Place
    var size: Int
    var home: Int?
    var garrison: Int
  }

  let symmetry: Symmetry
  var generator: SeededGenerator
  var planets: [Planet] = []

  mutating func draw() {
    repeat { planets = [] } while !drawOnce()
  }

  /// Whether all planets have found room.
  private mutating func drawOnce() -> Bool {
    // A rich planet in the middle, to be fought for; not always.
    if Bool.random(using: &generator) {
      planets.append(Planet(place: symmetry.centre, size: 5, garrison: 35))
    }
    guard let home = room(where: symmetry.isHome) else { return false }
    add(home, size: Map.homeSize, isHome: true, garrison: Map.homeGarrison)
    // One to begin with, near and cheap: nobody waits for a first conquest.
    guard let first = room(where: { $0.isWithin(20, of: home[0]) }) else { return false }
    add(first, size: .random(in: 2...3, using: &generator), garrison: .random(in: 5...9, using: &generator))
    for _ in 2..<symmetry.planetsOfSeat {
      guard let places = room(where: { _ in true }) else { return false }
      let size = Int.random(in: 1...5, using: &generator)
      add(places, size: size, garrison: .random(in: 2 + 3 * size...8 + 5 * size, using: &generator))
    }
    return true
  }

  private mutating func add(_ places: [Place], size: Int, isHome: Bool = false, garrison: Int) {
    for (seat, place) in places.enumerated() {
      planets.append(Planet(place: place, size: size, home: isHome ? seat : nil, garrison: garrison))
    }
  }

  /// Places that correspond to each other and are near to nothing; nil if none is found in many tries.
  private mutating func room(where isFit: (Place) -> Bool) -> [Place]? {
    for _ in 0..<400 {
      let place = symmetry.place(&generator)
      guard isFit(place) else { continue }
      let places = symmetry.places(of: place)
      let all = planets.map(\.place) + places
      let isFree = places.enumerated().allSatisfy { index, place in
        all.enumerated().allSatisfy { other, neighbour in
          other == planets.count + index || !neighbour.isWithin(Map.leastDistance - 1, of: place)
        }
      }
      if isFree { return places }
    }
    return nil
  }
}

extension Map {
  /// Names of stars, more than any map has planets.
  static let names = [
    "Vega", "Sirius", "Rigel", "Deneb", "Altair", "Spica", "Castor", "Pollux", "Mira", "Algol", "Capella", "Antares",
    "Regulus", "Polaris", "Mizar", "Alcor", "Bellatrix", "Hadar", "Canopus", "Achernar", "Procyon", "Arcturus",
    "Aldebaran", "Fomalhaut", "Alhena", "Dubhe", "Merak", "Naos", "Saiph", "Sabik", "Tarazed", "Thuban", "Wezen",
    "Zaurak", "Electra", "Maia", "Merope", "Atlas", "Izar", "Gienah", "Nunki", "Kraz",
  ]
}
