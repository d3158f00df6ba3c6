import DequeModule

/// Which messages of a stream are settled at the receiver: all below the floor, and some above it as bits.
struct SequenceWindow: Sendable {
  /// The first sequence that is not settled.
  private(set) var floor: UInt64 = 0
  /// One more than the highest that is.
  private var top: UInt64 = 0
  /// Bits from the word of the floor on; empty while nothing above the floor is settled.
  private var words = Deque<UInt64>()

  /// How far above the floor a sequence may be: 4 KiB of bits. Our own senders keep to half of it.
  static let limit: UInt64 = 1 << 15

  /// Whether `sequence` is near enough to be remembered.
  func reaches(_ sequence: UInt64) -> Bool { sequence < floor || sequence - floor < Self.limit }

  func contains(_ sequence: UInt64) -> Bool {
    guard sequence >= floor else { return true }
    guard sequence < top else { return false }
    return words[word(of: sequence)] & bit(of: sequence) != 0
  }

  /// - Precondition: it is not settled, and near enough.
  mutating func insert(_ sequence: UInt64) {
    if sequence == floor, words.isEmpty {
      floor += 1
      return
    }
    let word = word(of: sequence)
    while words.count <= word { words.append(0) }
    words[word] |= bit(of: sequence)
    top = max(top, sequence + 1)
    if sequence == floor { advance() }
  }

  /// Everything below `sequence` counts as settled.
  mutating func raise(to sequence: UInt64) { floor = max(floor, sequence) }

  private mutating func advance() {
    while floor < top {
      let shift = floor & 63
      let run = UInt64((~(words[0] >> shift)).trailingZeroBitCount)
      floor += min(run, 64 - shift)
      guard run >= 64 - shift else { break }
      words.removeFirst()
    }
    if floor >= top { words.removeAll(keepingCapacity: true) }
  }

  private func word(of sequence: UInt64) -> Int { Int(sequence >> 6 - floor >> 6) }

  private func bit(of sequence: UInt64) -> UInt64 { 1 << (sequence & 63) }
}
