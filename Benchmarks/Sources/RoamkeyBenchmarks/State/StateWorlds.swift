internal import Glibc

/// A state that changes from tick to tick.
protocol StateWorld: Codable, Equatable, Sendable {
  /// What the tables call it.
  static var title: String { get }
  init(_ random: inout SeededRandom)
  mutating func step(_ random: inout SeededRandom)
  /// There is nothing more to come.
  var isOver: Bool { get }
  /// All of it field by field, each number in as many bytes as it needs: what somebody would write by hand.
  var columns: [UInt8] { get }
}

extension StateWorld {
  var isOver: Bool { false }
}

/// Bytes of a layout by columns.
struct ColumnBytes {
  private(set) var bytes: [UInt8] = []

  mutating func add<Element: FixedWidthInteger>(_ values: some Sequence<Element>) {
    for value in values { withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) } }
  }

  mutating func add(_ values: some Sequence<Double>) { add(values.map(\.bitPattern)) }

  mutating func add(_ values: some Sequence<String>) {
    for value in values {
      bytes.append(UInt8(truncatingIfNeeded: value.utf8.count))
      bytes.append(contentsOf: value.utf8)
    }
  }
}

/// 200 things on straight courses, in whole hundredths.
struct Movers: StateWorld {
  struct Mover: Codable, Equatable, Sendable {
    var id: Int32
    var x: Int32
    var y: Int32
    var heading: Int32
    var energy: Int32
    var kind: String
  }

  static let title = "movers"
  var tick: Int32 = 0
  var movers: [Mover]

  init(_ random: inout SeededRandom) {
    movers = (1...200).map { id in
      Mover(
        id: id, x: .random(in: 0..<100_000, using: &random), y: .random(in: 0..<100_000, using: &random),
        heading: .random(in: 0..<360, using: &random), energy: 100,
        kind: ["scout", "tank", "healer"].randomElement(using: &random) ?? "")
    }
  }

  mutating func step(_ random: inout SeededRandom) {
    tick += 1
    for index in movers.indices {
      if Double.random(in: 0..<1, using: &random) < 0.03 {
        movers[index].heading = .random(in: 0..<360, using: &random)
      }
      if Double.random(in: 0..<1, using: &random) < 0.01 {
        movers[index].energy -= .random(in: 1...20, using: &random)
      }
      let angle = Double(movers[index].heading) * .pi / 180
      movers[index].x += Int32((cos(angle) * 50).rounded())
      movers[index].y += Int32((sin(angle) * 50).rounded())
    }
    guard tick % 10 == 0 else { return }
    movers.remove(at: .random(in: 0..<movers.count, using: &random))
    var new = Movers(&random).movers[0]
    new.id = 1000 + tick
    movers.append(new)
  }

  var columns: [UInt8] {
    var columns = ColumnBytes()
    columns.add([tick])
    columns.add(movers.map { UInt16(truncatingIfNeeded: $0.id) })
    columns.add(movers.map(\.x))
    columns.add(movers.map(\.y))
    columns.add(movers.map { Int16(truncatingIfNeeded: $0.heading) })
    columns.add(movers.map { Int16(truncatingIfNeeded: $0.energy) })
    columns.add(movers.map(\.kind))
    return columns.bytes
  }
}

/// 200 things that always turn, in Doubles to the last bit.
struct Cruisers: StateWorld {
  struct Cruiser: Codable, Equatable, Sendable {
    var id: Int32
    var x: Double
    var y: Double
    var heading: Double
    var turn: Double
    var energy: Int32
  }

  static let title = "cruisers"
  var tick: Int32 = 0
  var cruisers: [Cruiser]

  init(_ random: inout SeededRandom) {
    cruisers = (1...200).map { id in
      Cruiser(
        id: id, x: .random(in: 0..<1000, using: &random), y: .random(in: 0..<1000, using: &random),
        heading: .random(in: 0..<6, using: &random), turn: .random(in: -0.1...0.1, using: &random), energy: 100)
    }
  }

  mutating func step(_ random: inout SeededRandom) {
    tick += 1
    for index in cruisers.indices {
      if Double.random(in: 0..<1, using: &random) < 0.03 {
        cruisers[index].turn = .random(in: -0.1...0.1, using: &random)
      }
      cruisers[index].heading += cruisers[index].turn
      cruisers[index].x += cos(cruisers[index].heading) * 0.5
      cruisers[index].y += sin(cruisers[index].heading) * 0.5
    }
  }

  var columns: [UInt8] {
    var columns = ColumnBytes()
    columns.add([tick])
    columns.add(cruisers.map { UInt16(truncatingIfNeeded: $0.id) })
    columns.add(cruisers.map(\.x))
    columns.add(cruisers.map(\.y))
    columns.add(cruisers.map(\.heading))
    columns.add(cruisers.map(\.turn))
    columns.add(cruisers.map { Int16(truncatingIfNeeded: $0.energy) })
    return columns.bytes
  }
}

/// The same, shown in Doubles that are rounded to hundredths: what a thoughtful game sends.
struct RoundedCruisers: StateWorld {
  struct Shown: Codable, Equatable, Sendable {
    var id: Int32
    var x: Double
    var y: Double
    var heading: Double
    var energy: Int32
  }

  static let title = "rounded"
  private var exact: Cruisers?
  var cruisers: [Shown]

  private enum CodingKeys: CodingKey {
    case cruisers
  }

  init(_ random: inout SeededRandom) {
    exact = Cruisers(&random)
    cruisers = []
    show()
  }

  init(from decoder: any Decoder) throws {
    cruisers = try decoder.container(keyedBy: CodingKeys.self).decode([Shown].self, forKey: .cruisers)
  }

  static func == (one: RoundedCruisers, other: RoundedCruisers) -> Bool { one.cruisers == other.cruisers }

  mutating func step(_ random: inout SeededRandom) {
    exact?.step(&random)
    show()
  }

  private mutating func show() {
    cruisers = (exact?.cruisers ?? []).map { cruiser in
      Shown(
        id: cruiser.id, x: (cruiser.x * 100).rounded() / 100, y: (cruiser.y * 100).rounded() / 100,
        heading: (cruiser.heading * 100).rounded() / 100, energy: cruiser.energy)
    }
  }

  var columns: [UInt8] {
    var columns = ColumnBytes()
    columns.add(cruisers.map { UInt16(truncatingIfNeeded: $0.id) })
    columns.add(cruisers.map { Int32(($0.x * 100).rounded()) })
    columns.add(cruisers.map { Int32(($0.y * 100).rounded()) })
    columns.add(cruisers.map { Int32(($0.heading * 100).rounded()) })
    columns.add(cruisers.map { Int16(truncatingIfNeeded: $0.energy) })
    return columns.bytes
  }
}

/// A board on which a piece moves every second.
struct Board: StateWorld {
  static let title = "board"
  var squares: [String]
  var tick: Int32 = 0
  var moves: [String] = []
  var whiteMoves = true

  private enum CodingKeys: CodingKey {
    case squares, moves, whiteMoves
  }

  init(_ random: inout SeededRandom) {
    let pieces = ["R", "N", "B", "Q", "K", "B", "N", "R"]
    squares = pieces + Array(repeating: "P", count: 8) + Array(repeating: "", count: 32)
    squares += Array(repeating: "p", count: 8) + pieces.map { $0.lowercased() }
  }

  static func == (one: Board, other: Board) -> Bool { one.squares == other.squares && one.moves == other.moves }

  mutating func step(_ random: inout SeededRandom) {
    tick += 1
    guard tick % 20 == 0 else { return }
    let occupied = squares.indices.filter { squares[$0] != "" }
    let from = occupied.randomElement(using: &random) ?? 0
    let to = Int.random(in: 0..<64, using: &random)
    (squares[to], squares[from]) = (squares[from], "")
    moves.append("\(from)-\(to)")
    whiteMoves.toggle()
  }

  var columns: [UInt8] {
    var columns = ColumnBytes()
    columns.add(squares)
    columns.add(moves)
    columns.add([whiteMoves ? UInt8(1) : 0])
    return columns.bytes
  }
}

/// Planets that build ships, and fleets that never change once they are on their way.
struct Galaxy: StateWorld {
  struct Planet: Codable, Equatable, Sendable {
    var id: Int32
    var x: Int32
    var y: Int32
    var owner: String?
    var ships: Int32
  }
  struct Fleet: Codable, Equatable, Sendable {
    var id: Int32
    var from: Int32
    var to: Int32
    var ships: Int32
    var departure: Double
    var owner: String
  }

  static let title = "galaxy"
  var time = 0.0
  var planets: [Planet]
  var fleets: [Fleet] = []
  private var lastFleet: Int32 = 0

  private enum CodingKeys: CodingKey {
    case time, planets, fleets
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    time = try container.decode(Double.self, forKey: .time)
    planets = try container.decode([Planet].self, forKey: .planets)
    fleets = try container.decode([Fleet].self, forKey: .fleets)
  }

  static func == (one: Galaxy, other: Galaxy) -> Bool {
    one.time == other.time && one.planets == other.planets && one.fleets == other.fleets
  }

  init(_ random: inout SeededRandom) {
    planets = (1...60).map { id in
      Planet(
        id: id, x: .random(in: 0..<2000, using: &random), y: .random(in: 0..<2000, using: &random),
        owner: ["ada", "ben", nil].randomElement(using: &random) ?? nil, ships: .random(in: 5..<50, using: &random))
    }
  }

  mutating func step(_ random: inout SeededRandom) {
    let tick = Int((time * 20).rounded()) + 1
    time = Double(tick) / 20
    for index in planets.indices where planets[index].owner != nil && (tick + index) % 20 == 0 {
      planets[index].ships += 1
    }
    fleets.removeAll { time - $0.departure > 5 }
    guard tick % 3 == 0 else { return }
    let from = Int.random(in: 0..<planets.count, using: &random)
    guard let owner = planets[from].owner, planets[from].ships > 1 else { return }
    lastFleet += 1
    let ships = planets[from].ships / 2
    planets[from].ships -= ships
    fleets.append(
      Fleet(
        id: lastFleet, from: Int32(from), to: .random(in: 0..<60, using: &random), ships: ships, departure: time,
        owner: owner))
    if Double.random(in: 0..<1, using: &random) < 0.2 { planets[from].owner = owner == "ada" ? "ben" : "ada" }
  }

  var columns: [UInt8] {
    var columns = ColumnBytes()
    columns.add([time])
    columns.add(planets.map { UInt16(truncatingIfNeeded: $0.id) })
    columns.add(planets.map { Int16(truncatingIfNeeded: $0.x) })
    columns.add(planets.map { Int16(truncatingIfNeeded: $0.y) })
    columns.add(planets.map { $0.owner ?? "" })
    columns.add(planets.map { Int16(truncatingIfNeeded: $0.ships) })
    columns.add(fleets.map(\.id))
    columns.add(fleets.map { UInt16(truncatingIfNeeded: $0.from) })
    columns.add(fleets.map { UInt16(truncatingIfNeeded: $0.to) })
    columns.add(fleets.map { Int16(truncatingIfNeeded: $0.ships) })
    columns.add(fleets.map(\.departure))
    columns.add(fleets.map(\.owner))
    return columns.bytes
  }
}
