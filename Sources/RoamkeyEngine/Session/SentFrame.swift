import RoamkeyWire

/// What must happen again, or need not, when a packet is lost or acknowledged: one for each frame that matters.
enum SentFrame: Sendable {
  case message(MessagePart)
  /// We acknowledged up to this number: once the peer knows, we need not repeat it.
  case ack(largest: UInt64)
  case maxData
  case maxChannelData(StreamID)
  /// A message that was given up; repeated until the peer knows.
  case skip(StreamID, sequence: UInt64)
  /// Receipts that were given; repeated until the peer knows.
  case receipt(ReceiptFrame)
  case observedAddress(sequence: UInt64)
  case newConnectionID(sequence: UInt64)
  case retireConnectionID(sequence: UInt64)
  case moved(epoch: UInt64)
  case addresses(sequence: UInt64)
  case resting(sequence: UInt64)
  /// A packet that was padded to try whether the path carries so much.
  case mtuProbe(size: Int)
  /// Nothing to repeat: pings, and challenges, which have a timer of their own.
  case ephemeral
}

extension SentFrame {
  /// Nothing is sent again if it is lost, and no answer is waited for (PROTOCOL §10.1).
  var isPatient: Bool {
    switch self {
    case .message(let part): !part.stream.delivery.isReliable
    case .ack: true
    case .maxData, .maxChannelData, .skip, .receipt, .observedAddress, .newConnectionID, .retireConnectionID, .moved,
      .addresses, .resting, .mtuProbe, .ephemeral:
      false
    }
  }
}

/// The bytes of a message that a packet carries.
struct MessagePart: Sendable {
  var stream: StreamID
  var sequence: UInt64
  var offset: UInt32
  var count: UInt32
  /// It is all of the message.
  var isWhole = false
  /// The same bytes are on their way in an earlier packet, and nothing says that they are lost.
  var isCopy = false

  var range: Range<Int> { Int(offset)..<Int(offset) + Int(count) }
}
