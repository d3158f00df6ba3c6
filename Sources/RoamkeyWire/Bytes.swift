// Reading and writing bytes. A read takes the position as `inout` and moves it only when it succeeds; an own cursor
// type would need lifetimes, which the language still calls experimental.

extension RawSpan {
  /// The bytes from `position` on.
  @inlinable @inline(__always)
  package func remaining(at position: Int) -> Int { byteCount - position }

  @inlinable @inline(__always)
  package func readByte(at position: inout Int) throws(WireError) -> UInt8 {
    guard position < byteCount else { throw .truncated }
    defer { position += 1 }
    return unsafeLoad(fromByteOffset: position, as: UInt8.self)
  }

  /// An integer in network byte order.
  @inlinable @inline(__always)
  package func readInteger<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type = T.self, at position: inout Int
  ) throws(WireError) -> T {
    let size = MemoryLayout<T>.size
    guard remaining(at: position) >= size else { throw .truncated }
    defer { position += size }
    return T(bigEndian: unsafeLoadUnaligned(fromByteOffset: position, as: T.self))
  }

  /// A variable-length integer of 1, 2, 4 or 8 bytes (RFC 9000 §16).
  @inlinable @inline(__always)
  package func readVarint(at position: inout Int) throws(WireError) -> UInt64 {
    var end = position
    let first = UInt64(try readByte(at: &end))
    var value = first & 0x3f
    let size = 1 << Int(first >> 6)
    guard remaining(at: position) >= size else { throw .truncated }
    for _ in 1..<size { value = value << 8 | UInt64(try readByte(at: &end)) }
    position = end
    return value
  }

  /// A variable-length integer that counts bytes still to come, so at most as many as there are.
  @inlinable @inline(__always)
  package func readCount(at position: inout Int) throws(WireError) -> Int {
    var end = position
    let value = try readVarint(at: &end)
    guard value <= UInt64(remaining(at: end)) else { throw .truncated }
    position = end
    return Int(value)
  }

  /// The next `count` bytes, as a range of this span.
  @inlinable @inline(__always)
  package func readRange(_ count: Int, at position: inout Int) throws(WireError) -> Range<Int> {
    guard count >= 0, remaining(at: position) >= count else { throw .truncated }
    defer { position += count }
    return position..<(position + count)
  }

  /// A copy of the bytes in `range`.
  package func array(_ range: Range<Int>) -> [UInt8] {
    extracting(range).withUnsafeBytes { Array($0) }
  }
}

extension OutputRawSpan {
  /// An integer in network byte order.
  @inlinable @inline(__always)
  package mutating func append<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) {
    append(value.bigEndian, as: T.self)
  }

  /// A variable-length integer in its shortest form (RFC 9000 §16).
  @inlinable @inline(__always)
  package mutating func append(varint value: UInt64) {
    switch varintSize(value) {
    case 1: append(UInt8(truncatingIfNeeded: value))
    case 2: append(bigEndian: UInt16(truncatingIfNeeded: value) | 0x4000)
    case 4: append(bigEndian: UInt32(truncatingIfNeeded: value) | 0x8000_0000)
    default: append(bigEndian: value | 0xc000_0000_0000_0000)
    }
  }

  /// A copy of `bytes`.
  @inlinable @inline(__always)
  package mutating func append(contentsOf bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count <= freeCapacity, "no room in the packet")
    withUnsafeMutableBytes { target, count in
      guard let source = bytes.baseAddress else { return }
      (target.baseAddress! + count).copyMemory(from: source, byteCount: bytes.count)
      count += bytes.count
    }
  }

  /// A copy of `bytes`.
  package mutating func append(contentsOf bytes: RawSpan) {
    bytes.withUnsafeBytes { append(contentsOf: $0) }
  }
}

/// How many bytes `value` takes as a variable-length integer.
/// - Precondition: `value` is below 2^62.
@inlinable @inline(__always)
package func varintSize(_ value: UInt64) -> Int {
  if value < 1 << 6 { return 1 }
  if value < 1 << 14 { return 2 }
  if value < 1 << 30 { return 4 }
  precondition(value < 1 << 62, "a variable-length integer holds 62 bits")
  return 8
}

extension [UInt8] {
  /// An integer in network byte order.
  package mutating func append(bigEndian value: some FixedWidthInteger & BitwiseCopyable) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  /// A variable-length integer in its shortest form (RFC 9000 §16).
  package mutating func append(varint value: UInt64) {
    switch varintSize(value) {
    case 1: append(UInt8(truncatingIfNeeded: value))
    case 2: append(bigEndian: UInt16(truncatingIfNeeded: value) | 0x4000)
    case 4: append(bigEndian: UInt32(truncatingIfNeeded: value) | 0x8000_0000)
    default: append(bigEndian: value | 0xc000_0000_0000_0000)
    }
  }
}
