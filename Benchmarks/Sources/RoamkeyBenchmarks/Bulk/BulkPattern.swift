/// The bytes of the large messages: made anew from seed and number on both sides, so that every byte is compared.
struct BulkPattern: Sendable {
  /// In bytes, each message.
  static let size = 64 << 10

  let seed: UInt64

  func message(_ index: Int) -> [UInt8] {
    // No two messages share a part of their sequences: the seeds are random numbers themselves.
    var seeds = SeededRandom(seed: seed ^ UInt64(index) << 32)
    var random = SeededRandom(seed: seeds.next())
    return [UInt8](unsafeUninitializedCapacity: Self.size) { buffer, count in
      for start in stride(from: 0, to: Self.size, by: 8) {
        UnsafeMutableRawBufferPointer(buffer).storeBytes(
          of: random.next().littleEndian, toByteOffset: start, as: UInt64.self)
      }
      count = Self.size
    }
  }
}
