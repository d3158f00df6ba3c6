import RoamkeyCBOR
import RoamkeySimulator

@testable import RoamkeyState

/// A thing that moves, in whole numbers.
struct Mover: Codable, Equatable, Identifiable {
  var id: Int
  var x: Int
  var y: Int
  var heading: Int
  var energy: Int
  var kind: String
}

/// Things that move in hundredths of a unit, turn now and then, and come and go.
struct MoverWorld: Codable, Equatable {
  var tick = 0
  var movers: [Mover] = []

  init(_ count: Int, _ random: inout SeededRandom) {
    movers = (0..<count).map { Self.mover($0 + 1, &random) }
  }

  static func mover(_ id: Int, _ random: inout SeededRandom) -> Mover {
    Mover(
      id: id, x: Int.random(in: 0..<100_000, using: &random), y: Int.random(in: 0..<100_000, using: &random),
      heading: Int.random(in: 0..<16, using: &random), energy: 100,
      kind: ["scout", "tank", "healer"].randomElement(using: &random) ?? "")
  }

  mutating func step(_ random: inout SeededRandom) {
    tick += 1
    let steps = [(50, 0), (46, 19), (35, 35), (19, 46), (0, 50), (-19, 46), (-35, 35), (-46, 19)]
    for index in movers.indices {
      if random.chance(0.03) { movers[index].heading = Int.random(in: 0..<16, using: &random) }
      if random.chance(0.01) { movers[index].energy -= Int.random(in: 1...20, using: &random) }
      let (dx, dy) = steps[movers[index].heading % 8]
      let sign = movers[index].heading < 8 ? 1 : -1
      movers[index].x += sign * dx
      movers[index].y += sign * dy
    }
    if random.chance(0.1), !movers.isEmpty {
      movers.remove(at: Int.random(in: 0..<movers.count, using: &random))
      movers.append(Self.mover(10_000 + tick, &random))
    }
  }
}

/// Both ends of the engine, without messages between.
struct Bench {
  var keys = KeyTable()
  var otherKeys = KeyTable()
  let limits = StateLimits()

  /// A state there and back, as the difference to others; what arrives is the state, and has these bytes.
  mutating func carry(
    _ state: Value, from base: Value? = nil, distance: Int64 = 1, _ older: Value? = nil, span: Int64 = 1
  ) throws -> (Value, [UInt8]) {
    let bytes = try encode(state, from: base, distance: distance, older, span: span)
    return (try decode(bytes, from: base, distance: distance, older, span: span), bytes)
  }

  mutating func encode(
    _ state: Value, from base: Value? = nil, distance: Int64 = 1, _ older: Value? = nil, span: Int64 = 1
  ) throws -> [UInt8] {
    let tree = try StateTree(state, keys: &keys, limits: limits)
    let baselines = StateCoding<RangeEncoder>.Baselines(
      base: try base.map { try StateTree($0, keys: &keys, limits: limits) },
      older: try older.map { try StateTree($0, keys: &keys, limits: limits) }, distance: distance, span: span)
    return StateCoding.encode(tree, baselines, keys: keys)
  }

  mutating func decode(
    _ bytes: [UInt8], from base: Value? = nil, distance: Int64 = 1, _ older: Value? = nil, span: Int64 = 1
  ) throws -> Value {
    // Keys come in another order, so that their numbers differ from the writer's.
    let others = StateCoding<RangeDecoder>.Baselines(
      base: try base.map { try StateTree($0, keys: &otherKeys, limits: limits) },
      older: try older.map { try StateTree($0, keys: &otherKeys, limits: limits) }, distance: distance, span: span)
    return try StateCoding.decode(bytes[...], others, keys: &otherKeys, limits: limits).value(keys: otherKeys)
  }
}
