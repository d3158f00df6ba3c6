/// Reads what `RangeEncoder` has written. Behind the end it reads zeros; `isComplete` tells whether they were too many.
struct RangeDecoder: BitCoder {
  private let bytes: ArraySlice<UInt8>
  private var position: Int
  private var code: UInt32 = 0
  private var range: UInt32 = .max
  /// Zeros read behind the end.
  private var missing = 0

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
    for _ in 0..<4 { code = code << 8 | UInt32(next()) }
  }

  /// All bytes were read, and no more than an encoder leaves out.
  var isComplete: Bool { position == bytes.endIndex && !hasEnded }
  /// It is behind the end for good: what it reads means nothing.
  var hasEnded: Bool { missing > 4 }

  private mutating func next() -> UInt8 {
    guard position < bytes.endIndex else {
      missing += 1
      return 0
    }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func code(_ bit: Bool, _ model: inout BitModel) -> Bool {
    let bound = (range >> 16) * UInt32(model.chance)
    let bit = code >= bound
    if bit {
      code -= bound
      range -= bound
    } else {
      range = bound
    }
    model.learn(bit)
    while range < 1 << 24 {
      range <<= 8
      code = code << 8 | UInt32(next())
    }
    return bit
  }

  mutating func code(_ number: UInt64, bits: Int) -> UInt64 {
    var value: UInt64 = 0
    for _ in 0..<bits {
      range >>= 1
      let bit = code >= range
      if bit { code -= range }
      value = value << 1 | (bit ? 1 : 0)
      if range < 1 << 24 {
        range <<= 8
        code = code << 8 | UInt32(next())
      }
    }
    return value
  }
}
