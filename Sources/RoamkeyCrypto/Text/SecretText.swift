/// Text that nobody else is to see, in guarded memory, up to a length that is known before.
package struct SecretText: ~Copyable {
  private let memory: SecretBytes
  private(set) package var count = 0

  /// Empty, with room for `capacity` bytes.
  package init(capacity: Int) { memory = SecretBytes(zeros: max(1, capacity)) }

  /// Adds bytes. What has no room is left out.
  /// - Returns: whether all of them had room.
  @discardableResult
  package mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let fitting = min(bytes.count, memory.count - count)
    if fitting > 0, let source = bytes.bindMemory(to: UInt8.self).baseAddress {
      memory.mutablePointer(at: count, size: fitting).update(from: source, count: fitting)
      count += fitting
    }
    return fitting == bytes.count
  }

  /// Adds what is no secret: a space, an end of line.
  package mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Takes the last byte away, where there is one.
  package mutating func removeLast() {
    guard count > 0 else { return }
    count -= 1
    memory.mutablePointer(at: count, size: 1).pointee = 0
  }

  package borrowing func withUnsafeBytes<R: ~Copyable, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try memory.withUnsafeBytes { bytes throws(E) in try body(UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
  }
}
