/// Writes modelled bits as an adaptive binary range coder (STATE §5.1), as LZMA has it: 32 bits of range, and carries
/// that run back through bytes that are not out yet.
struct RangeEncoder: BitCoder {
  private var low: UInt64 = 0
  private var range: UInt32 = .max
  private var bytes: [UInt8] = []
  /// The last byte that a carry may still change, and how many of 0xff follow it; none before the first.
  private var pending: UInt8 = 0
  private var run = 0
  private var hasPending = false

  init() {}

  mutating func code(_ bit: Bool, _ model: inout BitModel) -> Bool {
    let bound = (range >> 16) * UInt32(model.chance)
    if bit {
      low += UInt64(bound)
      range -= bound
    } else {
      range = bound
    }
    model.learn(bit)
    while range < 1 << 24 {
      range <<= 8
      shift()
    }
    return bit
  }

  mutating func code(_ number: UInt64, bits: Int) -> UInt64 {
    for place in stride(from: bits - 1, through: 0, by: -1) {
      range >>= 1
      if number >> UInt64(place) & 1 == 1 { low += UInt64(range) }
      if range < 1 << 24 {
        range <<= 8
        shift()
      }
    }
    return number
  }

  private mutating func shift() {
    if low < 0xff00_0000 || low > 0xffff_ffff {
      let carry = UInt8(truncatingIfNeeded: low >> 32)
      if hasPending { bytes.append(pending &+ carry) }
      for _ in 0..<run { bytes.append(0xff &+ carry) }
      run = 0
      pending = UInt8(truncatingIfNeeded: low >> 24)
      hasPending = true
    } else {
      run += 1
    }
    low = (low & 0x00ff_ffff) << 8
  }

  /// The bytes, at the end. A reader takes zeros for what it misses behind them, so of all numbers in the range the one
  /// is taken that ends in most zeros, and up to four of them are left out.
  consuming func finish() -> [UInt8] {
    let top = low + UInt64(range) - 1
    for zeros in stride(from: UInt64(32), through: 0, by: -8) {
      let mask = (UInt64(1) << zeros) - 1
      let value = (low + mask) & ~mask
      if value <= top {
        low = value
        break
      }
    }
    for _ in 0..<5 { shift() }
    var left = 4
    while left > 0, bytes.last == 0 {
      bytes.removeLast()
      left -= 1
    }
    return bytes
  }
}
