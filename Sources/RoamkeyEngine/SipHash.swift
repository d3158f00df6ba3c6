/// SipHash-2-4: a short hash under a key. Who does not know the key can neither foresee what it gives nor draw inputs
/// that give the same.
enum SipHash {
  /// A random one leaves the process never.
  typealias Key = (UInt64, UInt64)

  /// Of 8 bytes, the first of which is the lowest of `word`.
  static func hash(_ word: UInt64, key: Key) -> UInt64 {
    var state = State(key: key)
    state.absorb(word)
    return state.finish(byteCount: 8)
  }

  /// Of 16 bytes.
  static func hash(_ first: UInt64, _ second: UInt64, key: Key) -> UInt64 {
    var state = State(key: key)
    state.absorb(first)
    state.absorb(second)
    return state.finish(byteCount: 16)
  }

  private struct State {
    var (v0, v1, v2, v3): (UInt64, UInt64, UInt64, UInt64)

    init(key: Key) {
      (v0, v1) = (key.0 ^ 0x736f_6d65_7073_6575, key.1 ^ 0x646f_7261_6e64_6f6d)
      (v2, v3) = (key.0 ^ 0x6c79_6765_6e65_7261, key.1 ^ 0x7465_6462_7974_6573)
    }

    mutating func absorb(_ block: UInt64) {
      v3 ^= block
      rounds(2)
      v0 ^= block
    }

    /// The last block of whole words holds nothing but the length.
    mutating func finish(byteCount: UInt64) -> UInt64 {
      absorb(byteCount << 56)
      v2 ^= 0xff
      rounds(4)
      return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func rounds(_ count: Int) {
      for _ in 0..<count {
        (v0, v2) = (v0 &+ v1, v2 &+ v3)
        (v1, v3) = (rotate(v1, 13) ^ v0, rotate(v3, 16) ^ v2)
        v0 = rotate(v0, 32)
        (v2, v0) = (v2 &+ v1, v0 &+ v3)
        (v1, v3) = (rotate(v1, 17) ^ v2, rotate(v3, 21) ^ v0)
        v2 = rotate(v2, 32)
      }
    }

    private func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }
  }
}
