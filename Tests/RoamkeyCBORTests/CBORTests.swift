import RoamkeyCBOR
import RoamkeySimulator
import Testing

@Suite struct CBORTests {
  @Test(arguments: AppendixA.examples)
  func theExamplesOfTheStandard(_ example: AppendixA.Example) throws {
    #expect(try Value(cbor: bytes(example.hex)) == example.value)
    #expect((try hex(example.value.cbor()) == example.hex) == example.isDeterministic)
  }

  @Test func thereAreAllOfThem() {
    // 82 in RFC 7049; RFC 8949 has the same without simple(24), which is no longer well-formed.
    #expect(AppendixA.examples.count == 81)
  }

  @Test func keysAreInTheOrderOfTheirBytes() throws {
    // RFC 8949, section 4.2.1.
    let value: Value = [10: 0, 100: 0, -1: 0, "z": 0, "aa": 0, [100]: 0, [-1]: 0, false: 0]
    #expect(
      try hex(value.cbor()) == "a8" + "0a00" + "186400" + "2000" + "617a00" + "62616100" + "81186400" + "812000"
        + "f400")
  }

  @Test(arguments: [
    "", "18", "19ff", "1b00000000000000", "61", "62ff", "81", "8201", "a101", "9f", "9f01", "5f4101", "bf01", "c0",
    "f8", "f9ff", "fb00000000000000", "9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff",
    "7bffffffffffffffff", "9a00ffffff00",
  ])
  func whatEndsEarlyIsRefused(_ hex: String) {
    #expect(throws: CBORError.endsEarly) { try Value(cbor: bytes(hex)) }
  }

  @Test(arguments: [
    ("1c", 0), ("1d", 0), ("1e", 0), ("1f", 0), ("3f", 0), ("df00", 0), ("ff", 0), ("81ff", 1), ("8201ff", 2),
    ("a1ff00", 1), ("a101ff", 2), ("bf01ff", 2), ("f800", 0), ("f81f", 0), ("f818", 0), ("fc", 0), ("5f00ff", 1),
    ("5f6161ff", 1), ("7f4161ff", 1), ("5f5f4101ffff", 1), ("c0ff", 1), ("9fdfff", 1),
  ])
  func whatIsNotWellFormedIsRefused(_ hex: String, _ place: Int) {
    #expect(throws: CBORError.malformed(at: place)) { try Value(cbor: bytes(hex)) }
  }

  @Test func whatIsWrongIsToldByItsPlace() {
    #expect(throws: CBORError.textIsNotUTF8(at: 1)) { try Value(cbor: bytes("8161ff")) }
    // A character must not be spread over two pieces.
    #expect(throws: CBORError.textIsNotUTF8(at: 1)) { try Value(cbor: bytes("7f61c361bcff")) }
    #expect(throws: CBORError.repeatedKey(at: 4)) { try Value(cbor: bytes("a201020103")) }
    // The same key, however it is written.
    #expect(throws: CBORError.repeatedKey(at: 6)) { try Value(cbor: bytes("a2010219000103")) }
    #expect(throws: CBORError.goesOn(at: 1)) { try Value(cbor: bytes("0000")) }
    #expect(throws: CBORError.integerTooLarge) { try Value.integer(1 << 64).cbor() }
    #expect(throws: CBORError.integerTooLarge) { try Value.integer(-1 << 64 - 1).cbor() }
    for number in UInt8(20)..<32 {
      #expect(throws: CBORError.reservedSimple(number)) { try Value.simple(number).cbor() }
    }
  }

  @Test(arguments: ["81", "a100", "a1", "c6"])
  func thereAreSixteenLevels(_ opening: String) throws {
    func nested(_ levels: Int) -> [UInt8] {
      // A dictionary may be nested in its keys, too.
      let closing = opening == "a1" ? String(repeating: "00", count: levels) : ""
      return bytes(String(repeating: opening, count: levels) + "00" + closing)
    }
    let value = try Value(cbor: nested(CBOR.maximumDepth))
    #expect(try value.cbor() == nested(CBOR.maximumDepth))
    #expect(throws: CBORError.tooDeep(limit: 16)) { try Value(cbor: nested(17)) }
    #expect(throws: CBORError.tooDeep(limit: 16)) { try Value(cbor: nested(100_000)) }
    #expect(throws: CBORError.tooDeep(limit: 16)) { try Value.list([value]).cbor() }
    #expect(throws: CBORError.tooDeep(limit: 16)) { try Value.tagged(1, value).cbor() }
    #expect(throws: CBORError.tooDeep(limit: 16)) { try Value.dictionary([value: 1]).cbor() }
  }

  @Test func numbersTakeAsFewBytesAsTheyCan() throws {
    for bits in UInt16.min...UInt16.max {
      let value = try Value(cbor: [0xf9, UInt8(bits >> 8), UInt8(truncatingIfNeeded: bits)])
      let isNaN = bits & 0x7c00 == 0x7c00 && bits & 0x3ff != 0
      #expect(
        try value.cbor() == (isNaN ? [0xf9, 0x7e, 0] : [0xf9, UInt8(bits >> 8), UInt8(truncatingIfNeeded: bits)]))
    }
    // Neighbours of what 16 bits can tell.
    #expect(try hex(Value(65505.0).cbor()) == "fa477fe100")
    #expect(try hex(Value(65536.0).cbor()) == "fa47800000")
    #expect(try hex(Value(0x1p-25).cbor()) == "fa33000000")
    #expect(try hex(Value(0x1.8p-24).cbor()) == "fa33c00000")
    #expect(try hex(Value(Double.leastNonzeroMagnitude).cbor()) == "fb0000000000000001")
    #expect(try hex(Value(Double.greatestFiniteMagnitude).cbor()) == "fb7fefffffffffffff")
    #expect(try hex(Value(Double(Float.greatestFiniteMagnitude).nextUp).cbor()) == "fb47efffffe0000001")
  }

  @Test func valuesOfChanceComeBack() throws {
    var random = SeededRandom(seed: 49)
    for _ in 0..<2000 {
      let value = Value.random(depth: 4, using: &random)
      let written = try value.cbor()
      #expect(try Value(cbor: written) == value)
      #expect(try Value(cbor: written).cbor() == written)
      #expect(try Value(cbor: written).hashValue == value.hashValue)
    }
  }

  @Test func whatWasChangedByChanceNeverTraps() throws {
    var random = SeededRandom(seed: 50)
    var accepted = 0
    for _ in 0..<20_000 {
      var written = try Value.random(depth: 3, using: &random).cbor()
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where !written.isEmpty:
          written[Int.random(in: written.indices, using: &random)] = .random(in: 0...255, using: &random)
        case 1: written.insert(.random(in: 0...255, using: &random), at: .random(in: 0...written.count, using: &random))
        default: written = Array(written.prefix(Int.random(in: 0...written.count, using: &random)))
        }
      }
      // What is still well-formed means one thing only, and has one deterministic form.
      guard let value = try? Value(cbor: written) else { continue }
      accepted += 1
      if let again = try? value.cbor() { #expect(try Value(cbor: again) == value) }
    }
    #expect(accepted > 1000)
  }
}

extension Value {
  /// Any value.
  static func random(depth: Int, using random: inout SeededRandom) -> Value {
    switch Int.random(in: 0..<(depth > 0 ? 11 : 8), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2:
      let bits = Int.random(in: 0...64, using: &random)
      let size = bits == 0 ? 0 : UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64(64 - bits)
      return .integer(.random(using: &random) ? Int128(size) : -1 - Int128(size))
    case 3: return .number(Double(bitPattern: .random(in: 0...UInt64.max, using: &random)))
    case 4: return .number(Double(Int.random(in: -5000...5000, using: &random)) / 8)
    case 5:
      return .bytes((0..<Int.random(in: 0...300, using: &random)).map { _ in .random(in: 0...255, using: &random) })
    case 6:
      let letters: [Character] = ["a", "ü", "水", "𐅑", "\"", "\n", "e\u{301}"]
      return .text(
        String((0..<Int.random(in: 0...30, using: &random)).compactMap { _ in letters.randomElement(using: &random) }))
    case 7: return .simple([0, 19, 32, 255].randomElement(using: &random) ?? 0)
    case 8:
      return .list((0..<manyOrFew(&random)).map { _ in .random(depth: depth - 1, using: &random) })
    case 9:
      let entries = (0..<manyOrFew(&random)).map { _ in
        (Value.random(depth: depth - 1, using: &random), Value.random(depth: depth - 1, using: &random))
      }
      return .dictionary(Dictionary(entries, uniquingKeysWith: { $1 }))
    default: return .tagged(.random(in: 0...UInt64.max, using: &random), .random(depth: depth - 1, using: &random))
    }
  }

  /// How many elements there are: few nearly always, and now and then more than a byte can tell beside its kind.
  static func manyOrFew(_ random: inout SeededRandom) -> Int {
    random.chance(0.02) ? 30 : Int.random(in: 0...4, using: &random)
  }
}
