import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// What a peer with good keys may not do to the other side, and what must hold at the edges of a session's life.
struct HostilePeerTests {
  /// A packet of the server's session with frames of the test's choice.
  static func packet(
    of session: Session, now: Instant, _ frames: (inout OutputRawSpan) -> Void
  ) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1400)
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      let packet = session.beginPacket(into: &output, size: 1200)
      frames(&output)
      session.finishPacket(
        packet, into: &output, isAckEliciting: false, isPadded: false, remote: session.peerAddress, now: now)
      return output.finalize(for: bytes)
    }
    return Array(buffer[..<count])
  }

  /// PROTOCOL §5.3, §7: answers that are never acknowledged must not pile up.
  @Test func challengesWithoutEnd() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(1))
    let session = try #require(pair.server.sessions.values.first)
    let before = pair.client.statistics.datagramsSent
    pair.toServer = { _ in nil }
    for round in 0..<1500 {
      let packet = Self.packet(of: session, now: pair.now) { output in
        for i in 0..<4 { output.appendPathChallenge(UInt64(4 * round + i)) }
      }
      pair.deliver(packet, to: pair.client, local: pair.clientAddress, remote: pair.serverAddress)
      pair.exchange()
    }
    let sent = pair.client.statistics.datagramsSent - before
    #expect(sent > 1000, "challenges are answered")
    #expect(sent <= 4 * 1500 + 1500, "each is answered once")
    let remembered = try #require(pair.client.session).sent.trackedPackets
    #expect(remembered <= 256, "nothing depends on an answer")
  }

  /// A client whose patience for silence is shorter than that for the handshake.
  @Test func aClientThatIsNeverConfirmedIsTold() {
    var configuration = RoamkeyConfiguration()
    configuration.keepAliveInterval = .milliseconds(200)
    configuration.missesUntilOffline = 2
    configuration.offlineLimit = .seconds(1)
    let pair = Pair(configuration: configuration)
    pair.toServer = { $0[0] == HandshakeKind.hello.rawValue ? $0 : nil }
    pair.connect()
    pair.run(for: .seconds(30))
    let failures = pair.clientEvents.filter { if case .connectFailed(.noAnswer) = $0 { true } else { false } }
    // It is looked for meanwhile, and nothing else is told.
    let others = pair.clientEvents.filter { if case .searching = $0 { false } else { true } }
    #expect(failures.count == 1 && others.count == 1, "\(pair.clientEvents)")
    #expect(pair.client.isIdle && pair.client.nextTimeout == nil)
  }

  /// PROTOCOL §9.5: what was taken is granted before a sender needs it, however small the window.
  @Test func theLongestMessageAfterAShortOne() throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = 100_000
    configuration.receiveCredit = 1
    let pair = Pair(configuration: configuration)
    pair.connect()
    let texts = [20_000, 100_000, 30_000, 100_000, 100_000].map { String(repeating: "x", count: $0) }
    for text in texts {
      try pair.send(text)
      var taken = 0
      for _ in 0..<20 {
        pair.run(for: .milliseconds(200))
        for case .message(let handle, let message) in pair.serverEvents.dropFirst(taken) {
          pair.server.consumed(message.credit, of: handle, now: pair.now)
        }
        taken = pair.serverEvents.count
      }
      pair.serverEvents = pair.serverEvents.filter { if case .message = $0 { true } else { false } }
      #expect(pair.heard == [text], "a message of \(text.count) bytes")
      pair.serverEvents = []
    }
  }

  /// The newcomer was half in when the server stopped.
  @Test func aFinishAfterShutdown() {
    let pair = Pair()
    var finish: [UInt8]?
    pair.toServer = { datagram in
      guard datagram[0] == HandshakeKind.finish.rawValue else { return datagram }
      finish = datagram
      return nil
    }
    pair.connect()
    pair.server.shutdown(now: pair.now)
    pair.deliver(finish, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
    pair.exchange()
    #expect(finish != nil && pair.serverEvents.isEmpty && pair.server.sessions.isEmpty)
    #expect(pair.server.isIdle)
  }

  /// `left` is the last word about a session.
  @Test func nothingAfterTheEnd() throws {
    var configuration = RoamkeyConfiguration()
    configuration.keepAliveInterval = .milliseconds(200)
    let pair = Pair(configuration: configuration)
    pair.connect()
    pair.toServer = { _ in nil }
    pair.run(for: .seconds(3))
    #expect(pair.serverEvents.contains { if case .offline = $0 { true } else { false } })
    try pair.server.close(#require(pair.session), code: .kicked, reason: "", now: pair.now)
    pair.toServer = { $0 }
    pair.toClient = { _ in nil }
    try pair.send("late")
    pair.exchange()
    guard case .left = try #require(pair.serverEvents.last) else {
      Issue.record("\(pair.serverEvents)")
      return
    }
  }

  /// "No limit" is a number like others.
  @Test func limitsWithoutLimit() throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = .max
    configuration.maximumSessions = .max
    configuration.maximumMessageSize = .max
    configuration.sendQueueLimit = .max
    configuration.receiveCredit = .max
    let pair = Pair(configuration: configuration)
    pair.connect()
    try pair.send("hello")
    pair.run(for: .seconds(1))
    #expect(pair.heard == ["hello"])
  }

  /// PROTOCOL §5.2: packets that came from elsewhere give no budget to the address of the Finish.
  @Test func packetsBeforeAForwardedFinish() throws {
    let pair = Pair()
    var finish: [UInt8] = []
    pair.toServer = { datagram in
      guard datagram[0] == HandshakeKind.finish.rawValue else { return datagram }
      finish = datagram
      return nil
    }
    pair.connect()
    #expect(pair.server.statistics[.unknownConnection] == 0, "the client's ping waits for its Finish")
    let victim = NetworkAddress(ipv4: 203, 0, 113, 9, port: 9)
    pair.deliver(finish, to: pair.server, local: pair.serverAddress, remote: victim)
    let handle = try #require(pair.session)
    let content = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 1, count: 50_000))
    try pair.server.send(content.encoded(), to: handle, now: pair.now)
    var sent = 0
    for _ in 0..<200 {
      sent += pair.sentByServer(to: victim)
      pair.now = pair.now + .milliseconds(50)
      pair.server.handleTimeout(now: pair.now)
    }
    #expect(sent <= 3 * finish.count, "\(sent) bytes for \(finish.count)")
  }
}

extension Pair {
  /// Bytes that the server sends to one address now; what goes elsewhere is lost.
  func sentByServer(to address: NetworkAddress) -> Int {
    RoamkeyEngineTests.flush(server, now: now).reduce(0) { $1.to == address ? $0 + $1.bytes.count : $0 }
  }
}
