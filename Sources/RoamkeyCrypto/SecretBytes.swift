import RoamkeySodium

/// A fixed number of secret bytes in guarded memory.
///
/// The memory is locked against swapping where the system allows it, has inaccessible pages on both sides (of the
/// region that small secrets share, `SecretPool`), and is overwritten with zeros when the value dies. It cannot be
/// copied, printed or encoded. Allocate per key, never per packet.
package struct SecretBytes: ~Copyable, @unchecked Sendable {
  // Sendable although it holds a pointer: the value is its only owner, and writes need `mutating`.
  private let base: UnsafeMutableRawPointer
  /// The size in bytes.
  package let count: Int

  /// Zeros.
  package init(zeros count: Int) {
    _ = Sodium.ready
    self.count = count
    guard count > SecretPool.largestSlot else {
      base = SecretPool.take(count)
      return
    }
    guard let own = sodium_malloc(count) else { preconditionFailure("no memory for a key of \(count) bytes") }
    sodium_memzero(own, count)
    base = own
  }

  /// Fresh random bytes from the operating system.
  package init(random count: Int) {
    self.init(zeros: count)
    randombytes_buf(base, count)
  }

  /// A copy of `bytes`; whoever owns those wipes them.
  package init(copying bytes: UnsafeRawBufferPointer) {
    self.init(zeros: bytes.count)
    if let source = bytes.baseAddress { base.copyMemory(from: source, byteCount: bytes.count) }
  }

  /// Takes the contents of `bytes` and overwrites them with zeros.
  package init(wiping bytes: inout [UInt8]) {
    self.init(zeros: bytes.count)
    let base = base
    bytes.withUnsafeMutableBytes { source in
      guard let address = source.baseAddress else { return }
      base.copyMemory(from: address, byteCount: source.count)
      sodium_memzero(address, source.count)
    }
  }

  deinit {
    if count > SecretPool.largestSlot { sodium_free(base) } else { SecretPool.giveBack(base, count) }
  }

  /// Bytes that small secrets of this process take up, guard pages left out.
  package static var pooledBytes: Int { SecretPool.bytes }

  package borrowing func withUnsafeBytes<R: ~Copyable, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  package mutating func withUnsafeMutableBytes<R: ~Copyable, E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try body(UnsafeMutableRawBufferPointer(start: base, count: count))
  }

  /// A pointer to `size` bytes at `offset`, for libsodium's calls inside this module.
  borrowing func pointer(at offset: Int, size: Int) -> UnsafePointer<UInt8> {
    UnsafePointer(mutablePointer(at: offset, size: size))
  }

  borrowing func mutablePointer(at offset: Int, size: Int) -> UnsafeMutablePointer<UInt8> {
    precondition(offset >= 0 && size <= count - offset, "key slot outside of its memory")
    return (base + offset).assumingMemoryBound(to: UInt8.self)
  }

  /// Overwrites `size` bytes at `offset` with zeros.
  package mutating func wipe(at offset: Int, size: Int) {
    sodium_memzero(mutablePointer(at: offset, size: size), size)
  }

  /// Copies `size` bytes inside this memory.
  package mutating func copy(from: Int, to: Int, size: Int) {
    let source = pointer(at: from, size: size)
    mutablePointer(at: to, size: size).update(from: source, count: size)
  }
}
