/// What is promised about a message (docs/PROTOCOL.md §9.1). The number is what stands in the frame.
public enum Delivery: UInt8, Sendable, Hashable, CaseIterable {
  /// Every message once, in order: the default.
  case reliableOrdered = 0
  /// Every message once, as it comes.
  case reliableUnordered = 1
  /// Only ever newer: late ones are dropped.
  case latest = 2
  /// As it comes, if it comes.
  case unreliable = 3
}

/// A message, or a piece of one:
/// `0010 mode2 F L ‖ channel ‖ sequence ‖ [offset ‖ total if F] ‖ [length if L] ‖ bytes`.
///
/// F: the bytes are a piece that begins at `offset` of a message of `total` bytes. L: the length stands there; without
/// it the bytes reach to the end of the frames. All numbers are variable-length integers.
package struct MessageFrame: Sendable {
  package var stream: StreamID
  /// The message's number in its channel, from 0.
  package var sequence: UInt64
  package var offset: UInt64
  /// The size of the whole message's content.
  package var total: UInt64
  package var bytes: Range<Int>

  static let hasLength: UInt8 = 1
  static let isPiece: UInt8 = 2

  init(type: UInt8, _ payload: RawSpan, at position: inout Int) throws(WireError) {
    guard let delivery = Delivery(rawValue: type >> 2 & 3) else { throw .malformed }
    guard let channel = UInt8(exactly: try payload.readVarint(at: &position)) else { throw .malformed }
    stream = StreamID(channel: channel, delivery: delivery)
    sequence = try payload.readVarint(at: &position)
    let piece = type & Self.isPiece != 0
    offset = piece ? try payload.readVarint(at: &position) : 0
    let total = piece ? try payload.readVarint(at: &position) : nil
    let count =
      type & Self.hasLength != 0 ? try payload.readCount(at: &position) : payload.remaining(at: position)
    bytes = try payload.readRange(count, at: &position)
    self.total = total ?? UInt64(count)
    // Both are below 2^62, so the subtraction is the check that cannot overflow; an empty piece says nothing.
    guard offset <= self.total, UInt64(count) <= self.total - offset, !piece || count > 0 else { throw .malformed }
  }

  /// The bytes of header in front of `count` bytes of a whole message, with its length.
  package static func headerSize(_ stream: StreamID, sequence: UInt64, count: Int) -> Int {
    bareHeaderSize(stream, sequence: sequence) + varintSize(UInt64(count))
  }

  /// The same without the length: for the last frame of a packet.
  package static func bareHeaderSize(_ stream: StreamID, sequence: UInt64) -> Int {
    1 + varintSize(UInt64(stream.channel)) + varintSize(sequence)
  }

  /// The bytes of header in front of a piece of up to `count` bytes, with its length.
  package static func pieceHeaderSize(
    _ stream: StreamID, sequence: UInt64, offset: Int, total: Int, count: Int
  ) -> Int {
    headerSize(stream, sequence: sequence, count: count) + varintSize(UInt64(offset)) + varintSize(UInt64(total))
  }
}

extension OutputRawSpan {
  /// Takes the length out of the whole message of `count` bytes at the end: what ends the packet needs none.
  package mutating func dropLastLength(_ stream: StreamID, sequence: UInt64, count: Int) {
    let lengthSize = varintSize(UInt64(count))
    let headerSize = MessageFrame.headerSize(stream, sequence: sequence, count: count)
    withUnsafeMutableBytes { buffer, end in
      precondition(end >= headerSize + count, "the message stands at the end")
      let start = end - count - headerSize
      buffer[start] &= ~MessageFrame.hasLength
      let body = UnsafeRawBufferPointer(rebasing: buffer[(end - count)..<end])
      UnsafeMutableRawBufferPointer(rebasing: buffer[(end - count - lengthSize)...]).copyMemory(from: body)
    }
    removeLast(lengthSize)
  }

  /// A whole message where `range` covers all of `content`, else the piece of it.
  package mutating func appendMessage(
    _ stream: StreamID, sequence: UInt64, content: [UInt8], range: Range<Int>
  ) {
    let piece = range.count < content.count
    append(0x20 | stream.delivery.rawValue << 2 | (piece ? MessageFrame.isPiece : 0) | MessageFrame.hasLength)
    append(varint: UInt64(stream.channel))
    append(varint: sequence)
    if piece {
      append(varint: UInt64(range.lowerBound))
      append(varint: UInt64(content.count))
    }
    append(varint: UInt64(range.count))
    content.withUnsafeBytes { append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[range])) }
  }
}
