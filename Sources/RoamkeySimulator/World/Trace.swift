/// A fingerprint of all that happened (FNV-1a, 64 bits): two runs that differ anywhere differ here.
struct Trace {
  private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func note(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  mutating func note(_ number: UInt64) {
    // One step for all eight bytes: the trace sees every datagram.
    hash = (hash ^ number) &* 0x100_0000_01b3
    hash ^= hash >> 32
  }

  mutating func note(_ cause: DropCause) { note(cause.rawValue | 1 << 62) }

  /// A datagram or a message: eight bytes a step.
  mutating func note(datagram bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
      // The elements of an array are aligned for any number. In a debug build a plain pointer is the fast way.
      guard let words = bytes.baseAddress?.assumingMemoryBound(to: UInt64.self) else { return }
      let count = bytes.count / 8
      var position = 0
      while position < count {
        note(words[position])
        position += 1
      }
      note(bytes[(8 * count)...])
    }
  }
}
