/// Numbers in 16 bits (IEEE 754 binary16), which not every machine's Swift has: 1 bit of sign, 5 of exponent, 10 of
/// fraction.
enum HalfFloat {
  private static let exponents = -14...15
  private static let fractionBits = 10
  /// What the least one can tell: 2^-24.
  private static let leastExponent = -24

  /// The bits of `value`, where it is one of them; nil otherwise, and for NaN.
  static func bits(of value: Double) -> UInt16? {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    let size = value.magnitude
    if size == 0 { return sign }
    if size.isInfinite { return sign | 0x7c00 }
    guard value.isFinite, size.exponent <= exponents.upperBound, size.exponent >= leastExponent else { return nil }
    let exponent = max(Int(size.exponent), exponents.lowerBound)
    // In units of the last bit: below 2^10 there is no leading one, which the exponent 0 then says.
    let units = size * scale(fractionBits - exponent)
    guard let whole = UInt16(exactly: units) else { return nil }
    let hasLeadingOne = whole >= 1 << fractionBits
    return sign | (hasLeadingOne ? UInt16(exponent - exponents.lowerBound + 1) << fractionBits : 0)
      | (whole & (1 << fractionBits - 1))
  }

  /// What bits stand for.
  static func value(of bits: UInt16) -> Double {
    let fraction = Double(bits & (1 << fractionBits - 1))
    let exponent = Int(bits >> fractionBits) & 0x1f
    let size =
      switch exponent {
      case 0: fraction * scale(leastExponent)
      case 0x1f: fraction == 0 ? Double.infinity : .nan
      default: (fraction + 1024) * scale(exponent - 1 + leastExponent)
      }
    return bits & 0x8000 == 0 ? size : -size
  }

  /// 2 to the power of `exponent`.
  private static func scale(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }
}
