import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import RoamkeyUDP

/// What the kernel says, on bytes made by hand: rtnetlink(7), in the byte order of the machine.
struct NetlinkTests {
  @Test func messagesAndAttributes() throws {
    let first = message(type: 16, flags: 2, sequence: 7, body: [1, 2, 3])
    let second = message(type: 3, sequence: 7, body: [0, 0, 0, 0])
    let bytes = first + second
    var offset = 0
    let one = try #require(NetlinkMessage.next(in: bytes.span.bytes, at: &offset))
    #expect(one == NetlinkMessage(type: 16, flags: 2, sequence: 7, payload: 16..<19) && offset == 20)
    let two = try #require(NetlinkMessage.next(in: bytes.span.bytes, at: &offset))
    #expect(two == NetlinkMessage(type: 3, flags: 0, sequence: 7, payload: 36..<40) && offset == 40)
    #expect(NetlinkMessage.next(in: bytes.span.bytes, at: &offset) == nil)

    // The upper two bits of the type are flags; the last attribute may lack its padding.
    let attributes = attribute(0x8004, [9]) + attribute(5, [1, 2, 3, 4]) + attribute(6, []) + [5, 0, 7, 0, 1]
    var rest = 0..<attributes.count
    var found: [NetlinkAttribute] = []
    while let next = NetlinkAttribute.next(in: attributes.span.bytes, from: &rest) { found.append(next) }
    #expect(found.map(\.type) == [4, 5, 6, 7])
    #expect(found.map(\.value) == [4..<5, 12..<16, 20..<20, 24..<25] && rest.isEmpty)
  }

  /// A length that does not fit ends the reading.
  @Test(arguments: [0, 1, 15, 21, 0x7fff_ffff, 0xffff_ffff as UInt32])
  func badMessageLengths(_ length: UInt32) {
    let bytes = words(length) + message(type: 16, body: [1, 2, 3, 4]).dropFirst(4)
    var offset = 0
    #expect(NetlinkMessage.next(in: bytes.span.bytes, at: &offset) == nil)
    for size in 0..<16 {
      offset = 0
      #expect(NetlinkMessage.next(in: Array(bytes.prefix(size)).span.bytes, at: &offset) == nil)
    }
  }

  @Test(arguments: [0, 1, 3, 9, 0xffff as UInt16])
  func badAttributeLengths(_ length: UInt16) {
    let bytes = halves(length) + attribute(5, [1, 2, 3, 4]).dropFirst(2)
    var rest = 0..<bytes.count
    #expect(NetlinkAttribute.next(in: bytes.span.bytes, from: &rest) == nil)
    var short = 2..<5
    #expect(NetlinkAttribute.next(in: bytes.span.bytes, from: &short) == nil)
  }

  @Test func links() throws {
    func link(_ index: Int32, _ flags: UInt32) -> Link? {
      let body = [0, 0, 1, 0] + words(UInt32(bitPattern: index)) + words(flags) + words(0)
      return Link(body.span.bytes, 0..<body.count)
    }
    // IFF_UP 1, IFF_LOOPBACK 8, IFF_RUNNING 0x40.
    let wifi = try #require(link(3, 0x41))
    #expect(wifi.interface == 3 && wifi.isRunning && !wifi.isLoopback)
    #expect(link(3, 0x01)?.isRunning == false && link(3, 0x40)?.isRunning == false)
    #expect(link(1, 0x49)?.isLoopback == true)
    #expect(!wifi.isPointToPoint && link(3, 0x51)?.isPointToPoint == true)
    #expect(link(0, 0x41) == nil && link(-1, 0x41) == nil)
    #expect(Link([UInt8](repeating: 1, count: 15).span.bytes, 0..<15) == nil)
  }

  @Test func addresses() throws {
    // IFA_ADDRESS 1, IFA_LOCAL 2, IFA_FLAGS 8.
    let four = attribute(1, [10, 0, 0, 9]) + attribute(2, [10, 0, 0, 7])
    #expect(try address(2, 0, four)?.address == .host("10.0.0.7"))
    #expect(try address(2, 0, attribute(1, [10, 0, 0, 9]))?.address == .host("10.0.0.9"))
    let v6 = attribute(1, bytes(0x2001_0db8 << 96 | 7))
    #expect(try address(10, 0x80, v6)?.address == .host("2001:db8::7") && address(10, 0x80, v6)?.interface == 5)
    #expect(try address(10, 0x80, attribute(1, bytes(0xfe80 << 112 | 7)))?.address == .host("fe80::7%5"))
    // Tentative 0x40, but not with optimistic 4; duplicate 8; deprecated 0x20; IFA_FLAGS says it with more bits.
    #expect(address(10, 0x40, v6) == nil && address(10, 0x44, v6) != nil)
    #expect(address(10, 0x08, v6) == nil && address(10, 0x20, v6) == nil)
    #expect(address(10, 0, v6 + attribute(8, words(0x40))) == nil)
    #expect(address(10, 0x40, v6 + attribute(8, words(0x80))) != nil)
    // Lengths of another family, other families, none at all.
    #expect(address(10, 0, four) == nil && address(2, 0, v6) == nil && address(28, 0, four) == nil)
    #expect(address(2, 0, []) == nil && address(2, 0, attribute(1, [10, 0, 0])) == nil)
  }

  @Test func routes() throws {
    // RTA_OIF 4, RTA_GATEWAY 5, RTA_PREFSRC 7, RTA_VIA 18; RTN_UNICAST 1, RTN_UNREACHABLE 7.
    let (interface, source) = (attribute(4, words(3)), attribute(7, [10, 0, 0, 2]))
    let plain = try #require(route(2, 1, interface + source))
    #expect(try plain == Route(source: .host("10.0.0.2"), gateway: nil, interface: 3))
    #expect(try route(2, 1, interface + source + attribute(5, [10, 0, 0, 1]))?.gateway == .host("10.0.0.1"))
    let via = attribute(18, halves(10) + bytes(0xfe80 << 112 | 1))
    #expect(try route(2, 1, interface + source + via)?.gateway == .host("fe80::1%3"))
    #expect(route(2, 1, interface + source + attribute(18, [10, 0]))?.gateway == nil)
    #expect(route(2, 1, interface + source + attribute(18, [10]))?.gateway == nil)
    for type in [0, 6, 7, 8, 9, 255] as [UInt8] { #expect(route(2, type, interface + source) == nil) }
    for type in [1, 2, 3, 4, 5] as [UInt8] { #expect(route(2, type, interface + source) != nil) }
    #expect(route(2, 1, interface) == nil && route(2, 1, source) == nil && route(2, 1, []) == nil)
    #expect(route(2, 1, attribute(4, words(0)) + source) == nil && route(2, 1, attribute(4, [3]) + source) == nil)
    #expect(route(10, 1, interface + source) == nil)
  }

  /// The pieces of an answer, and what ends it.
  @Test func answers() {
    var seen = 0
    func read(_ bytes: [UInt8]) -> Int32? {
      seen = 0
      return NetworkQueries.read(bytes.span.bytes, answering: 7) { _, _ in seen += 1 }
    }
    let part = message(type: 16, flags: 2, sequence: 7, body: [1, 2, 3, 4])
    let done = message(type: 3, flags: 2, sequence: 7, body: words(0))
    #expect(read(part + part) == nil && seen == 2)
    #expect(read(part + done + part) == 0 && seen == 1)
    #expect(read(message(type: 24, sequence: 7, body: [1])) == 0 && seen == 1)
    // An error of the kernel's, or of a dump at its end; a number that has no opposite; none at all.
    #expect(read(message(type: 2, sequence: 7, body: words(UInt32(bitPattern: -101)))) == 101 && seen == 0)
    #expect(read(message(type: 3, sequence: 7, body: words(UInt32(bitPattern: -12)))) == 12)
    #expect(read(message(type: 2, sequence: 7, body: words(0x8000_0000))) == 22)
    #expect(read(message(type: 2, sequence: 7, body: [1])) == 0)
    // What answers an older question, or is no message.
    #expect(read(message(type: 24, sequence: 6, body: [1])) == nil && seen == 0)
    #expect(read([]) == nil && read([1, 2, 3]) == nil && read([UInt8](repeating: 0xff, count: 64)) == nil)
  }

  /// Damaged bytes trap nothing, and every range lies within them.
  @Test func damage() {
    let seed = UInt64.random(in: .min ... .max)
    print("netlink damage: seed \(seed)")
    var random = SeededGenerator(state: seed)
    let whole = [
      message(type: 16, flags: 2, sequence: 7, body: [UInt8](repeating: 1, count: 16) + attribute(3, [1, 2, 3])),
      message(
        type: 20, flags: 2, sequence: 7,
        body: [10, 64, 0, 0, 5, 0, 0, 0] + attribute(1, bytes(1)) + attribute(8, words(0))
      ),
      message(
        type: 24, flags: 2, sequence: 7,
        body: [2, 32, 0, 0, 254, 0, 0, 1] + words(0) + attribute(4, words(3)) + attribute(7, [10, 0, 0, 2])
          + attribute(18, halves(10) + bytes(1))),
    ].flatMap(\.self)
    for _ in 0..<20_000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
      _ = NetworkQueries.read(bytes.span.bytes, answering: 7) { span, message in
        #expect(message.payload.lowerBound >= 16 && message.payload.upperBound <= span.byteCount)
        _ = Link(span, message.payload)
        _ = InterfaceAddress(span, message.payload)
        _ = Route(span, message.payload)
      }
    }
  }

  /// What we ask, byte by byte.
  @Test func requests() {
    var request = NetlinkRequest(26, flags: 1, body: [2, 32, 0, 0] as InlineArray<4, UInt8>)
    request.add(1, [10, 0, 0] as InlineArray<3, UInt8>)
    request.add(4, 3 as UInt32)
    let expected = words(36) + halves(26) + halves(1) + words(9) + words(0) + [2, 32, 0, 0] + attribute(1, [10, 0, 0])
    #expect(request.numbered(9) == expected + attribute(4, words(3)))
  }

  // MARK: Bytes

  private func address(_ family: UInt8, _ flags: UInt8, _ attributes: [UInt8]) -> InterfaceAddress? {
    let body = [family, 24, flags, 0] + words(5) + attributes
    return InterfaceAddress(body.span.bytes, 0..<body.count)
  }

  private func route(_ family: UInt8, _ type: UInt8, _ attributes: [UInt8]) -> Route? {
    let body = [family, 32, 0, 0, 254, 0, 0, type] + words(0) + attributes
    return Route(body.span.bytes, 0..<body.count)
  }

  private func message(type: UInt16, flags: UInt16 = 0, sequence: UInt32 = 0, body: [UInt8]) -> [UInt8] {
    let header = words(UInt32(16 + body.count)) + halves(type) + halves(flags) + words(sequence) + words(0)
    return padded(header + body)
  }

  private func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
    padded(halves(UInt16(4 + value.count)) + halves(type) + value)
  }

  private func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }
  private func words(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }
  private func halves(_ value: UInt16) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }
  private func bytes(_ ip: UInt128) -> [UInt8] { withUnsafeBytes(of: ip.bigEndian, Array.init) }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}
