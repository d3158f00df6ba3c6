import Testing

@testable import RoamkeyWire

/// The frames of players and servers that move, and the datagram that says "I do not know you" (PROTOCOL §5, §6, §8).
struct RoamingFrameTests {
  private static let id = ConnectionID(0xb0b1_b2b3_b4b5_b6b7)
  private static let token = UInt128(0x0011_2233_4455_6677) << 64 | 0x8899_aabb_ccdd_eeff

  @Test func pathDrop() throws {
    let bytes = FrameTests.write { $0.appendPathDrop(0x0102_0304_0506_0708) }
    #expect(bytes == [0x06, 1, 2, 3, 4, 5, 6, 7, 8])
    guard case .pathDrop(let data) = try FrameTests.read(bytes) else {
      Issue.record("not a PATH_DROP")
      return
    }
    #expect(data == 0x0102_0304_0506_0708)
  }

  @Test func newConnectionID() throws {
    let bytes = FrameTests.write {
      $0.appendNewConnectionID(sequence: 300, retirePriorTo: 2, Self.id, token: Self.token)
    }
    #expect(Array(bytes.prefix(5)) == [0x07, 0x41, 0x2c, 0x02, 0x08])
    #expect(bytes.count == 5 + 8 + 16)
    guard case .newConnectionID(let frame) = try FrameTests.read(bytes) else {
      Issue.record("not a NEW_CONNECTION_ID")
      return
    }
    #expect(frame.sequence == 300 && frame.retirePriorTo == 2)
    #expect(frame.connectionID(bytes.span.bytes) == Self.id)
    #expect(frame.token(bytes.span.bytes) == Self.token)
  }

  @Test("an empty id, one of 21 bytes, and one that is to be retired at once are refused")
  func badConnectionIDs() {
    for bytes in [
      [0x07, 1, 0, 0] + [UInt8](repeating: 7, count: 16),
      [0x07, 1, 0, 21] + [UInt8](repeating: 7, count: 21 + 16),
      [0x07, 1, 2, 8] + [UInt8](repeating: 7, count: 8 + 16),
    ] {
      #expect(throws: WireError.self) { try FrameTests.read(bytes) }
    }
  }

  @Test func retireAndMoved() throws {
    let retire = FrameTests.write { $0.appendRetireConnectionID(5) }
    let moved = FrameTests.write { $0.appendMoved(epoch: 70) }
    #expect(retire == [0x08, 5] && moved == [0x09, 0x40, 70])
    guard case .retireConnectionID(5) = try FrameTests.read(retire), case .moved(70) = try FrameTests.read(moved)
    else {
      Issue.record("other frames")
      return
    }
  }

  @Test(arguments: [0, 1, 8])
  func addresses(count: Int) throws {
    let addresses = (0..<count).map { i in
      i % 2 == 0
        ? NetworkAddress(ipv4: 198, 51, 100, UInt8(i), port: 7447)
        : NetworkAddress(ip: 0x2001_0db8 << 96 | UInt128(i), port: 7448)
    }
    let bytes = FrameTests.write { $0.appendAddresses(sequence: 9, addresses) }
    #expect(bytes.count == 3 + 18 * count && Array(bytes.prefix(3)) == [0x0a, 9, UInt8(count)])
    guard case .addresses(let frame) = try FrameTests.read(bytes) else {
      Issue.record("not an ADDRESSES")
      return
    }
    #expect(frame.sequence == 9 && frame.addresses(bytes.span.bytes) == addresses)
  }

  @Test func moreThanEightAddressesAreRefused() {
    #expect(throws: WireError.self) { try FrameTests.read([0x0a, 1, 9] + [UInt8](repeating: 1, count: 9 * 18)) }
  }

  @Test func cutOffAnywhereTheyAreRefused() {
    let frames = [
      FrameTests.write { $0.appendPathDrop(1) },
      FrameTests.write { $0.appendNewConnectionID(sequence: 1, retirePriorTo: 0, Self.id, token: Self.token) },
      FrameTests.write { $0.appendRetireConnectionID(1) }, FrameTests.write { $0.appendMoved(epoch: 1) },
      FrameTests.write { $0.appendAddresses(sequence: 1, [.any(port: 1), .any(port: 2)]) },
    ]
    for frame in frames {
      for end in 1..<frame.count {
        var position = 0
        #expect((try? Frame.read(Array(frame[..<end]).span.bytes, at: &position)) == nil)
      }
    }
  }

  @Test("only what leaves the peer's address alone is probing: PROTOCOL §5")
  func kinds() throws {
    let probing = [
      FrameTests.write { $0.appendPathDrop(1) },
      FrameTests.write { $0.appendNewConnectionID(sequence: 1, retirePriorTo: 0, Self.id, token: Self.token) },
    ]
    let others = [
      FrameTests.write { $0.appendRetireConnectionID(1) }, FrameTests.write { $0.appendMoved(epoch: 1) },
      FrameTests.write { $0.appendAddresses(sequence: 1, []) },
    ]
    for frame in try probing.map(FrameTests.read) { #expect(frame.isProbing && frame.isAckEliciting) }
    for frame in try others.map(FrameTests.read) { #expect(!frame.isProbing && frame.isAckEliciting) }
  }

  @Test func reset() {
    let bytes = ResetDatagram.write(random: [UInt8](repeating: 0xff, count: 27), token: Self.token)
    #expect(bytes.count == 43 && bytes[0] == 0x1f)
    let place = ResetDatagram.token(bytes.span.bytes)
    let short = Array(bytes.dropLast())
    let none = ResetDatagram.token(short.span.bytes)
    #expect(place == 27..<43 && none == nil)
    #expect(Array(bytes[27...]) == (0..<16).map { UInt8($0 * 0x11) })
  }

  @Test func resetTokenAsAParameter() throws {
    var parameters = HandshakeParameters(
      application: "galaxy/1", signingPolicy: .everyPacket, clientConnectionID: ConnectionID(),
      serverConnectionID: Self.id)
    parameters.resetToken = Self.token
    let bytes = parameters.encoded()
    let read = try HandshakeParameters(bytes.span.bytes)
    #expect(read == parameters)
    #expect(Array(bytes.suffix(18).prefix(2)) == [9, 16])
    // A token of another size is no token.
    var short = Array(bytes.dropLast())
    short[short.count - 16] = 15
    #expect(throws: WireError.self) { try HandshakeParameters(short.span.bytes) }
  }
}
