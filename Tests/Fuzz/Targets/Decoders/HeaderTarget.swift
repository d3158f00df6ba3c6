import RoamkeyEngine
import RoamkeyWire

extension FuzzTargets {
  /// Whatever may stand at the beginning of a datagram: headers of all versions, what follows them in a handshake, and
  /// the places of a reset's token and of a packet's number.
  static let headers = FuzzTarget(
    "headers", longestInput: 1400, milestones: ["hello", "retry", "versions", "packetNumber", "resetToken"]
  ) { input, reached in
    let expected = UInt64(input.int16()) << 46 | UInt64(input.int16())
    let length = 1 + input.number(below: 4)
    var bytes = input.rest()
    // A Hello has one size only, which no input finds by itself.
    if bytes.first == HandshakeKind.hello.rawValue, bytes.count >= 100 {
      bytes += [UInt8](repeating: 0, count: max(0, HelloDatagram.size - bytes.count))
    }
    let datagram = bytes.span.bytes
    if datagram.byteCount >= 4 {
      var position = 0
      guard let truncated: UInt32 = try? datagram.readInteger(at: &position) else {
        preconditionFailure("four bytes are a number")
      }
      checkNumber(truncated, length, expected: min(expected, PacketNumber.maximum + 1))
      reached.reach(3)
    }
    if let token = ResetDatagram.token(datagram) {
      precondition(token.count == ResetDatagram.tokenSize && token.upperBound == bytes.count, "the token is the end")
      reached.reach(4)
    }
    checkHeader(datagram, &reached)
  }

  private static func checkHeader(_ datagram: RawSpan, _ reached: inout Milestones) {
    guard let header = try? LongHeader(datagram) else { return }
    let written = LongHeader.write(
      firstByte: header.firstByte, version: header.version, destination: header.destination, source: header.source)
    precondition(written == datagram.array(0..<header.payload), "a header has one encoding")
    if let hello = try? HelloDatagram(datagram, header) {
      reached.reach(0)
      let prefix = HelloDatagram.prefix(
        destination: hello.destination, source: hello.source, cookie: datagram.array(hello.cookie),
        mac: datagram.array(hello.mac))
      let begin = LongHeader.write(
        firstByte: HandshakeKind.hello.rawValue, version: header.version, destination: hello.destination,
        source: hello.source)
      precondition(
        header.version != ProtocolVersion.v1.rawValue || prefix == datagram.array(0..<hello.noise.lowerBound),
        "a Hello is written as it was read")
      precondition(begin.count == hello.cookie.lowerBound, "the cookie stands behind the header")
      let room = HelloDatagram.noisePayloadSize(source: hello.source) + 32
      precondition(hello.noise.count == room, "Noise's message fills the Hello")
    }
    if let cookie = try? RetryDatagram.read(datagram, header) {
      precondition(cookie.count == HelloDatagram.cookieSize, "a cookie has its size")
      reached.reach(1)
    }
    if let versions = try? VersionNegotiation.read(datagram, header) {
      precondition(versions.count * 4 == datagram.byteCount - header.payload, "versions take all of the bytes")
      reached.reach(2)
    }
  }

  /// RFC 9000 A.3: of all numbers with these low bytes the nearest to the expected one.
  private static func checkNumber(_ truncated: UInt32, _ length: Int, expected: UInt64) {
    let number = PacketNumber.decode(truncated: truncated, length: length, expected: expected)
    let window: UInt64 = 1 << UInt64(8 * length)
    precondition(number % window == UInt64(truncated) % window, "a packet number keeps its low bytes")
    let distance = number > expected ? number - expected : expected - number
    precondition(
      distance <= window / 2 || number < window || number > PacketNumber.maximum - window, "a nearer number fits")
  }
}
