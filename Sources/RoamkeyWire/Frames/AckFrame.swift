/// Which packets arrived (laid out as RFC 9000 §19.3, without ECN counts):
/// `02 ‖ largest ‖ delay ‖ count ‖ first ‖ count * (gap ‖ length)`, all variable-length integers.
///
/// The delay is in microseconds. The first range holds `first + 1` packets down from the largest; a gap of g means that
/// g + 1 packets in a row are missing, a length of n that n + 1 packets below the gap arrived.
package struct AckFrame: Sendable {
  package var largest: UInt64
  /// How long the receiver waited since the largest one arrived.
  package var delay: Duration
  private var firstLength: UInt64
  private var count: Int
  private var body: Range<Int>

  /// More ranges than anybody has reason to send: a bound on the work that one frame can cause.
  package static let maximumRanges = 64

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    largest = try payload.readVarint(at: &position)
    // Clamped: a delay of more than a minute is of no use to anybody, and must not overflow later.
    delay = .microseconds(Int64(min(try payload.readVarint(at: &position), 60_000_000)))
    let count = try payload.readVarint(at: &position)
    guard count < UInt64(Self.maximumRanges) else { throw .malformed }
    self.count = Int(count)
    firstLength = try payload.readVarint(at: &position)
    guard firstLength <= largest else { throw .malformed }
    let start = position
    var low = largest - firstLength
    for _ in 0..<self.count { low = try Self.readRange(payload, below: low, at: &position).lowerBound }
    body = start..<position
  }

  private static func readRange(
    _ payload: RawSpan, below low: UInt64, at position: inout Int
  ) throws(WireError) -> ClosedRange<UInt64> {
    let gap = try payload.readVarint(at: &position)
    let length = try payload.readVarint(at: &position)
    // gap + 2 below the last range; both are below 2^62, so the sums cannot overflow.
    guard low >= gap + 2, low - gap - 2 >= length else { throw .malformed }
    let high = low - gap - 2
    return (high - length)...high
  }

  /// The ranges, newest first; `payload` is the one that the frame was read from.
  package func forEachRange<E: Error>(
    _ payload: RawSpan, _ body: (ClosedRange<UInt64>) throws(E) -> Void
  ) throws(E) {
    var range = (largest - firstLength)...largest
    try body(range)
    var position = self.body.lowerBound
    for _ in 0..<count {
      // Read once already in `init`, so this cannot fail.
      guard let next = try? Self.readRange(payload, below: range.lowerBound, at: &position) else { return }
      range = next
      try body(range)
    }
  }
}

extension OutputRawSpan {
  /// Writes as many of `count` ranges (newest first, not touching each other) as fit into `room` bytes.
  /// - Returns: false, with nothing written, where not even the newest fits.
  package mutating func appendAck(
    room: Int, delay: Duration, count: Int, range: (Int) -> ClosedRange<UInt64>
  ) -> Bool {
    let newest = range(0)
    let microseconds = UInt64(max(0, delay / .microseconds(1)))
    let delay = min(microseconds, 60_000_000)
    var size = 1 + varintSize(newest.upperBound) + varintSize(delay) + 1
    size += varintSize(newest.upperBound - newest.lowerBound)
    guard size <= room else { return false }
    var fitting = 0
    var low = newest.lowerBound
    for i in 1..<max(1, min(count, AckFrame.maximumRanges)) {
      let next = range(i)
      let more = varintSize(low - next.upperBound - 2) + varintSize(next.upperBound - next.lowerBound)
      guard size + more <= room else { break }
      size += more
      low = next.lowerBound
      fitting = i
    }
    append(FrameType.ack)
    append(varint: newest.upperBound)
    append(varint: delay)
    append(varint: UInt64(fitting))
    append(varint: newest.upperBound - newest.lowerBound)
    low = newest.lowerBound
    for i in 0..<fitting {
      let next = range(i + 1)
      append(varint: low - next.upperBound - 2)
      append(varint: next.upperBound - next.lowerBound)
      low = next.lowerBound
    }
    return true
  }
}
