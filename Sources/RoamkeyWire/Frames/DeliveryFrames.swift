/// The frames about messages that carry none (PROTOCOL §9).

/// How much credit the receiver of the frame may have used in all on one reliable stream: `0D ‖ stream ‖ limit`.
package struct MaxChannelDataFrame: Sendable, Equatable {
  package var stream: StreamID
  package var limit: UInt64

  package init(stream: StreamID, limit: UInt64) {
    self.stream = stream
    self.limit = limit
  }

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    stream = try payload.readReliableStream(at: &position)
    limit = try payload.readVarint(at: &position)
  }

  /// Bytes of a frame, at most.
  package static let maximumSize = 1 + 2 + 8
}

/// Messages of a stream that were handed to the app and whose sender had asked to be told:
/// `0E ‖ stream ‖ last ‖ extra`, for the sequences from `last - extra` to `last`.
package struct ReceiptFrame: Sendable, Equatable {
  package var stream: StreamID
  package var sequences: ClosedRange<UInt64>

  package init(stream: StreamID, sequences: ClosedRange<UInt64>) {
    self.stream = stream
    self.sequences = sequences
  }

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    stream = try payload.readStream(at: &position)
    let last = try payload.readVarint(at: &position)
    let extra = try payload.readVarint(at: &position)
    guard extra <= last else { throw .malformed }
    sequences = (last - extra)...last
  }

  /// Bytes of a frame, at most.
  package static let maximumSize = 1 + 2 + 8 + 8
}

/// The sender gives a message of a reliable stream up, since it has expired: `0F ‖ stream ‖ sequence ‖ credit`.
///
/// `credit` is what the message has cost so far, so that both sides' books agree.
package struct SkipFrame: Sendable, Equatable {
  package var stream: StreamID
  package var sequence: UInt64
  package var credit: UInt64

  package init(stream: StreamID, sequence: UInt64, credit: UInt64) {
    self.stream = stream
    self.sequence = sequence
    self.credit = credit
  }

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    stream = try payload.readReliableStream(at: &position)
    sequence = try payload.readVarint(at: &position)
    credit = try payload.readVarint(at: &position)
  }

  /// Bytes of a frame, at most.
  package static let maximumSize = 1 + 2 + 8 + 8
}

extension OutputRawSpan {
  package mutating func appendMaxChannelData(_ frame: MaxChannelDataFrame) {
    append(FrameType.maxChannelData)
    append(varint: frame.stream.number)
    append(varint: frame.limit)
  }

  package mutating func appendReceipt(_ frame: ReceiptFrame) {
    append(FrameType.receipt)
    append(varint: frame.stream.number)
    append(varint: frame.sequences.upperBound)
    append(varint: frame.sequences.upperBound - frame.sequences.lowerBound)
  }

  package mutating func appendSkip(_ frame: SkipFrame) {
    append(FrameType.skip)
    append(varint: frame.stream.number)
    append(varint: frame.sequence)
    append(varint: frame.credit)
  }
}
