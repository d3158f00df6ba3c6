/// Why a message frame closes the session: no honest peer sends it.
enum ChannelError: Error, Sendable {
  /// More incomplete messages, longer ones, or more bytes than the limits allow.
  case limitExceeded
  /// Two frames contradict each other about the same message.
  case contradiction
}

/// A message of which some bytes are here. It takes memory by what was received, never by what was announced.
struct PartialMessage {
  let total: Int
  /// The bytes from the start that have no gap.
  private(set) var prefix: [UInt8] = []
  /// Pieces beyond the first gap, in order, not overlapping.
  private var ahead: [(offset: Int, bytes: [UInt8])] = []

  init(total: Int) { self.total = total }

  var isComplete: Bool { prefix.count == total }

  /// Adds a piece and returns how many of its bytes are new.
  ///
  /// Retransmissions may be cut differently, so pieces may overlap; where they do they must agree.
  mutating func insert(_ span: RawSpan, offset: Int) throws(ChannelError) -> Int {
    let end = offset + span.byteCount
    guard end <= total else { throw .contradiction }
    try check(span, offset: offset)
    var new = 0
    var position = offset
    while position < end {
      if position < prefix.count {
        position = min(end, prefix.count)
      } else if let known = ahead.first(where: { $0.offset <= position && position < $0.offset + $0.bytes.count }) {
        position = min(end, known.offset + known.bytes.count)
      } else {
        let next = ahead.first { $0.offset > position }?.offset ?? end
        let stop = min(end, next)
        add(span.array((position - offset)..<(stop - offset)), at: position)
        new += stop - position
        position = stop
      }
    }
    return new
  }

  private mutating func add(_ bytes: [UInt8], at offset: Int) {
    if offset == prefix.count {
      prefix += bytes
      while let first = ahead.first, first.offset == prefix.count {
        prefix += first.bytes
        ahead.removeFirst()
      }
    } else {
      let index = ahead.firstIndex { $0.offset > offset } ?? ahead.count
      ahead.insert((offset, bytes), at: index)
    }
  }

  /// Bytes that are here already must be the same in `span`.
  private func check(_ span: RawSpan, offset: Int) throws(ChannelError) {
    try compare(span, offset: offset, with: prefix, at: 0)
    for (position, bytes) in ahead { try compare(span, offset: offset, with: bytes, at: position) }
  }

  private func compare(_ span: RawSpan, offset: Int, with known: [UInt8], at position: Int) throws(ChannelError) {
    let low = max(offset, position)
    let high = min(offset + span.byteCount, position + known.count)
    guard low < high else { return }
    let same = span.extracting((low - offset)..<(high - offset)).withUnsafeBytes { fresh in
      known.withUnsafeBytes { fresh.elementsEqual($0[(low - position)..<(high - position)]) }
    }
    guard same else { throw .contradiction }
  }
}
