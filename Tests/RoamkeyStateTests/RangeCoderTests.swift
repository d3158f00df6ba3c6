import RoamkeySimulator
import Testing

@testable import RoamkeyState

/// The range coder (STATE §5.1): bits come back, whatever is expected of them.
@Suite struct RangeCoderTests {
  /// Bits that are so often true.
  private func bits(_ count: Int, _ chance: Double, _ random: inout SeededRandom) -> [Bool] {
    (0..<count).map { _ in random.chance(chance) }
  }

  private func encode(_ bits: [Bool], numbers: [(UInt64, Int)] = []) -> [UInt8] {
    var encoder = RangeEncoder()
    var model = BitModel()
    for bit in bits { _ = encoder.code(bit, &model) }
    for (number, size) in numbers { _ = encoder.code(number, bits: size) }
    return encoder.finish()
  }

  @Test func bitsAndNumbersComeBack() {
    for seed in UInt64(1)...300 {
      var random = SeededRandom(seed: seed)
      let chances: [Double] = [0, 0.001, 0.1, 0.5, 0.9, 1]
      let chance = chances.randomElement(using: &random) ?? 0
      let bits = bits(Int.random(in: 0..<400, using: &random), chance, &random)
      let numbers = (0..<Int.random(in: 0..<6, using: &random)).map { _ -> (UInt64, Int) in
        let size = Int.random(in: 1...64, using: &random)
        // Zeros and ones in a row are what carries run through.
        let number = random.chance(0.3) ? 0 : random.chance(0.5) ? UInt64.max : random.next()
        return (size == 64 ? number : number & (1 << UInt64(size) - 1), size)
      }
      let bytes = encode(bits, numbers: numbers)
      var decoder = RangeDecoder(bytes[...])
      var model = BitModel()
      let readBits = bits.map { _ in decoder.code(false, &model) }
      let readNumbers = numbers.map { decoder.code(0, bits: $0.1) }
      #expect(readBits == bits && readNumbers == numbers.map(\.0), "seed \(seed)")
      #expect(decoder.isComplete, "seed \(seed)")
    }
  }

  @Test func whatIsExpectedCostsNearlyNothing() {
    #expect(encode(Array(repeating: false, count: 5000)).count <= 3)
    #expect(encode(Array(repeating: true, count: 5000)).count <= 3)
    var random = SeededRandom(seed: 3)
    // 0.469 bits each is what 1 in 10 has to cost.
    #expect(encode(bits(8000, 0.1, &random)).count < 520)
  }

  @Test func aReaderNoticesWhatIsMissingAndWhatIsTooMuch() {
    var random = SeededRandom(seed: 5)
    let bits = bits(400, 0.5, &random)
    let bytes = encode(bits)
    for (changed, isWhole) in [(bytes, true), (bytes + [1, 1, 1, 1, 1], false), (Array(bytes.dropLast(8)), false)] {
      var decoder = RangeDecoder(changed[...])
      var model = BitModel()
      for _ in bits { _ = decoder.code(false, &model) }
      #expect(decoder.isComplete == isWhole)
    }
  }

  @Test func behindTheEndEverythingIsZeroAndSaidToBe() {
    var decoder = RangeDecoder([])
    var model = BitModel()
    #expect(!decoder.hasEnded)
    for _ in 0..<1000 { _ = decoder.code(true, &model) }
    let rest = decoder.code(0, bits: 64)
    #expect(rest == 0 && decoder.hasEnded)
  }
}
