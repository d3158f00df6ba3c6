/// The first byte of each datagram of the handshake (PROTOCOL §1).
package enum HandshakeKind: UInt8, Sendable {
  case hello = 0x80
  case welcome = 0x90
  case retry = 0xa0
  case finish = 0xb0
}

/// `80 ‖ version4 ‖ 08 ‖ dcid8 ‖ s1 ‖ scid ‖ cookie20 ‖ mac16 ‖ noise1`, exactly 1200 bytes.
package struct HelloDatagram: Sendable {
  /// Hello is padded, so that a server never sends more than it received.
  package static let size = 1200
  package static let cookieSize = 20
  package static let macSize = 16

  package var destination: ConnectionID
  package var source: ConnectionID
  /// Where the cookie, the mac and Noise's first message stand in the datagram.
  package var cookie: Range<Int>
  package var mac: Range<Int>
  package var noise: Range<Int>

  package init(_ datagram: RawSpan, _ header: LongHeader) throws(WireError) {
    guard datagram.byteCount == Self.size, header.firstByte == HandshakeKind.hello.rawValue,
      header.destination.count == ConnectionID.routedCount
    else { throw .malformed }
    var position = header.payload
    destination = header.destination
    source = header.source
    cookie = try datagram.readRange(Self.cookieSize, at: &position)
    mac = try datagram.readRange(Self.macSize, at: &position)
    noise = position..<datagram.byteCount
  }

  /// Everything before Noise's message; absent cookie and mac are zeros.
  package static func prefix(
    destination: ConnectionID, source: ConnectionID, cookie: [UInt8]?, mac: [UInt8]?
  ) -> [UInt8] {
    LongHeader.write(
      firstByte: HandshakeKind.hello.rawValue, version: ProtocolVersion.v1.rawValue,
      destination: destination, source: source)
      + (cookie ?? Array(repeating: 0, count: cookieSize)) + (mac ?? Array(repeating: 0, count: macSize))
  }

  /// How many zeros Noise's first message carries so that the datagram has its size: 32 bytes of it are the key.
  package static func noisePayloadSize(source: ConnectionID) -> Int {
    size - (1 + 4 + 1 + ConnectionID.routedCount + 1 + source.count + cookieSize + macSize) - 32
  }
}

/// `A0 ‖ version4 ‖ s1 ‖ scid ‖ 08 ‖ dcid8 ‖ cookie20`
package enum RetryDatagram {
  package static func write(answering hello: HelloDatagram, cookie: [UInt8]) -> [UInt8] {
    LongHeader.write(
      firstByte: HandshakeKind.retry.rawValue, version: ProtocolVersion.v1.rawValue,
      destination: hello.source, source: hello.destination) + cookie
  }

  /// The cookie behind a Retry's header.
  package static func read(_ datagram: RawSpan, _ header: LongHeader) throws(WireError) -> [UInt8] {
    guard datagram.byteCount - header.payload == HelloDatagram.cookieSize else { throw .malformed }
    return datagram.array(header.payload..<datagram.byteCount)
  }
}
