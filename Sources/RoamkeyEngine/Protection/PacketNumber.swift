/// How packet numbers are shortened on the wire (RFC 9000 Appendix A.2 and A.3).
package enum PacketNumber {
  /// The last packet number that may be sent: 2^62 - 1 (RFC 9000 §12.3).
  package static let maximum: UInt64 = (1 << 62) - 1

  /// Bytes, 1 to 4, that let the peer restore `pn`: they span more than twice what is unacknowledged (RFC 9000 A.2).
  ///
  /// More than 2^31 unacknowledged packets cannot be told apart in 4 bytes; what a session keeps in flight is far less.
  package static func encodedLength(_ pn: UInt64, largestAcknowledged: UInt64?) -> Int {
    let unacknowledged: UInt64
    if let largestAcknowledged {
      unacknowledged = pn > largestAcknowledged ? pn - largestAcknowledged : 1
    } else {
      unacknowledged = pn.addingReportingOverflow(1).partialValue
    }
    // min_bits = log2(unacknowledged) + 1, so n bytes do as long as unacknowledged <= 2^(8n - 1).
    for length in 1...3 where unacknowledged <= 1 << UInt64(8 * length - 1) { return length }
    return 4
  }

  /// The number nearest to `expected` whose lowest `length` bytes (1 to 4) are `truncated` (RFC 9000 A.3).
  ///
  /// `expected` is one above the highest number received, at most 2^62. Beside that end a forged packet may decode to
  /// more than `maximum`; the replay window refuses it.
  package static func decode(truncated: UInt32, length: Int, expected: UInt64) -> UInt64 {
    precondition((1...4).contains(length), "a packet number takes 1 to 4 bytes")
    precondition(expected <= maximum + 1, "expected is one above a valid packet number")
    let window: UInt64 = 1 << UInt64(8 * length)
    let half = window / 2
    let candidate = expected & ~(window - 1) | UInt64(truncated) & (window - 1)
    // Additions instead of the RFC's subtractions: none can overflow below 2^63.
    if candidate + half <= expected, candidate < maximum + 1 - window { return candidate + window }
    if candidate > expected + half, candidate >= window { return candidate - window }
    return candidate
  }
}
