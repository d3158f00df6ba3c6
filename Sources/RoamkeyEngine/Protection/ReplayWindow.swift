import RoamkeyCrypto

/// Remembers which of the newest 4096 packet numbers were committed, so that none is accepted twice (PROTOCOL §3).
///
/// A ring of bits, one a packet number. The test comes before a packet is opened, since it is cheap; the commit comes
/// after authentication, so that a forger cannot move the window.
///
/// Most sessions miss few packets, and those for a short while. So the ring has 64 bits at first, and is doubled, up to
/// all 4096, when a number that was not committed would leave it. What has left it was committed, or is too old.
package struct ReplayWindow: Sendable {
  /// Packet numbers covered, the highest one included.
  package static let size: UInt64 = 4096

  /// Bit `n % 64` of word `n / 64 % words.count`, a power of two. Those of numbers that there never were are set.
  private var words: [UInt64] = [.max]
  /// One above the highest committed number, 0 before the first one.
  private var end: UInt64 = 0

  /// An empty window: every packet number is acceptable.
  package init() {}

  /// The highest packet number committed so far.
  package var highest: UInt64? { end == 0 ? nil : end - 1 }

  /// Packet numbers that the ring has bits for.
  private var covered: UInt64 { UInt64(words.count) * 64 }

  /// Whether this number is new: neither committed before nor too old to tell. Numbers that RFC 9000 §12.3 does not
  /// allow are refused too.
  package func accepts(_ packetNumber: UInt64) -> Bool {
    guard packetNumber <= PacketNumber.maximum else { return false }
    guard packetNumber < end else { return true }
    guard end - packetNumber <= covered else { return false }
    return words[word(of: packetNumber)] & Self.bit(of: packetNumber) == 0
  }

  /// Marks the number of an authenticated packet as used. What `accepts` would refuse changes nothing.
  package mutating func commit(_ packetNumber: UInt64) {
    guard accepts(packetNumber) else { return }
    if packetNumber >= end {
      while covered < Self.size, leavesGap(through: packetNumber) { grow() }
      clear(from: end, through: packetNumber)
      end = packetNumber + 1
    }
    words[word(of: packetNumber)] |= Self.bit(of: packetNumber)
  }

  /// Whether a number that was not committed would leave the ring if those up to `last` entered it.
  private func leavesGap(through last: UInt64) -> Bool {
    guard last - end < covered else { return true }
    var next = end
    while next <= last {
      let mask = Self.mask(from: next, through: last)
      guard words[word(of: next)] & mask == mask else { return true }
      next += UInt64(mask.nonzeroBitCount)
    }
    return false
  }

  /// Doubles the ring. The older numbers that it covers now were all committed.
  private mutating func grow() {
    let old = self
    words = [UInt64](repeating: .max, count: 2 * old.words.count)
    for number in (end - min(end, old.covered))..<end where old.accepts(number) {
      words[word(of: number)] &= ~Self.bit(of: number)
    }
  }

  /// Empties the places of numbers that enter the window, at most once around the ring however far the jump.
  private mutating func clear(from first: UInt64, through last: UInt64) {
    guard last - first < covered else {
      for word in words.indices { words[word] = 0 }
      return
    }
    var next = first
    while next <= last {
      let mask = Self.mask(from: next, through: last)
      words[word(of: next)] &= ~mask
      next += UInt64(mask.nonzeroBitCount)
    }
  }

  private func word(of packetNumber: UInt64) -> Int { Int(packetNumber >> 6) & (words.count - 1) }
  private static func bit(of packetNumber: UInt64) -> UInt64 { 1 << (packetNumber & 63) }

  /// The bits from that of `first` to that of `last`, as far as they are in one word.
  private static func mask(from first: UInt64, through last: UInt64) -> UInt64 {
    let offset = first & 63
    let count = min(64 - offset, last - first + 1)
    return (count == 64 ? UInt64.max : (1 << count) - 1) << offset
  }
}

extension ReplayWindow {
  mutating func prefetch() { prefetchStorage(of: &words, bytes: 64) }

  /// Gives back the room for gaps, once there are none.
  package mutating func releaseMemory() {
    if words.count > 1, words.allSatisfy({ $0 == .max }) { words = [.max] }
  }
}
