/// The frames that compare clocks and tell that a player rests (PROTOCOL §10.7, §11.1).

/// The answer to a TIME_REQUEST: `11 ‖ echo8 ‖ received8 ‖ delay`.
package struct TimeResponseFrame: Sendable, Equatable {
  /// The time of the request, as it stood there.
  package var echo: UInt64
  /// The answering side's clock when the request arrived, in microseconds since an origin of its own; wraps.
  package var received: UInt64
  /// Microseconds between the request's arrival and this frame.
  package var delay: UInt64

  package init(echo: UInt64, received: UInt64, delay: UInt64) {
    self.echo = echo
    self.received = received
    self.delay = delay
  }

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    echo = try payload.readInteger(at: &position)
    received = try payload.readInteger(at: &position)
    delay = try payload.readVarint(at: &position)
  }

  /// Bytes of a frame, at most.
  package static let maximumSize = 1 + 8 + 8 + 8
}

/// Whether the sender's app rests: `12 ‖ sequence ‖ state1`.
package struct RestingFrame: Sendable, Equatable {
  /// Rises with every change, so that an old frame is known as such.
  package var sequence: UInt64
  package var isResting: Bool

  package init(sequence: UInt64, isResting: Bool) {
    self.sequence = sequence
    self.isResting = isResting
  }

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    sequence = try payload.readVarint(at: &position)
    switch try payload.readByte(at: &position) {
    case 0: isResting = false
    case 1: isResting = true
    default: throw .malformed
    }
  }

  /// Bytes of a frame, at most.
  package static let maximumSize = 1 + 8 + 1
}

extension OutputRawSpan {
  /// `10 ‖ time8`: the sender's clock, in microseconds since an origin of its own; it comes back in the answer.
  package mutating func appendTimeRequest(_ time: UInt64) {
    append(FrameType.timeRequest)
    append(bigEndian: time)
  }

  package mutating func appendTimeResponse(_ frame: TimeResponseFrame) {
    append(FrameType.timeResponse)
    append(bigEndian: frame.echo)
    append(bigEndian: frame.received)
    append(varint: frame.delay)
  }

  package mutating func appendResting(_ frame: RestingFrame) {
    append(FrameType.resting)
    append(varint: frame.sequence)
    append(frame.isResting ? 1 : 0)
  }
}
