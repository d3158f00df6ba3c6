import RoamkeySodium

/// 32 bytes that are not secret: a hash, a public key, a session id.
package struct Digest: Hashable, Sendable {
  // Four words rather than an array: no allocation, and a cheap dictionary key.
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  /// The size in bytes.
  package static let size = 32

  /// Zeros.
  package init() {}

  /// The first 32 bytes of `bytes`, which must have that many.
  package init(_ bytes: RawSpan, at offset: Int = 0) {
    precondition(bytes.byteCount - offset >= Digest.size, "a digest needs 32 bytes")
    words.0 = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    words.1 = bytes.unsafeLoadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
    words.2 = bytes.unsafeLoadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)
    words.3 = bytes.unsafeLoadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)
  }

  package init(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }

  package static func == (a: Digest, b: Digest) -> Bool {
    a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2 && a.words.3 == b.words.3
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }

  package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    var copy = words
    return try Swift.withUnsafeBytes(of: &copy, body)
  }

  package mutating func withUnsafeMutableBytes<R, E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try Swift.withUnsafeMutableBytes(of: &words, body)
  }

  /// The first 16 bytes as a big-endian number: the value of a hash of 16 bytes.
  package var prefix128: UInt128 {
    UInt128(words.0.bigEndian) << 64 | UInt128(words.1.bigEndian)
  }

  /// The bytes in order.
  package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}

/// Whether `a` and `b` hold the same bytes, in time that depends on their size alone.
package func constantTimeEqual(_ a: RawSpan, _ b: RawSpan) -> Bool {
  guard a.byteCount == b.byteCount else { return false }
  return a.withUnsafeBytes { left in
    b.withUnsafeBytes { right in
      guard let x = left.baseAddress, let y = right.baseAddress else { return true }
      return sodium_memcmp(x, y, left.count) == 0
    }
  }
}
