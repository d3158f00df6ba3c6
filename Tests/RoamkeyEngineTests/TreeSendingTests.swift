import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §4: packets that leave in one flush share a signature, and nothing else changes.
struct TreeSendingTests {
  static func text(_ i: Int, _ size: Int) -> String { "\(i) " + String(repeating: "x", count: size) }

  /// Client and server who know each other, and the depths of what the client then sends at once.
  private static func burst(_ pair: Pair, bytes: Int) throws -> (depths: [Int], datagrams: [[UInt8]]) {
    try pair.send(text(0, bytes))
    let datagrams = pair.flush(pair.client)
    let session = try #require(pair.server.sessions.values.first)
    let trailers = try datagrams.map { try #require(session.trailer(of: $0)) }
    for datagram in datagrams {
      pair.deliver(datagram, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
    }
    return (trailers.map(\.depth), datagrams)
  }

  @Test func aBurstSharesSignatures() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(1))
    let before = pair.client.statistics
    let depths = try Self.burst(pair, bytes: 8500).depths
    let signatures = pair.client.statistics.signatures - before.signatures
    #expect(depths.prefix(8) == [3, 3, 3, 3, 3, 3, 3, 3], "what is sure to leave shares one")
    #expect(depths.count >= 9 && signatures == depths.count - 7, "\(signatures) for \(depths)")
    pair.run(for: .seconds(1))
    #expect(pair.heard == [Self.text(0, 8500)])
    #expect(pair.server.statistics.dropped == 0 && pair.client.statistics.dropped == 0)
  }

  @Test("what is recorded of a packet is what left: size, budget, statistics")
  func sizes() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(1))
    let session = try #require(pair.client.session)
    #expect(session.sent.bytesInFlight == 0)
    let before = session.counters.bytesSent
    try pair.send(Self.text(0, 9000))
    let datagrams = pair.flush(pair.client)
    let bytes = datagrams.reduce(0) { $0 + $1.count }
    #expect(session.sent.bytesInFlight == bytes)
    #expect(session.counters.bytesSent - before == UInt64(bytes))
    #expect(datagrams.prefix(8).allSatisfy { $0.count > 1200 - 64 && $0.count <= 1200 }, "the room is used")
  }

  @Test func aSmallMessageIsAlone() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(1))
    let (depths, datagrams) = try Self.burst(pair, bytes: 60)
    #expect(depths == [0])
    #expect(datagrams[0].count < 60 + 92 + 20)
  }

  @Test func oneAfterTheOther() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(1))
    try pair.send(Self.text(0, 9000))
    var buffer = [UInt8](repeating: 0, count: 1400)
    let before = pair.client.statistics
    while let datagram = pair.poll(pair.client, &buffer) {
      let session = try #require(pair.server.sessions.values.first)
      #expect(session.trailer(of: datagram)?.depth == 0, "what is asked for by itself waits for nothing")
      pair.deliver(datagram, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
    }
    let after = pair.client.statistics
    #expect(after.signatures - before.signatures == after.datagramsSent - before.datagramsSent)
    pair.run(for: .seconds(1))
    #expect(pair.heard == [Self.text(0, 9000)])
  }

  @Test func aTickToManyPlayers() throws {
    let crowd = Crowd(20)
    #expect(crowd.sessions.count == 20)
    let before = crowd.server.statistics
    for i in 0..<20 { try crowd.tell(i, Self.text(i, 200)) }
    let datagrams = crowd.flush(crowd.server)
    let after = crowd.server.statistics
    #expect(datagrams.count == 20 && after.signatures - before.signatures == 5)
    // Each client verifies its own packet, and has seen no other of the tree.
    for datagram in datagrams { crowd.deliverToClient(datagram.bytes, datagram.to) }
    crowd.run(for: .seconds(1))
    for i in 0..<20 { #expect(crowd.heard(i) == [Self.text(i, 200)]) }
    #expect(crowd.server.statistics.dropped == 0 && crowd.clients.allSatisfy { $0.statistics.dropped == 0 })
  }

  @Test func sealedOnlyIsNotSigned() throws {
    var settings = ServerSettings(application: "test/1")
    settings.signingPolicy = .sealedOnly
    let pair = Pair(server: settings)
    pair.connect()
    try pair.send(Self.text(0, 50_000))
    pair.run(for: .seconds(3))
    #expect(pair.heard == [Self.text(0, 50_000)])
    #expect(pair.client.statistics.signatures == 0 && pair.server.statistics.signatures == 0)
  }

  // MARK: In the middle of a batch

  @Test("sessions are closed while others have packets in the same tree")
  func closing() throws {
    let crowd = Crowd(8)
    let sessions = crowd.sessions
    for i in 0..<8 { try crowd.tell(i, Self.text(i, 300)) }
    for i in [1, 4, 7] { crowd.server.close(sessions[i], code: .kicked, reason: "out", now: crowd.now) }
    let before = crowd.server.statistics.signatures
    let datagrams = crowd.flush(crowd.server)
    #expect(datagrams.count == 8 && crowd.server.statistics.signatures - before == 2)
    for datagram in datagrams { crowd.deliverToClient(datagram.bytes, datagram.to) }
    crowd.run(for: .seconds(5))
    for i in 0..<8 {
      let isOut = [1, 4, 7].contains(i)
      #expect(crowd.heard(i) == (isOut ? [] : [Self.text(i, 300)]))
      #expect(crowd.clients[i].isIdle == isOut)
    }
    #expect(crowd.server.sessions.count == 5)
    #expect(crowd.clients.allSatisfy { $0.statistics[.badSignature] == 0 && $0.statistics[.authenticationFailed] == 0 })
  }

  @Test("a session that has ended leaves nothing behind, and keeps no keys")
  func ending() throws {
    let crowd = Crowd(6)
    let sessions = crowd.sessions
    for i in 0..<6 { try crowd.tell(i, Self.text(i, 300)) }
    weak let gone = crowd.server.sessions[sessions[2]]
    gone?.state = .ended
    let datagrams = crowd.flush(crowd.server)
    #expect(datagrams.count == 5)
    #expect(gone == nil, "the batch that is over holds no session")
    #expect(crowd.server.context.pending.isEmpty && !crowd.server.context.pending.takesPackets)
    for datagram in datagrams { crowd.deliverToClient(datagram.bytes, datagram.to) }
    #expect(crowd.clients.allSatisfy { $0.statistics[.badSignature] == 0 })
  }

  @Test("keys are renewed in the middle of a flush, and each packet keeps those it was filled under")
  func renewal() throws {
    var configuration = RoamkeyConfiguration()
    configuration.keyUpdatePacketCount = 14
    let pair = Pair(configuration: configuration)
    pair.connect()
    pair.run(for: .seconds(1))
    let session = try #require(pair.client.session)
    var hasRenewedInside = false
    for i in 0..<40 {
      let before = (session.sendPhase.number, pair.client.statistics)
      try pair.send(Self.text(i, 9000))
      let datagrams = pair.flush(pair.client)
      let after = pair.client.statistics
      let isShared = after.signatures - before.1.signatures < after.datagramsSent - before.1.datagramsSent
      if isShared, session.sendPhase.number > before.0, datagrams.count > 6 { hasRenewedInside = true }
      for datagram in datagrams {
        pair.deliver(datagram, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
      }
      pair.run(for: .milliseconds(100))
    }
    #expect(hasRenewedInside, "the keys changed within a flush")
    #expect(pair.heard == (0..<40).map { Self.text($0, 9000) })
    #expect(pair.server.statistics.dropped == 0 && pair.client.statistics.dropped == 0)
  }

  @Test("a full batch completes its tree")
  func fullBatches() throws {
    let crowd = Crowd(3)
    for i in 0..<3 { for n in 0..<60 { try crowd.tell(i, Self.text(n, 3000)) } }
    crowd.run(for: .seconds(10))
    for i in 0..<3 { #expect(crowd.heard(i) == (0..<60).map { Self.text($0, 3000) }) }
    #expect(crowd.server.statistics.signatures * 2 < crowd.server.statistics.datagramsSent)
    #expect(crowd.server.statistics.dropped == 0 && crowd.clients.allSatisfy { $0.statistics.dropped == 0 })
  }

  // MARK: Packets of an exact size, and addresses that may be sent little

  @Test("a move in the middle of a transfer: padded to the base, probes to their size")
  func exactSizes() throws {
    let pair = Pair()
    var sizes: [Int] = []
    pair.toServer = {
      sizes.append($0.count)
      return $0
    }
    pair.connect()
    try pair.send(Self.text(0, 200_000))
    pair.run(for: .seconds(2))
    #expect(sizes.max() == 1400, "the probe had exactly the size that it tried")
    let session = try #require(pair.client.session)
    #expect(session.mtu.current == 1400)
    sizes = []
    pair.clientAddress = NetworkAddress(ipv4: 203, 0, 113, 9, port: 6000)
    pair.client.localAddressChanged(from: .any(port: 5000), to: .any(port: 6000), now: pair.now)
    try pair.send(Self.text(1, 100_000))
    pair.run(for: .seconds(3))
    #expect(pair.heard == [Self.text(0, 200_000), Self.text(1, 100_000)])
    #expect(sizes.contains(1200), "the news of a move is padded to the base")
    #expect(sizes.allSatisfy { $0 <= 1400 })
    #expect(pair.server.statistics.dropped == 0)
  }
}
