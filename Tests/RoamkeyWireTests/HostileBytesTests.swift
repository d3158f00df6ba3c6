import RoamkeySimulator
import Testing

@testable import RoamkeyWire

/// Decoders under random and mutated bytes: an error or a value, never a trap, never a read beyond the end.
struct HostileBytesTests {
  @Test func randomBytesNeverTrap() {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SeededRandom(seed: seed)
    var frames = 0
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...80, using: &generator)
      var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      if count > 0, Bool.random(using: &generator) { bytes[0] = UInt8.random(in: 0...0x30, using: &generator) }
      frames += Self.readEverything(bytes)
    }
    // A decoder that refused everything would pass as well.
    #expect(frames > 1000, "seed \(seed)")
  }

  /// Reads `bytes` as everything that they could be; returns how many frames were found.
  static func readEverything(_ bytes: [UInt8]) -> Int {
    let span = bytes.span.bytes
    var frames = 0
    var position = 0
    while position < span.byteCount, let frame = try? Frame.read(span, at: &position) {
      frames += 1
      switch frame {
      case .ack(let ack): ack.forEachRange(span) { _ in frames += 1 }
      case .message(let message): _ = span.array(message.bytes)
      case .close(let close): _ = span.extracting(close.reason).text
      case .newConnectionID(let new): _ = (new.connectionID(span), new.token(span))
      case .addresses(let list): _ = list.addresses(span)
      case .padding, .ping, .pathChallenge, .pathResponse, .pathDrop, .retireConnectionID, .moved, .observedAddress,
        .maxData, .maxChannelData, .receipt, .skip, .timeRequest, .timeResponse, .resting:
        break
      }
    }
    if let header = try? LongHeader(span) {
      _ = try? HelloDatagram(span, header)
      _ = try? RetryDatagram.read(span, header)
      _ = try? VersionNegotiation.read(span, header)
    }
    _ = try? HandshakeParameters(span)
    _ = try? MessageContent(span)
    return frames
  }

  @Test func mutatedParametersGiveAnErrorOrParameters() throws {
    var parameters = HandshakeParameters(
      application: "galaxy/1", signingPolicy: .everyPacket, clientConnectionID: ConnectionID(),
      serverConnectionID: ConnectionID(0x0102_0304_0506_0708))
    parameters.versions = [.v1]
    parameters.initialCredit = 1 << 22
    parameters.maximumMessageSize = 1 << 20
    parameters.displayName = "Anna's room"
    parameters.initialChannelCredit = 1 << 20
    let bytes = parameters.encoded()
    #expect(try HandshakeParameters(bytes.span.bytes) == parameters)
    var refused = 0
    for i in bytes.indices {
      for bit in 0..<8 {
        var copy = bytes
        copy[i] ^= 1 << UInt8(bit)
        if (try? HandshakeParameters(copy.span.bytes)) == nil { refused += 1 }
      }
      let cut = Array(bytes[..<i])
      _ = try? HandshakeParameters(cut.span.bytes)
    }
    #expect(refused > 100)
  }

  @Test func unknownParametersAreIgnoredAndKnownOnesComeOnce() throws {
    let parameters = HandshakeParameters(
      application: "a", signingPolicy: .sealedOnly, clientConnectionID: ConnectionID(7),
      serverConnectionID: ConnectionID(8))
    let bytes = parameters.encoded()
    let withUnknown = bytes + [200, 2, 1, 2]
    #expect(try HandshakeParameters(withUnknown.span.bytes) == parameters)
    let deceiving = bytes + [8, 4, 0x61, 0xe2, 0x80, 0xae]
    #expect(throws: WireError.malformed) { try HandshakeParameters(deceiving.span.bytes) }
    let twice = bytes + [1, 1, 0x61]
    #expect(throws: WireError.malformed) { try HandshakeParameters(twice.span.bytes) }
    let missing = Array(bytes.dropLast(10))
    #expect(throws: WireError.malformed) { try HandshakeParameters(missing.span.bytes) }
  }

  @Test func contentComesBack() throws {
    let author = [UInt8](repeating: 7, count: 32)
    for content in [
      MessageContent(format: .text, action: "chat", body: Array("hé".utf8)),
      MessageContent(format: .bytes, author: author, action: "", body: [0xff, 0xfe]),
      MessageContent(format: .cbor, action: "move", body: []),
    ] {
      let bytes = content.encoded()
      #expect(try MessageContent(bytes.span.bytes) == content)
    }
    // Text that is none, an action that is none, reserved flags.
    for bytes in [[0x01, 0xff], [0x10, 0x02, 0xff, 0xff], [0x08, 0x00], [0x03, 0x00], [0x10, 0x41]] as [[UInt8]] {
      #expect(throws: (any Error).self) { try MessageContent(bytes.span.bytes) }
    }
  }

  @Test func textFromTheNetworkLosesWhatCouldDeceive() {
    #expect(DisplayText.clean("a\u{1b}[2Jb\u{202e}c\nd") == "a[2Jbcd")
    #expect(DisplayText.clean("Größe 日本 🚀") == "Größe 日本 🚀")
    #expect(!DisplayText.isClean("a\u{0}"))
  }
}
