/// What is expected of a bit, learned from those before it (STATE §5.1): the chance of a 0 in units of 1/65,536, and
/// how many bits it was learned from.
struct BitModel {
  private(set) var chance: UInt16 = 0x8000
  private var count: UInt16 = 0

  /// Early bits count for much, since messages are short: the n-th moves the chance by 1/(n + 1.5) of the way, and none
  /// by less than 1/32.
  private static let rates: InlineArray<31, Int32> = .init { index in 131_072 / Int32(2 * index + 3) }
  /// The chance keeps this far from certainty.
  private static let margin: Int32 = 48

  mutating func learn(_ bit: Bool) {
    let goal: Int32 = bit ? Self.margin : 65_536 - Self.margin
    let step = (Int64(goal - Int32(chance)) * Int64(Self.rates[Int(count)])) >> 16
    chance = UInt16(truncatingIfNeeded: Int64(chance) + step)
    if count < 30 { count += 1 }
  }
}

/// Writes bits into bytes, or reads them from there: what is written once is right for both.
protocol BitCoder {
  /// Writes `bit`; or reads one, whatever `bit` is. Returns the bit that counts.
  mutating func code(_ bit: Bool, _ model: inout BitModel) -> Bool
  /// The lower bits of a number, most significant first, without a model; at most 64.
  mutating func code(_ number: UInt64, bits: Int) -> UInt64
}
