import RoamkeySimulator
import Testing

@testable import RoamkeyWire

/// PROTOCOL §15.1, §15.2: the bytes of questions and beacons.
struct DiscoveryDatagramTests {
  private let beacon = BeaconDatagram(
    nonce: 5, publicKey: Array(repeating: 9, count: 32), instance: 1, sequence: 2,
    address: NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447), players: 3, capacity: 4,
    application: "galaxy/1", name: "Anna")

  private static func seek(_ bytes: some Sequence<UInt8>) throws(WireError) -> SeekDatagram {
    let bytes = Array(bytes)
    return try SeekDatagram(bytes.span.bytes)
  }

  private static func beacon(_ bytes: some Sequence<UInt8>) throws(WireError) -> BeaconDatagram {
    let bytes = Array(bytes)
    return try BeaconDatagram(bytes.span.bytes)
  }

  /// With so many bytes where the signature stands.
  private static func unsigned(_ beacon: BeaconDatagram, signature count: Int = 64) -> [UInt8] {
    beacon.encoded() + Array(repeating: 0, count: count)
  }

  private func datagram(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
    var bytes = beacon.encoded()
    change(&bytes)
    return bytes + Array(repeating: 0, count: 64)
  }

  @Test func aQuestionHasItsSize() throws {
    let bytes = SeekDatagram(nonce: 1, application: "galaxy/1").encoded()
    #expect(bytes.count == 512)
    #expect(throws: WireError.malformed) { try Self.seek(bytes.dropLast()) }
    #expect(throws: WireError.malformed) { try Self.seek(bytes + [0]) }
    #expect(try Self.seek(bytes).application == "galaxy/1")
  }

  /// Neither is a datagram of the handshake, nor the other's, and a long header's ids are empty.
  @Test func nobodyTakesThemForSomethingElse() {
    var seek = SeekDatagram(nonce: 1, application: nil).encoded()
    let answer = datagram()
    for bytes in [seek, answer] {
      #expect(LongHeader.isLong(bytes[0]))
      #expect(HandshakeKind(rawValue: bytes[0]) == nil)
    }
    #expect(throws: WireError.malformed) { try Self.beacon(seek) }
    #expect(throws: WireError.malformed) { try Self.seek(answer) }
    seek[4] = 2
    #expect(throws: WireError.malformed) { try Self.seek(seek) }
    seek = SeekDatagram(nonce: 1, application: nil).encoded()
    seek[5] = 1
    #expect(throws: WireError.malformed) { try Self.seek(seek) }
  }

  @Test func textsMustBeHarmless() throws {
    #expect(try Self.beacon(datagram()) == beacon)
    let (a, n) = (99, 108)
    #expect(datagram()[a - 1] == 8 && datagram()[n - 1] == 4)
    for (place, byte) in [(a, UInt8(0x1b)), (n, 0x0a), (n, 0x9f), (n, 0xff), (a, 0x80)] {
      #expect(throws: WireError.malformed, "\(place) \(byte)") {
        try Self.beacon(datagram { $0[place] = byte })
      }
    }
    // U+202E, which turns the rest around.
    #expect(throws: WireError.malformed) {
      try Self.beacon(datagram { $0.replaceSubrange(n..<n + 3, with: [0xe2, 0x80, 0xae]) })
    }
  }

  @Test func fieldsAreBounded() throws {
    var other = beacon
    other.address.port = 0
    #expect(throws: WireError.malformed) { try Self.beacon(Self.unsigned(other)) }
    other = beacon
    other.application = ""
    #expect(throws: WireError.malformed) { try Self.beacon(Self.unsigned(other)) }
    #expect(try Self.beacon(Self.unsigned(beacon)) == beacon)
    // A name of 65 bytes, and one of 64.
    var bytes = beacon.encoded() + Array(repeating: 0x61, count: 61)
    bytes[107] = 65
    #expect(throws: WireError.malformed) { try Self.beacon(bytes + Array(repeating: 0, count: 64)) }
    bytes[107] = 64
    #expect(try Self.beacon(bytes + Array(repeating: 0, count: 64)).name?.count == 64)
    // As long as a question, and longer.
    let room = BeaconDatagram.longest - beacon.encoded().count
    #expect(try Self.beacon(Self.unsigned(beacon, signature: room)) == beacon)
    #expect(throws: WireError.malformed) { try Self.beacon(Self.unsigned(beacon, signature: room + 1)) }
  }

  @Test func everyTruncationIsAnError() {
    // The last 64 bytes are always taken for the signature, so what is cut off is missing before it.
    let whole = datagram()
    for count in 0..<whole.count { #expect(throws: WireError.self) { try Self.beacon(whole.prefix(count)) } }
    let seek = SeekDatagram(nonce: 1, application: "x").encoded()
    for count in 0..<seek.count { #expect(throws: WireError.self) { try Self.seek(seek.prefix(count)) } }
  }

  @Test func mutatedDatagramsNeverTrap() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    var read = 0
    for _ in 0..<20_000 {
      var bytes = random.chance(0.5) ? datagram() : SeekDatagram(nonce: 1, application: "galaxy/1").encoded()
      for _ in 0..<3 { bytes[Int.random(in: 0..<min(bytes.count, 120), using: &random)] = UInt8(random.next() >> 56) }
      if random.chance(0.3) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
      if (try? Self.seek(bytes)) != nil { read += 1 }
      if (try? Self.beacon(bytes)) != nil { read += 1 }
    }
    #expect(read > 100, "seed \(seed)")
  }
}
