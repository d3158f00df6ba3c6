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

  /// A datagram: eight bytes a step.
  mutating func note(datagram bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
      var position = 0
      while position + 8 <= bytes.count {
        note(UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
        position += 8
      }
      note(bytes[position...])
    }
  }
}
