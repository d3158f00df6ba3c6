import RoamkeyWire

/// What must happen again, or need not, when a packet is lost or acknowledged: one for each frame that matters.
enum SentFrame: Sendable {
  case message(channel: UInt8, sequence: UInt64, offset: UInt32, count: UInt32)
  /// We acknowledged up to this number: once the peer knows, we need not repeat it.
  case ack(largest: UInt64)
  case maxData
  case observedAddress(sequence: UInt64)
  /// Nothing to repeat: pings, and challenges, which have a timer of their own.
  case ephemeral
}
