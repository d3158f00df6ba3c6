/// The hash of a state (STATE §6): it finds mistakes, not forgers; the session's seal does that.
struct StateHash {
  private(set) var value: UInt64 = 0

  mutating func combine(_ word: UInt64) {
    value = (value ^ word) &* 0x9e37_79b9_7f4a_7c15
    value ^= value >> 32
  }

  /// The bytes, eight to a word, the first one lowest; then their number.
  mutating func combine(_ bytes: ArraySlice<UInt8>) {
    var word: UInt64 = 0
    var shift: UInt64 = 0
    for byte in bytes {
      word |= UInt64(byte) << shift
      shift += 8
      if shift == 64 {
        combine(word)
        (word, shift) = (0, 0)
      }
    }
    if shift > 0 { combine(word) }
    combine(UInt64(bytes.count))
  }
}
