/// Which sequence of messages a message belongs to: those of one delivery mode in one channel count by themselves, so
/// that an app may choose the mode message by message.
package struct StreamID: Hashable, Sendable {
  package var channel: UInt8
  package var delivery: Delivery

  package init(channel: UInt8, delivery: Delivery) {
    self.channel = channel
    self.delivery = delivery
  }

  /// The number that stands in frames: `channel << 2 | mode`.
  package var number: UInt64 { UInt64(channel) << 2 | UInt64(delivery.rawValue) }

  /// Nil for numbers that name no stream.
  package init?(number: UInt64) {
    guard number < 1 << 10, let delivery = Delivery(rawValue: UInt8(number & 3)) else { return nil }
    self.init(channel: UInt8(number >> 2), delivery: delivery)
  }
}

extension Delivery {
  /// Whether every message arrives once, and is acknowledged, repeated and counted against credit for it.
  package var isReliable: Bool {
    switch self {
    case .reliableOrdered, .reliableUnordered: true
    case .latest, .unreliable: false
    }
  }
}

extension RawSpan {
  func readStream(at position: inout Int) throws(WireError) -> StreamID {
    guard let stream = StreamID(number: try readVarint(at: &position)) else { throw .malformed }
    return stream
  }

  func readReliableStream(at position: inout Int) throws(WireError) -> StreamID {
    let stream = try readStream(at: &position)
    guard stream.delivery.isReliable else { throw .malformed }
    return stream
  }
}
