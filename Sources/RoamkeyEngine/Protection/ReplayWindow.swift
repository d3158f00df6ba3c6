/// Remembers which of the newest 4096 packet numbers were committed, so that none is accepted twice (PROTOCOL §3).
///
/// A ring of bits, one a packet number: bit `n % 64` of word `n / 64 % 64`. The test comes before a packet is opened,
/// since it is cheap; the commit comes after authentication, so that a forger cannot move the window.
package struct ReplayWindow: Sendable {
  /// Packet numbers covered, the highest one included: as many as the ring has bits.
  package static let size: UInt64 = 4096

  private var words = InlineArray<64, UInt64>(repeating: 0)
  /// One above the highest committed number, 0 before the first one.
  private var end: UInt64 = 0

  /// An empty window: every packet number is acceptable.
  package init() {}

  /// The highest packet number committed so far.
  package var highest: UInt64? { end == 0 ? nil : end - 1 }

  /// Whether this number is new: neither committed before nor too old to tell. Numbers that RFC 9000 §12.3 does not
  /// allow are refused too.
  package func accepts(_ packetNumber: UInt64) -> Bool {
    guard packetNumber <= PacketNumber.maximum else { return false }
    guard packetNumber < end else { return true }
    guard end - packetNumber <= Self.size else { return false }
    return words[Self.word(of: packetNumber)] & Self.bit(of: packetNumber) == 0
  }

  /// Marks the number of an authenticated packet as used. What `accepts` would refuse changes nothing.
  package mutating func commit(_ packetNumber: UInt64) {
    guard accepts(packetNumber) else { return }
    if packetNumber >= end {
      clear(from: end, through: packetNumber)
      end = packetNumber + 1
    }
    words[Self.word(of: packetNumber)] |= Self.bit(of: packetNumber)
  }

  /// Empties the places of numbers that enter the window, at most once around the ring however far the jump.
  private mutating func clear(from first: UInt64, through last: UInt64) {
    guard last - first < Self.size else {
      words = InlineArray(repeating: 0)
      return
    }
    var next = first
    while next <= last {
      let offset = next & 63
      let count = min(64 - offset, last - next + 1)
      let ones = count == 64 ? UInt64.max : (1 << count) - 1
      words[Self.word(of: next)] &= ~(ones << offset)
      next += count
    }
  }

  private static func word(of packetNumber: UInt64) -> Int { Int(packetNumber >> 6 & 63) }
  private static func bit(of packetNumber: UInt64) -> UInt64 { 1 << (packetNumber & 63) }
}
