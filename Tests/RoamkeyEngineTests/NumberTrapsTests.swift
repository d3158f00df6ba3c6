import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Numbers that are left out, for peers that acknowledge what they have not received (RFC 9000 §21.4).
@Suite struct NumberTrapsTests {
  /// Bytes from each trap to the next, for a sender of packets of `size` bytes.
  private static func distances(_ count: Int, session: UInt64, key: SipHash.Key, size: Int = 1) -> [Int] {
    var traps = NumberTraps(session: session, key: key)
    return (0..<count).map { _ in
      var bytes = 0
      while !traps.isDue {
        traps.onSent(bytes: size)
        bytes += size
      }
      traps.onLaid(session: session, key: key)
      return bytes
    }
  }

  /// The limits double up to the last; what is drawn is spread over all of them.
  @Test func limits() {
    let limits = (0..<7).map { min(NumberTraps.firstLimit << $0, NumberTraps.lastLimit) }
    #expect(limits.first == 65_536 && limits.last == 1_048_576)
    var shares = [Int](repeating: 0, count: 8)
    for session in 0..<150 as Range<UInt64> {
      for (distance, limit) in zip(Self.distances(7, session: session, key: (1, 2), size: 16), limits) {
        #expect(distance > 0 && distance < limit + 16)
        shares[min(7, distance * 8 / limit)] += 1
      }
    }
    // 1050 draws: 131 in each eighth, give or take four standard deviations.
    #expect(shares.allSatisfy { (88...174).contains($0) }, "\(shares)")
  }

  /// Nobody foresees them who does not know the key, whatever sessions of its own it has.
  @Test func theyFollowFromSessionAndKey() {
    let first = Self.distances(4, session: 1, key: (1, 2), size: 64)
    #expect(first == Self.distances(4, session: 1, key: (1, 2), size: 64))
    #expect(first != Self.distances(4, session: 2, key: (1, 2), size: 64))
    #expect(first != Self.distances(4, session: 1, key: (1, 3), size: 64))
    #expect(first != Self.distances(4, session: 1, key: (3, 2), size: 64))
    // Two endpoints draw different keys.
    let pairs = [Pair(seed: 1), Pair(seed: 5)]
    #expect(Set(pairs.flatMap { [$0.server.context.trapKey.0, $0.client.context.trapKey.0] }).count == 4)
  }

  /// Nothing is left out before the peer has acknowledged something, however much is sent; then it is.
  @Test func aBeginningHasNone() throws {
    let pair = Pair()
    pair.connect()
    let session = try #require(pair.server.sessions.values.first)
    let acknowledged = session.sent.largestAcknowledged
    #expect(acknowledged != nil && session.sent.newestTrap == nil)
    let content = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 1, count: 900)).encoded()
    let fresh = try #require(Pair.unacknowledged(seed: 9))
    for _ in 0..<200 { try fresh.pair.server.send(content, to: fresh.session.handle, now: fresh.pair.now) }
    fresh.pair.run(for: .seconds(3))
    #expect(fresh.session.counters.packetsSent > 10)
    #expect(fresh.session.sent.largestAcknowledged == nil && fresh.session.sent.newestTrap == nil)
    fresh.pair.toServer = { $0 }
    fresh.pair.run(for: .seconds(5))
    #expect(fresh.session.sent.newestTrap != nil)
    #expect(Pair.texts(fresh.pair.clientEvents).count == 200)
  }

  /// A number that was left out counts neither for loss nor for reordering (RFC 9002 §6.1.1).
  @Test(arguments: 1...3) func aTrapIsNoPacket(behind place: Int) throws {
    var sender = try SenderUnderTest.warm()
    // 1, then three others, with a trap somewhere between; so the last is four numbers above, and three packets.
    for i in 0..<4 {
      if i == place { sender.sent.skipPacketNumber(now: at(200)) }
      sender.send(at: at(200))
    }
    let trap = UInt64(place) + 1
    let two = trap == 4 ? 3 : 4 as UInt64
    _ = try sender.receiveAck(two...two, at: at(290))
    #expect(sender.detectLosses(at: at(290)).lostPackets == 0, "two packets later")
    _ = try sender.receiveAck(5...5, at: at(291))
    #expect(sender.detectLosses(at: at(291)).lostPackets == 1, "three packets later")
    #expect(sender.lost == [1, 1001])
  }

  /// Losses around one make one run of persistent congestion, as if it were not there, and no loss of its own.
  @Test func persistentCongestion() throws {
    func outcome(trapped: Bool) throws -> LossOutcome {
      var sender = try SenderUnderTest.warm()
      sender.send(at: at(200))
      if trapped { sender.sent.skipPacketNumber(now: at(200)) }
      sender.send(at: at(1500))
      for _ in 0..<4 { sender.send(at: at(1600)) }
      let last = sender.sent.nextPacketNumber - 1
      _ = try sender.receiveAck(last...last, at: at(1700))
      return sender.detectLosses(at: at(1700))
    }
    let (plain, trapped) = (try outcome(trapped: false), try outcome(trapped: true))
    #expect(plain == trapped && plain.isPersistentCongestion && plain.lostPackets == 3)
  }

  /// The newest one is known when all records are gone, and older ones while something is open around them.
  @Test func theyAreRemembered() throws {
    var sender = try SenderUnderTest.warm()
    sender.send(at: at(200))
    sender.sent.skipPacketNumber(now: at(200))
    sender.send(at: at(200))
    sender.sent.skipPacketNumber(now: at(200))
    sender.send(at: at(200))
    #expect(throws: AckError.acknowledgesUnsent) {
      var liar = sender
      _ = try liar.receiveAck(1...3, at: at(290))
    }
    _ = try sender.receiveAck(5...5, 3...3, 0...1, at: at(300))
    _ = sender.detectLosses(at: at(300))
    sender.sent.releaseMemory()
    #expect(sender.sent.trackedPackets == 0)
    for i in 0..<400 as Range<Int64> { sender.sendQuiet(at: at(400 + i)) }
    #expect(throws: AckError.acknowledgesUnsent) { try sender.receiveAck(4...9, at: at(900)) }
    #expect(throws: AckError.acknowledgesUnsent) { try sender.receiveAck(4...4, at: at(900)) }
    #expect(try sender.receiveAck(5...9, at: at(900)).spuriousLosses == 0)
  }
}

extension Pair {
  /// A pair whose server has heard the Finish and nothing after it, so no acknowledgement.
  fileprivate static func unacknowledged(seed: UInt64) -> (pair: Pair, session: Session)? {
    let pair = Pair(seed: seed)
    pair.toServer = { $0[0] & 0x80 != 0 ? $0 : nil }
    pair.connect()
    return pair.server.sessions.values.first.map { (pair, $0) }
  }
}
