import DequeModule
import RoamkeyWire

/// Why a message frame closes the session: no honest peer sends it.
package enum ChannelError: Error, Sendable {
  /// More incomplete messages, longer ones, or more bytes than the limits allow.
  case limitExceeded
  /// Two frames contradict each other about the same message.
  case contradiction
}

/// A message of which some bytes are here. It takes memory by what was received, never by what was announced.
package struct PartialMessage {
  package let total: Int
  /// The bytes from the start that have no gap.
  package private(set) var prefix: [UInt8] = []
  /// Runs of bytes beyond the first gap, in order, not overlapping. A run grows by what follows it; two that have come
  /// to touch stay two, since joining them would move bytes as often as a sender likes.
  private var ahead = Deque<(offset: Int, bytes: [UInt8])>()
  /// How many bytes are here.
  package private(set) var received = 0

  /// Runs beyond the first gap, at most: each takes memory and time of its own, however few bytes it has. A message of
  /// 1 MiB in full packets has fewer than 1000 pieces, whatever their order.
  static let maximumRuns = 2048

  package init(total: Int) { self.total = total }

  package var isComplete: Bool { prefix.count == total }

  /// Adds a piece and returns how many of its bytes are new.
  ///
  /// Retransmissions may be cut differently, so pieces may overlap; where they do they must agree.
  package mutating func insert(_ span: RawSpan, offset: Int) throws(ChannelError) -> Int {
    let end = offset + span.byteCount
    guard end <= total else { throw .contradiction }
    try check(span, offset: offset)
    var new = 0
    var position = max(offset, min(end, prefix.count))
    while position < end {
      let next = firstRun(endingAfter: position)
      let start = next < ahead.count ? ahead[next].offset : end
      if start <= position {
        position = min(end, start + ahead[next].bytes.count)
      } else {
        let stop = min(end, start)
        try add(span.extracting((position - offset)..<(stop - offset)), at: position, before: next)
        new += stop - position
        position = max(stop, min(end, prefix.count))
      }
    }
    received += new
    return new
  }

  /// The first run that reaches beyond `position`, or their number.
  private func firstRun(endingAfter position: Int) -> Int {
    var low = 0
    var high = ahead.count
    while low < high {
      let middle = low + (high - low) / 2
      if ahead[middle].offset + ahead[middle].bytes.count > position { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Puts bytes into a gap, in front of the run `next`.
  private mutating func add(_ span: RawSpan, at offset: Int, before next: Int) throws(ChannelError) {
    if offset == prefix.count {
      span.withUnsafeBytes { prefix.append(contentsOf: $0) }
      while let first = ahead.first, first.offset == prefix.count {
        prefix += first.bytes
        ahead.removeFirst()
      }
    } else if next > 0, ahead[next - 1].offset + ahead[next - 1].bytes.count == offset {
      span.withUnsafeBytes { ahead[next - 1].bytes.append(contentsOf: $0) }
    } else {
      guard ahead.count < Self.maximumRuns else { throw .limitExceeded }
      ahead.insert((offset, span.array(0..<span.byteCount)), at: next)
    }
  }

  /// Bytes that are here already must be the same in `span`.
  private func check(_ span: RawSpan, offset: Int) throws(ChannelError) {
    try compare(span, offset: offset, with: prefix, at: 0)
    var i = firstRun(endingAfter: offset)
    while i < ahead.count, ahead[i].offset < offset + span.byteCount {
      try compare(span, offset: offset, with: ahead[i].bytes, at: ahead[i].offset)
      i += 1
    }
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
