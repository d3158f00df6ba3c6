import RoamkeyCBOR
import RoamkeySimulator

/// Values of any shape, and others that differ from them in a few places.
enum RandomValues {
  static func value(_ random: inout SeededRandom, depth: Int = 0) -> Value {
    let kinds = depth < 5 ? 14 : 10
    switch Int.random(in: 0..<kinds, using: &random) {
    case 0: return .null
    case 1: return .bool(random.chance(0.5))
    case 2, 3: return .integer(integer(&random))
    case 4, 5: return .number(number(&random))
    case 6, 7: return .text(text(&random))
    case 8: return .bytes(random.bytes(Int.random(in: 0..<6, using: &random)))
    case 9: return random.chance(0.5) ? .undefined : .simple(UInt8.random(in: 32...255, using: &random))
    case 10:
      return .tagged(random.next() >> UInt64.random(in: 0..<64, using: &random), value(&random, depth: depth + 1))
    case 11: return list(&random, depth: depth)
    case 12: return things(&random, depth: depth)
    default: return dictionary(&random, depth: depth)
    }
  }

  static func integer(_ random: inout SeededRandom) -> Int128 {
    let edges: [Int128] = [
      0, 1, -1, 255, Int128(Int64.max), Int128(Int64.min), Int128(Int64.max) + 1, Int128(Int64.min) - 1,
      Int128(UInt64.max), -1 - Int128(UInt64.max),
    ]
    if random.chance(0.2), let edge = edges.randomElement(using: &random) { return edge }
    let size = Int128(random.next() >> UInt64.random(in: 0..<64, using: &random))
    return random.chance(0.5) ? size : -1 - size
  }

  static func number(_ random: inout SeededRandom) -> Double {
    let edges = [
      0.0, -0.0, 1.5, .infinity, -.infinity, .nan, -.nan, .signalingNaN, Double(nan: 77, signaling: false),
      .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0x1p53, -0x1p53, 0x1p53 + 2, 0.1, 12.34, -0.001,
      Double(Float.pi), Double(Float.leastNonzeroMagnitude),
    ]
    switch Int.random(in: 0..<5, using: &random) {
    case 0: return edges.randomElement(using: &random) ?? 0
    case 1: return Double(bitPattern: random.next())
    case 2: return (Double.random(in: -1000...1000, using: &random) * 100).rounded() / 100
    case 3: return Double(Float.random(in: -1000...1000, using: &random))
    default: return Double.random(in: -1...1, using: &random)
    }
  }

  static func text(_ random: inout SeededRandom) -> String {
    let words = ["", "idle", "moving", "attack", "é", "e\u{301}", "日本語", "👩‍🚀", "id", "a\u{0}b", "0", "10"]
    if random.chance(0.7), let word = words.randomElement(using: &random) { return word }
    return String((0..<Int.random(in: 0..<12, using: &random)).map { _ in Character("\(random.next() % 10)") })
  }

  static func key(_ random: inout SeededRandom) -> Value {
    if random.chance(0.1) { return .integer(Int128(random.next() % 5)) }
    if random.chance(0.05) { return .list([.bool(random.chance(0.5)), .null]) }
    return .text(text(&random))
  }

  static func list(_ random: inout SeededRandom, depth: Int) -> Value {
    let first = value(&random, depth: depth + 1)
    return .list(
      (0..<Int.random(in: 0..<9, using: &random)).map { _ in
        random.chance(0.5) ? first : value(&random, depth: depth + 1)
      })
  }

  /// A list of elements with ids.
  static func things(_ random: inout SeededRandom, depth: Int) -> Value {
    .list(
      (0..<Int.random(in: 0..<9, using: &random)).map { index in
        let id: Value = random.chance(0.8) ? .integer(Int128(index)) : .text(text(&random))
        return ["id": id, "x": .integer(integer(&random)), "y": .number(number(&random)), "k": .text(text(&random))]
      })
  }

  static func dictionary(_ random: inout SeededRandom, depth: Int) -> Value {
    var entries: [Value: Value] = [:]
    for _ in 0..<Int.random(in: 0..<(random.chance(0.1) ? 60 : 7), using: &random) {
      entries[key(&random)] = value(&random, depth: depth + 1)
    }
    return .dictionary(entries)
  }

  /// The same with some differences.
  static func mutated(_ value: Value, _ random: inout SeededRandom, depth: Int = 0, chance: Double = 0.15) -> Value {
    if random.chance(chance * 0.2) { return self.value(&random, depth: depth) }
    switch value {
    case .integer(let number):
      guard random.chance(chance) else { return value }
      let other = number + Int128.random(in: -9...9, using: &random)
      return .integer(max(-1 - Int128(UInt64.max), min(Int128(UInt64.max), other)))
    case .number(let number): return random.chance(chance) ? .number(number + 0.25) : value
    case .list(var elements):
      if random.chance(chance), !elements.isEmpty {
        elements.remove(at: Int.random(in: 0..<elements.count, using: &random))
      }
      if random.chance(chance), let some = elements.randomElement(using: &random) {
        elements.insert(some, at: Int.random(in: 0...elements.count, using: &random))
      }
      if random.chance(chance * 0.3) { elements.shuffle(using: &random) }
      return .list(elements.map { mutated($0, &random, depth: depth + 1, chance: chance) })
    case .dictionary(let entries):
      var changed: [Value: Value] = [:]
      // In an order that follows from the seed alone.
      let bytes = { (key: Value) in (try? key.cbor()) ?? [] }
      let sorted = entries.sorted { bytes($0.key).lexicographicallyPrecedes(bytes($1.key)) }
      for (key, value) in sorted where !random.chance(chance * 0.3) {
        changed[key] = mutated(value, &random, depth: depth + 1, chance: chance)
      }
      if random.chance(chance) { changed[key(&random)] = self.value(&random, depth: depth + 1) }
      return .dictionary(changed)
    case .tagged(let tag, let inner): return .tagged(tag, mutated(inner, &random, depth: depth + 1, chance: chance))
    case .null, .undefined, .bool, .bytes, .text, .simple: return value
    }
  }
}

extension Value {
  /// Whether both are the same to the last bit, which `==` does not ask of NaN.
  func isIdentical(_ other: Value) -> Bool {
    switch (self, other) {
    case (.number(let one), .number(let other)): one.bitPattern == other.bitPattern
    case (.list(let one), .list(let other)):
      one.count == other.count && zip(one, other).allSatisfy { $0.isIdentical($1) }
    case (.dictionary(let one), .dictionary(let other)):
      one.count == other.count && one.allSatisfy { key, value in other[key].map { value.isIdentical($0) } ?? false }
    case (.tagged(let tag, let one), .tagged(let otherTag, let other)): tag == otherTag && one.isIdentical(other)
    default: self == other
    }
  }
}
