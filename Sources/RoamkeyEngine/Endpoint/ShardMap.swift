/// Which of a server's shards a connection id belongs to: SipHash-2-4 of the id under a key of the process.
///
/// An id tells outsiders nothing of it, and nobody can draw ids that all fall on one shard. The server draws until an
/// id falls where it is wanted.
package struct ShardMap: Sendable {
  private let key: (UInt64, UInt64)
  package let count: Int

  /// - Parameters:
  ///   - key: 16 random bytes that leave the process never.
  ///   - count: how many shards there are, at least 1.
  package init(key: (UInt64, UInt64), count: Int) {
    precondition(count > 0, "there is at least one shard")
    self.key = key
    self.count = count
  }

  /// The shard that owns a connection id.
  package func shard(of id: UInt64) -> Int { Int(Self.hash(id, key: key) % UInt64(count)) }

  /// SipHash-2-4 of 8 bytes, the first of which is the lowest of `word`.
  static func hash(_ word: UInt64, key: (UInt64, UInt64)) -> UInt64 {
    var (v0, v1) = (key.0 ^ 0x736f_6d65_7073_6575, key.1 ^ 0x646f_7261_6e64_6f6d)
    var (v2, v3) = (key.0 ^ 0x6c79_6765_6e65_7261, key.1 ^ 0x7465_6462_7974_6573)
    func rounds(_ count: Int) {
      for _ in 0..<count {
        (v0, v2) = (v0 &+ v1, v2 &+ v3)
        (v1, v3) = (rotate(v1, 13) ^ v0, rotate(v3, 16) ^ v2)
        v0 = rotate(v0, 32)
        (v2, v0) = (v2 &+ v1, v0 &+ v3)
        (v1, v3) = (rotate(v1, 17) ^ v2, rotate(v3, 21) ^ v0)
        v2 = rotate(v2, 32)
      }
    }
    func absorb(_ block: UInt64) {
      v3 ^= block
      rounds(2)
      v0 ^= block
    }
    absorb(word)
    // The last block holds nothing but the length.
    absorb(8 << 56)
    v2 ^= 0xff
    rounds(4)
    return v0 ^ v1 ^ v2 ^ v3
  }

  private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }
}
