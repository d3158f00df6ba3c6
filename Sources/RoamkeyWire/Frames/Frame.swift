/// One item inside a packet (PROTOCOL §8). Frames point into the payload that they were read from: byte
/// ranges, not copies, so that reading allocates nothing.
package enum Frame: Sendable {
  case padding(count: Int)
  case ping
  case ack(AckFrame)
  case close(CloseFrame)
  case pathChallenge(UInt64)
  case pathResponse(UInt64)
  case pathDrop(UInt64)
  case newConnectionID(NewConnectionIDFrame)
  case retireConnectionID(UInt64)
  case moved(epoch: UInt64)
  case addresses(AddressesFrame)
  case observedAddress(ObservedAddressFrame)
  case maxData(UInt64)
  case maxChannelData(MaxChannelDataFrame)
  case receipt(ReceiptFrame)
  case skip(SkipFrame)
  case timeRequest(UInt64)
  case timeResponse(TimeResponseFrame)
  case resting(RestingFrame)
  case message(MessageFrame)
}

/// The first byte of each frame.
package enum FrameType {
  package static let padding: UInt8 = 0x00
  package static let ping: UInt8 = 0x01
  package static let ack: UInt8 = 0x02
  package static let close: UInt8 = 0x03
  package static let pathChallenge: UInt8 = 0x04
  package static let pathResponse: UInt8 = 0x05
  package static let pathDrop: UInt8 = 0x06
  package static let newConnectionID: UInt8 = 0x07
  package static let retireConnectionID: UInt8 = 0x08
  package static let moved: UInt8 = 0x09
  package static let addresses: UInt8 = 0x0a
  package static let observedAddress: UInt8 = 0x0b
  package static let maxData: UInt8 = 0x0c
  package static let maxChannelData: UInt8 = 0x0d
  package static let receipt: UInt8 = 0x0e
  package static let skip: UInt8 = 0x0f
  package static let timeRequest: UInt8 = 0x10
  package static let timeResponse: UInt8 = 0x11
  package static let resting: UInt8 = 0x12
  /// 0x20 to 0x2f: the low four bits are the delivery mode and two flags.
  package static let message: ClosedRange<UInt8> = 0x20...0x2f
}

extension Frame {
  /// Reads the frame at `position` and moves behind it.
  package static func read(_ payload: RawSpan, at position: inout Int) throws(WireError) -> Frame {
    let type = try payload.readByte(at: &position)
    switch type {
    case FrameType.padding: return .padding(count: 1 + skipPadding(payload, at: &position))
    case FrameType.ping: return .ping
    case FrameType.ack: return .ack(try AckFrame(payload, at: &position))
    case FrameType.close: return .close(try CloseFrame(payload, at: &position))
    case FrameType.pathChallenge: return .pathChallenge(try payload.readInteger(at: &position))
    case FrameType.pathResponse: return .pathResponse(try payload.readInteger(at: &position))
    case FrameType.pathDrop: return .pathDrop(try payload.readInteger(at: &position))
    case FrameType.newConnectionID: return .newConnectionID(try NewConnectionIDFrame(payload, at: &position))
    case FrameType.retireConnectionID: return .retireConnectionID(try payload.readVarint(at: &position))
    case FrameType.moved: return .moved(epoch: try payload.readVarint(at: &position))
    case FrameType.addresses: return .addresses(try AddressesFrame(payload, at: &position))
    case FrameType.observedAddress: return .observedAddress(try ObservedAddressFrame(payload, at: &position))
    case FrameType.maxData: return .maxData(try payload.readVarint(at: &position))
    case FrameType.maxChannelData: return .maxChannelData(try MaxChannelDataFrame(payload, at: &position))
    case FrameType.receipt: return .receipt(try ReceiptFrame(payload, at: &position))
    case FrameType.skip: return .skip(try SkipFrame(payload, at: &position))
    case FrameType.timeRequest: return .timeRequest(try payload.readInteger(at: &position))
    case FrameType.timeResponse: return .timeResponse(try TimeResponseFrame(payload, at: &position))
    case FrameType.resting: return .resting(try RestingFrame(payload, at: &position))
    case FrameType.message: return .message(try MessageFrame(type: type, payload, at: &position))
    default: throw .malformed
    }
  }

  private static func skipPadding(_ payload: RawSpan, at position: inout Int) -> Int {
    let start = position
    while position < payload.byteCount, payload.unsafeLoad(fromByteOffset: position, as: UInt8.self) == 0 {
      position += 1
    }
    return position - start
  }

  /// Whether the peer is to acknowledge a packet with this frame in it (RFC 9000 §13.2: not ACK, PADDING, CLOSE; and
  /// not the comparison of clocks, which is its own answer).
  package var isAckEliciting: Bool {
    switch self {
    case .padding, .ack, .close, .timeRequest, .timeResponse: false
    case .ping, .pathChallenge, .pathResponse, .pathDrop, .newConnectionID, .retireConnectionID, .moved, .addresses,
      .observedAddress, .maxData, .maxChannelData, .receipt, .skip, .resting, .message:
      true
    }
  }

  /// Whether it is of a message that is never sent again (PROTOCOL §10.1).
  package var isUnreliable: Bool {
    if case .message(let message) = self { !message.stream.delivery.isReliable } else { false }
  }

  /// Whether a packet of such frames only leaves the peer's address alone (PROTOCOL §5).
  package var isProbing: Bool {
    switch self {
    case .padding, .pathChallenge, .pathResponse, .pathDrop, .newConnectionID: true
    case .ping, .ack, .close, .retireConnectionID, .moved, .addresses, .observedAddress, .maxData, .maxChannelData,
      .receipt, .skip, .timeRequest, .timeResponse, .resting, .message:
      false
    }
  }
}

extension OutputRawSpan {
  package mutating func appendPathChallenge(_ data: UInt64) {
    append(FrameType.pathChallenge)
    append(bigEndian: data)
  }

  package mutating func appendPathResponse(_ data: UInt64) {
    append(FrameType.pathResponse)
    append(bigEndian: data)
  }

  package mutating func appendMaxData(_ limit: UInt64) {
    append(FrameType.maxData)
    append(varint: limit)
  }
}
