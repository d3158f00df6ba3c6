/// Why a session ends, as a number on the wire. Below 0x20: an end; from 0x20: a refusal at the door.
package struct CloseCode: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The app closed the session, all in order.
  package static let done = CloseCode(rawValue: 0x00)
  /// The host put the player out; the text says why.
  package static let kicked = CloseCode(rawValue: 0x01)
  /// The same player opened a newer session.
  package static let replaced = CloseCode(rawValue: 0x02)
  /// The server stops.
  package static let shutdown = CloseCode(rawValue: 0x03)
  /// The player did not keep up with what the host had to send.
  package static let tooSlow = CloseCode(rawValue: 0x04)
  /// A rule of the protocol was broken.
  package static let protocolViolation = CloseCode(rawValue: 0x10)
  /// A packet with a good seal had a bad signature.
  package static let badSignature = CloseCode(rawValue: 0x11)
  /// A limit of reassembly or credit was exceeded.
  package static let limitExceeded = CloseCode(rawValue: 0x12)
  /// A key was used up, or keys ran backwards.
  package static let keyMisuse = CloseCode(rawValue: 0x13)
  package static let wrongApplication = CloseCode(rawValue: 0x20)
  package static let wrongSigningPolicy = CloseCode(rawValue: 0x21)
  package static let notAllowed = CloseCode(rawValue: 0x22)
  package static let banned = CloseCode(rawValue: 0x23)
  package static let full = CloseCode(rawValue: 0x24)
}

/// The end of a session: `03 ‖ code ‖ length ‖ text`, code and length as variable-length integers.
package struct CloseFrame: Sendable {
  package var code: CloseCode
  package var reason: Range<Int>

  /// The longest reason in bytes of UTF-8; longer ones are cut off when written, and refused when read.
  package static let maximumReason = 128

  /// The bytes of a reason, cut at a character where it is too long.
  package static func reason(from text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for character in text {
      guard bytes.count + character.utf8.count <= maximumReason else { break }
      bytes += character.utf8
    }
    return bytes
  }

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    code = CloseCode(rawValue: try payload.readVarint(at: &position))
    let count = try payload.readCount(at: &position)
    guard count <= Self.maximumReason else { throw .malformed }
    reason = try payload.readRange(count, at: &position)
  }
}

extension OutputRawSpan {
  /// - Precondition: `reason` has at most `CloseFrame.maximumReason` bytes of UTF-8.
  package mutating func appendClose(_ code: CloseCode, reason: [UInt8]) {
    append(FrameType.close)
    append(varint: code.rawValue)
    append(varint: UInt64(reason.count))
    append(contentsOf: reason.span.bytes)
  }
}
