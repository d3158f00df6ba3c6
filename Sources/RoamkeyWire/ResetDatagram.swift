/// What a server says to packets of a session that it does not know: `(random & 1f) ‖ random26 ‖ token16`
/// (PROTOCOL §6). It looks like any packet, but to whoever knows the token.
package enum ResetDatagram {
  package static let size = 43
  package static let tokenSize = 16
  /// Only packets of at least this size are answered: so each answer is smaller than what it answers, and two servers
  /// cannot answer each other without end.
  package static let minimumCause = 44

  /// - Parameters:
  ///   - random: 27 bytes; the first begins like a packet's.
  ///   - token: of the connection id that the packet had.
  package static func write(random: [UInt8], token: UInt128) -> [UInt8] {
    precondition(random.count == size - tokenSize, "a reset has 27 random bytes")
    var bytes = random
    bytes[0] &= 0x1f
    bytes.append(bigEndian: token)
    return bytes
  }

  /// Where a datagram would hold the token: at its end, whatever its size (at least 43 bytes).
  package static func token(_ datagram: RawSpan) -> Range<Int>? {
    guard datagram.byteCount >= size else { return nil }
    return datagram.byteCount - tokenSize..<datagram.byteCount
  }
}
