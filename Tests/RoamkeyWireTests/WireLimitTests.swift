import Testing

@testable import RoamkeyWire

/// PROTOCOL §7: limits of what a datagram may say. As much as is allowed is read, and one more is refused.
struct WireLimitTests {
  private static func frame(_ bytes: [UInt8]) -> Frame? {
    var position = 0
    guard let frame = try? Frame.read(bytes.span.bytes, at: &position), position == bytes.count else { return nil }
    return frame
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(varint: value)
    return bytes
  }

  private static func letters(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }

  @Test(arguments: [0, 8, 20, 21, 255]) func connectionIDs(size: Int) {
    for (first, second) in [(size, 0), (0, size)] {
      let bytes =
        [0x80, 0x52, 0x4b, 0, 1, UInt8(first)] + Self.letters(first) + [UInt8(second)] + Self.letters(second)
        + Self.letters(50)
      #expect(((try? LongHeader(bytes.span.bytes)) != nil) == (size <= 20))
    }
    let id = [0x07, 3, 0, UInt8(size)] + Self.letters(size) + Self.letters(16)
    #expect((Self.frame(id) != nil) == (1...20).contains(size))
  }

  @Test(arguments: [0, 63, 64, 1000] as [UInt64]) func rangesOfAnAck(pairs: UInt64) {
    let bytes =
      [0x02] + Self.varint(10_000) + [0] + Self.varint(pairs) + [0] + [UInt8](repeating: 0, count: 2 * Int(pairs))
    var count = 0
    if case .ack(let ack) = Self.frame(bytes) { ack.forEachRange(bytes.span.bytes) { _ in count += 1 } }
    #expect(count == (pairs < 64 ? Int(pairs) + 1 : 0), "64 ranges at most")
  }

  @Test(arguments: [0, 128, 129, 1000]) func reasonsOfAClose(size: Int) {
    let bytes = [0x03, 0x01] + Self.varint(UInt64(size)) + Self.letters(size)
    #expect((Self.frame(bytes) != nil) == (size <= 128))
  }

  @Test(arguments: [1, 64, 65, 255]) func actions(size: Int) {
    let bytes = [0x10, UInt8(size)] + Self.letters(size) + [1, 2, 3]
    #expect(((try? MessageContent(bytes.span.bytes)) != nil) == (size <= 64))
  }

  @Test(arguments: [1, 64, 65, 255]) func displayNames(size: Int) {
    let parameters = HandshakeParameters(
      application: "a", signingPolicy: .everyPacket, clientConnectionID: ConnectionID(),
      serverConnectionID: ConnectionID(8))
    let bytes = parameters.encoded() + [8, UInt8(size)] + Self.letters(size)
    #expect((try? HandshakeParameters(bytes.span.bytes))?.displayName?.utf8.count == (size <= 64 ? size : nil))
  }
}
