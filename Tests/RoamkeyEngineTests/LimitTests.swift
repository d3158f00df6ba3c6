import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §7: limits that no story comes near. Each is reached, and passed by one; the honest case stands beside it.
struct LimitTests {
  private static let server = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

  // MARK: Handshakes

  @Test func aHelloHasItsSize() throws {
    let pair = Pair()
    pair.client.connect(to: [pair.serverAddress], now: pair.now)
    let hello = try #require(pair.flush(pair.client).first)
    #expect(hello.count == 1200)
    for bytes in [Array(hello.dropLast()), hello + [0], Array(hello.prefix(100)), hello + hello.prefix(200)] {
      pair.deliver(bytes, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
    }
    #expect(pair.server.statistics[.malformed] == 4 && pair.flush(pair.server).isEmpty)
    pair.deliver(hello, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
    pair.exchange()
    #expect(pair.session != nil)
  }

  /// With a proven address four times the usual number of handshakes; from everywhere else there is still room.
  @Test func provenHandshakesOfOneAddress() throws {
    let server = ServerEndpoint(
      key: .generate(), settings: .init(application: "test/1"), configuration: .init(), entropy: .seeded(1))
    let now = Instant(nanoseconds: 1_000_000_000)
    /// Says Hello, and Hello again with the cookie where one is asked for.
    func welcomes(_ client: Int, from host: UInt8) -> Bool {
      let address = NetworkAddress(ipv4: 198, 51, 100, host, port: UInt16(1000 + client))
      let endpoint = ClientEndpoint(
        key: .generate(), settings: .init(application: "test/1"), configuration: .init(),
        entropy: .seeded(UInt64(1000 + client)))
      endpoint.connect(to: [Self.server], now: now)
      for _ in 0..<2 {
        for datagram in flush(endpoint, now: now) { deliver(datagram.bytes, to: server, from: address) }
        for answer in flush(server, now: now) {
          if answer.bytes[0] == HandshakeKind.welcome.rawValue { return true }
          deliver(answer.bytes, to: endpoint, from: Self.server)
        }
      }
      return false
    }
    func deliver(_ datagram: [UInt8], to endpoint: some DatagramHandler, from remote: NetworkAddress) {
      var datagram = datagram
      datagram.withUnsafeMutableBytes { bytes in
        var span = MutableRawSpan(_unsafeBytes: bytes)
        endpoint.receive(&span, path: NetworkPath(local: .any(port: 0), remote: remote), now: now)
      }
    }
    let answered = (0..<140).count { welcomes($0, from: 7) }
    #expect(answered == 128)
    #expect(server.statistics.retriesSent == 140 - 32 && server.statistics[.tooManyHandshakes] == 12)
    #expect(welcomes(200, from: 8))
  }

  @Test func cookieKeysAreRenewed() throws {
    let pair = Pair()
    pair.client.connect(to: [pair.serverAddress], now: pair.now)
    let hello = try #require(pair.flush(pair.client).first)
    let datagram = try HelloDatagram(hello.span.bytes, LongHeader(hello.span.bytes))
    var entropy = Entropy.seeded(5)
    let start = Instant(nanoseconds: 0)
    // Cookies that live for long, so that only their key can make them bad.
    var jar = CookieJar(key: entropy.secret(), lifetime: .seconds(1000), keyLifetime: .seconds(120), now: start)
    func bake(_ seconds: Int) -> [UInt8] {
      jar.bake(
        datagram, hello.span.bytes, from: pair.clientAddress, now: start + .seconds(seconds), entropy: &entropy)
    }
    func isGood(_ cookie: [UInt8], _ seconds: Int) -> Bool {
      let shown = Array(hello[..<datagram.cookie.lowerBound]) + cookie + hello[datagram.cookie.upperBound...]
      return jar.accepts(datagram, shown.span.bytes, from: pair.clientAddress, now: start + .seconds(seconds))
    }
    let cookie = bake(119)
    #expect(isGood(cookie, 119))
    let second = bake(120)
    #expect(isGood(cookie, 125) && isGood(second, 125), "the key before is kept")
    let third = bake(240)
    #expect(!isGood(cookie, 241) && isGood(second, 241) && isGood(third, 241))
  }

  @Test func aClientAcceptsTwoRetries() throws {
    let pair = Pair()
    pair.client.connect(to: [pair.serverAddress], now: pair.now)
    let hello = try #require(pair.flush(pair.client).first)
    let datagram = try HelloDatagram(hello.span.bytes, LongHeader(hello.span.bytes))
    var answers: [Int] = []
    for i in 0..<5 {
      let retry = RetryDatagram.write(answering: datagram, cookie: [UInt8](repeating: UInt8(i + 1), count: 20))
      pair.deliver(retry, to: pair.client, local: pair.clientAddress, remote: pair.serverAddress)
      answers.append(pair.flush(pair.client).count)
    }
    #expect(answers == [1, 1, 0, 0, 0])
    #expect(pair.client.statistics[.badHandshake] == 3)
    // The Hello goes on being sent, and is answered.
    pair.run(for: .seconds(1))
    #expect(pair.session != nil)
  }

  @Test func packetsBeforeTheFinish() throws {
    let pair = Pair()
    var isHeldBack = true
    pair.toServer = { isHeldBack && $0[0] == HandshakeKind.finish.rawValue ? nil : $0 }
    pair.connect()
    let texts = (0..<9).map { "\($0)" }
    for text in texts {
      try pair.send(text)
      pair.exchange()
    }
    #expect(pair.session == nil && pair.server.statistics[.heldOverflow] == 10 - 4)
    isHeldBack = false
    pair.run(for: .seconds(5))
    #expect(pair.heard == texts)
    #expect(pair.server.halfOpen.count == 0)
  }

  // MARK: Sessions

  /// PROTOCOL §2.2: 2^36 failed tags, of which all but two are taken as read.
  @Test func failedTags() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(1))
    let session = try #require(pair.server.sessions.values.first)
    var bad: [UInt8] = []
    pair.toServer = { datagram in
      bad = datagram
      bad[datagram.count - 1] ^= 1
      return datagram
    }
    try pair.send("one")
    pair.exchange()
    // Of a number that was not seen yet.
    pair.toServer = { datagram in
      bad = datagram
      bad[datagram.count - 1] ^= 1
      return nil
    }
    try pair.send("two")
    pair.exchange()
    session.failedTags = Session.failedTagLimit - 2
    pair.deliver(bad, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
    #expect(session.isOpen && session.failedTags == Session.failedTagLimit - 1)
    pair.toServer = { $0 }
    pair.run(for: .seconds(2))
    #expect(pair.heard == ["one", "two"], "the session is as good as ever")
    pair.toServer = { datagram in
      bad = datagram
      bad[datagram.count - 1] ^= 1
      return nil
    }
    try pair.send("three")
    pair.exchange()
    pair.deliver(bad, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
    pair.exchange()
    guard case .left(_, .violation(let code)) = try #require(pair.serverEvents.last) else {
      Issue.record("\(pair.serverEvents)")
      return
    }
    #expect(code == CloseCode.keyMisuse.rawValue)
  }

  @Test func verifiedRoots() throws {
    let key = PlayerKey.generate()
    var verifier = SignatureVerifier(peer: key.id)
    // The second packet of each of 65 trees comes when the first ones of all have.
    var seconds: [[UInt8]] = []
    for i in 0..<65 as Range<UInt8> {
      let leaves = [SignatureTreeTests.leaf([i]), SignatureTreeTests.leaf([i, 1])]
      let trailers = SignatureTreeTests.trailers(leaves, key: key)
      #expect(SignatureTreeTests.verify([i] + trailers[0], leaves[0], &verifier))
      seconds.append([i, 1] + trailers[1])
    }
    let costly = try seconds.filter { plaintext in
      let trailer = try SignatureTrailer(plaintext.span.bytes)
      let leaf = SignatureTreeTests.leaf(Array(plaintext.prefix(2)))
      return verifier.task(trailer, leaf: leaf, plaintext.span.bytes) != nil
    }
    #expect(costly.map { $0[0] } == [0], "of the oldest the signature is verified once more")
    #expect(SignatureTreeTests.verify(seconds[0], SignatureTreeTests.leaf([0, 1]), &verifier))
  }

  @Test func theCongestionWindow() {
    var reno = NewReno()
    for i in 0..<1000 {
      reno.onAcknowledged(
        bytes: 12_000, sentAt: Instant(nanoseconds: 1), now: Instant(nanoseconds: Int64(i)), isApplicationLimited: false
      )
    }
    #expect(reno.window == 4 << 20)
  }

  // MARK: Discovery

  @Test func thoseWhoAreToldOfTheEnd() {
    let now = Instant(nanoseconds: 1_000_000_000)
    let server = NeighbourServer("a", seed: 7)
    for i in 0..<80 {
      let seek = SeekDatagram(nonce: UInt128(i), application: nil).encoded()
      #expect(server.answer(seek, from: Neighbourhood.address(UInt8(2 + i), port: 5000), now: now) != nil)
    }
    let farewells = server.responder.farewells(now: now)
    #expect(farewells.count == 64 && farewells.first?.to == Neighbourhood.address(2 + 16, port: 5000))
  }

  /// A server that answers from ever new addresses: the four that were heard last are remembered.
  @Test func addressesOfAServerOnTheList() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    let anna = NeighbourServer("Anna", seed: 7)
    let answer = try #require(anna.answer(here.question, now: here.now))
    let beacon = try BeaconDatagram(answer.span.bytes)
    var entry = FoundEntry(beacon, question: 1, from: anna.address, after: .milliseconds(1), at: here.now)
    for i in 0..<10 as Range<UInt8> {
      entry.hear(
        beacon, question: 1, from: Neighbourhood.address(30 + i, port: 7446), after: .milliseconds(1),
        at: here.now + .milliseconds(Int64(i)))
    }
    #expect(entry.ways.map(\.address) == (36..<40).map { Neighbourhood.address($0, port: 7446) })
  }
}
