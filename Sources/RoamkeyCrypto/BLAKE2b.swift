import RoamkeySodium

/// BLAKE2b with a personalisation string, the `H` of PROTOCOL: `crypto_generichash_blake2b_salt_personal`.
///
/// The personal string keeps uses apart: a hash made for one purpose never equals one made for another.
package struct BLAKE2b: ~Copyable {
  // A pointer, since libsodium wants its state aligned to 64 bytes, which Swift cannot promise for a struct.
  private let state: OpaquePointer

  /// The size of libsodium's state: it says 384 and asks for an alignment of 64.
  private static let stateSize = 384, stateAlignment = 64

  /// A hash of `count` bytes (1 to 32, followed by zeros where shorter) of what `body` puts in.
  /// - Parameter personal: ASCII, at most 16 bytes, padded with zeros.
  package static func hash(_ personal: StaticString, count: Int = 32, _ body: (inout BLAKE2b) -> Void) -> Digest {
    digest(personal, key: nil, keySize: 0, count: count, body)
  }

  /// A hash keyed with up to 64 bytes.
  package static func hash(
    _ personal: StaticString, key: Digest, count: Int = 32, _ body: (inout BLAKE2b) -> Void
  ) -> Digest {
    key.withUnsafeBytes { digest(personal, key: $0.baseAddress, keySize: $0.count, count: count, body) }
  }

  /// A hash keyed with 32 bytes at `offset` of guarded memory.
  package static func hash(
    _ personal: StaticString, key: borrowing SecretBytes, at offset: Int = 0, count: Int = 32,
    _ body: (inout BLAKE2b) -> Void
  ) -> Digest {
    digest(personal, key: UnsafeRawPointer(key.pointer(at: offset, size: 32)), keySize: 32, count: count, body)
  }

  private static func digest(
    _ personal: StaticString, key: UnsafeRawPointer?, keySize: Int, count: Int, _ body: (inout BLAKE2b) -> Void
  ) -> Digest {
    precondition(count <= Digest.size, "a digest holds 32 bytes")
    var digest = Digest()
    digest.withUnsafeMutableBytes { target in
      run(personal, key: key, keySize: keySize, count: count, into: target.baseAddress!, body)
    }
    return digest
  }

  fileprivate static func run(
    _ personal: StaticString, key: UnsafeRawPointer?, keySize: Int, count: Int, into target: UnsafeMutableRawPointer,
    _ body: (inout BLAKE2b) -> Void
  ) {
    _ = Sodium.ready
    precondition(personal.utf8CodeUnitCount <= 16, "a personal string has at most 16 bytes")
    var padded: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &padded) { name in
      name.copyMemory(from: UnsafeRawBufferPointer(start: personal.utf8Start, count: personal.utf8CodeUnitCount))
      // Aligned by hand: what asks for more than 16 comes from the heap.
      withUnsafeTemporaryAllocation(byteCount: stateSize + stateAlignment - 16, alignment: 16) { memory in
        let aligned = memory.baseAddress!.alignedUp(toMultipleOf: stateAlignment)
        let state = OpaquePointer(aligned)
        let status = crypto_generichash_blake2b_init_salt_personal(
          state, key?.assumingMemoryBound(to: UInt8.self), keySize, count, nil,
          name.baseAddress!.assumingMemoryBound(to: UInt8.self))
        precondition(status == 0, "BLAKE2b takes 1 to 64 bytes of output and at most 64 of key")
        var hash = BLAKE2b(state: state)
        body(&hash)
        _ = crypto_generichash_blake2b_final(state, target.assumingMemoryBound(to: UInt8.self), count)
        if keySize > 0 { sodium_memzero(aligned, stateSize) }
      }
    }
  }

  package mutating func update(_ bytes: RawSpan) {
    bytes.withUnsafeBytes { update(buffer: $0) }
  }

  package mutating func update(buffer: UnsafeRawBufferPointer) {
    crypto_generichash_blake2b_update(
      state, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(buffer.count))
  }

  package mutating func update(_ digest: Digest) {
    digest.withUnsafeBytes { update(buffer: $0) }
  }

  package mutating func update(_ byte: UInt8) {
    withUnsafeBytes(of: byte) { update(buffer: $0) }
  }

  /// Any integer, in network byte order.
  package mutating func update(bigEndian value: some FixedWidthInteger & BitwiseCopyable) {
    withUnsafeBytes(of: value.bigEndian) { update(buffer: $0) }
  }
}

extension SecretBytes {
  /// Puts a keyed hash of 32 bytes at `target`; its key is the 32 bytes at `offset` of `key`.
  package mutating func hash(
    _ personal: StaticString, key: borrowing SecretBytes, at offset: Int = 0, to target: Int,
    _ body: (inout BLAKE2b) -> Void
  ) {
    BLAKE2b.run(
      personal, key: key.pointer(at: offset, size: 32), keySize: 32, count: 32,
      into: mutablePointer(at: target, size: 32), body)
  }

  /// `K(k, i)` of PROTOCOL §2, `crypto_kdf_derive_from_key` with the context `Roamkey1`, from the 32 bytes at one
  /// offset to the 32 bytes at another.
  package mutating func deriveSubkey(_ index: UInt64, from: Int, to: Int) {
    precondition(abs(from - to) >= 32, "a subkey does not overlap its parent")
    let context: StaticString = "Roamkey1"
    let status = crypto_kdf_derive_from_key(
      mutablePointer(at: to, size: 32), 32, index,
      UnsafeRawPointer(context.utf8Start).assumingMemoryBound(to: CChar.self), pointer(at: from, size: 32))
    precondition(status == 0, "a subkey has 32 bytes")
  }
}
