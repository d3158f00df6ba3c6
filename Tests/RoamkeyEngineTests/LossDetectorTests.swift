import RoamkeyEngine
import RoamkeySimulator
import Testing

@Suite("Loss detection, RFC 9002 §6.1 and §7.6")
struct LossDetectorTests {
  @Test("RFC 9002 §6.1.1: lost when a packet sent three later is acknowledged, not two")
  func packetThreshold() throws {
    var sender = try SenderUnderTest.warm()
    for _ in 1...5 { sender.send(at: at(200)) }
    _ = try sender.receiveAck(3...3, at: at(300))
    #expect(sender.detectLosses(at: at(300)).lostPackets == 0)
    _ = try sender.receiveAck(3...4, at: at(301))
    let outcome = sender.detectLosses(at: at(301))
    #expect(outcome.lostPackets == 1 && outcome.lostBytes == 1200 && outcome.newestLostSentAt == at(200))
    #expect(sender.lost == [1, 1001])
    #expect(sender.sent.bytesInFlight == 2400)  // 2 and 5
    #expect(sender.detectLosses(at: at(302)).lostPackets == 0)
  }

  @Test("RFC 9002 §6.1.2: an overtaken packet is lost after 9/8 of the RTT, and the timer says when")
  func timeThreshold() throws {
    var sender = try SenderUnderTest.warm()
    sender.send(at: at(200))
    sender.send(at: at(210))
    sender.send(at: at(211))
    _ = try sender.receiveAck(2...2, at: at(310))
    let early = sender.detectLosses(at: at(310))
    #expect(early.lostPackets == 0)
    let due = at(200) + .microseconds(112_500)
    #expect(early.nextLossTime == due && sender.sent.lossTime == due)
    let outcome = sender.detectLosses(at: due)
    #expect(outcome.lostPackets == 1 && sender.lost == [1, 1001])
    // Packet 3 was not overtaken: the probe timer's business.
    #expect(sender.sent.lossTime == nil)
    #expect(sender.detectLosses(at: at(10_000)).lostPackets == 0)
  }

  @Test("RFC 9002 §2: a bare acknowledgement is no congestion and sets no timer")
  func quietLoss() throws {
    var sender = try SenderUnderTest.warm()
    sender.sendQuiet(at: at(200))
    sender.send(at: at(200))
    _ = try sender.receiveAck(2...2, at: at(300))
    #expect(sender.detectLosses(at: at(300)).nextLossTime == nil)
    let outcome = sender.detectLosses(at: at(400))
    #expect(outcome.lostPackets == 1 && outcome.lostBytes == 0 && outcome.newestLostSentAt == nil)
  }

  @Test("RFC 9002 §6.2.1: without an acknowledgement nothing is lost, however old")
  func nothingOvertaken() throws {
    var sender = try SenderUnderTest.warm()
    for _ in 0..<10 { sender.send(at: at(200)) }
    let outcome = sender.detectLosses(at: at(60_000))
    #expect(outcome.lostPackets == 0 && outcome.nextLossTime == nil)
  }

  @Test("A late acknowledgement counts as spurious once, hands out the frames and is no RTT sample")
  func spurious() throws {
    var sender = try SenderUnderTest.warm()
    for _ in 1...4 { sender.send(at: at(200)) }
    _ = try sender.receiveAck(4...4, at: at(300))
    _ = sender.detectLosses(at: at(300))
    #expect(sender.lost == [1, 1001])
    sender.acked = []
    let late = try sender.receiveAck(4...4, 1...1, at: at(350))
    #expect(sender.acked == [1, 1001])
    #expect(late.spuriousLosses == 1 && late.newlyAckedPackets == 0 && late.rttSample == nil)
    #expect(try sender.receiveAck(4...4, 1...1, at: at(360)).spuriousLosses == 0)
    #expect(sender.sent.spuriousLosses == 1)
  }

  @Test("Lost packets are remembered for three probe timeouts, no longer")
  func lostRetention() throws {
    var sender = try SenderUnderTest.warm()
    for _ in 1...4 { sender.send(at: at(200)) }
    _ = try sender.receiveAck(4...4, at: at(300))
    _ = sender.detectLosses(at: at(300))
    sender.acked = []
    let timeout = sender.rtt.probeTimeout(maximumAckDelay: SenderUnderTest.maximumAckDelay)
    _ = sender.detectLosses(at: at(300) + timeout * 3 + .milliseconds(1))
    // Of 1 and 3, the first was lost long ago; 2 and 3 were lost just now.
    #expect(try sender.receiveAck(4...4, 1...3, at: at(5000)).spuriousLosses == 2)
    #expect(sender.acked == [2, 1002, 3, 1003])
  }

  @Test("RFC 9002 §7.6.2: losses that span three probe timeouts are persistent congestion")
  func persistent() throws {
    var sender = try SenderUnderTest.warm()
    let span = sender.rtt.probeTimeout(maximumAckDelay: SenderUnderTest.maximumAckDelay) * 3
    sender.send(at: at(200))
    sender.send(at: at(200) + span + .milliseconds(1))
    let end = at(200) + span + .milliseconds(500)
    for _ in 0..<3 { sender.send(at: end) }
    _ = try sender.receiveAck(5...5, at: end + .milliseconds(100))
    let outcome = sender.detectLosses(at: end + .milliseconds(100))
    #expect(outcome.lostPackets == 2 && outcome.isPersistentCongestion)
  }

  @Test("RFC 9002 §7.6.2: not when one between got through, nor before the first RTT sample")
  func notPersistent() throws {
    var sender = try SenderUnderTest.warm()
    for i in 0..<3 as Range<Int64> { sender.send(at: at(200 + 2000 * i)) }
    for _ in 0..<3 { sender.send(at: at(4300)) }
    _ = try sender.receiveAck(6...6, 2...2, at: at(4400))
    let interrupted = sender.detectLosses(at: at(4400))
    #expect(interrupted.lostPackets == 2 && !interrupted.isPersistentCongestion)

    var cold = SenderUnderTest()
    for i in 0..<5 as Range<Int64> { cold.send(at: at(5000 * i)) }
    _ = try cold.receiveAck(4...4, at: at(20_100))
    let unmeasured = cold.detectLosses(at: at(20_100))
    #expect(unmeasured.lostPackets == 4 && !unmeasured.isPersistentCongestion)
  }

  @Test(
    "Every frame is acknowledged or lost in the end, and nothing stays in flight", arguments: ReliabilityRandom.seeds)
  func everyFrameIsSettled(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var sender = SenderUnderTest()
    var received = ReceivedPackets(maximumAckDelay: .milliseconds(25), ackElicitingThreshold: 2)
    var now = at(0)
    for step in 0..<900 {
      now = now + .milliseconds(5)
      let number = sender.send(at: now)
      let isDelivered = random.next() % 10 != 0 || step >= 890
      if isDelivered { received.record(number, ackEliciting: true, now: now) }
      guard received.isAckDue(now: now) && random.next() % 4 != 0 || step >= 890 else { continue }
      now = now + .milliseconds(Int64(random.next() % 60))
      sender.sent.beginAck(now: now)
      for i in 0..<received.rangeCount { try sender.sent.acknowledge(received.range(i), into: &sender.acked) }
      received.ackSent(isAlone: false, now: now)
      if let sample = sender.sent.endAck().rttSample {
        sender.rtt.update(latest: sample, ackDelay: .zero, maximumAckDelay: .milliseconds(25))
      }
      _ = sender.detectLosses(at: now)
    }
    _ = sender.detectLosses(at: now + .seconds(60))
    #expect(sender.sent.bytesInFlight == 0 && !sender.sent.hasAckElicitingInFlight)
    #expect(Set(sender.acked).count == sender.acked.count, "no frame is acknowledged twice")
    #expect(Set(sender.lost).count == sender.lost.count, "no frame is lost twice")
    #expect(Set(sender.acked).union(sender.lost).count == 1800)
  }
}

@Suite("Bounded memory of sent packets")
struct SentPacketsBoundsTests {
  @Test("A peer that acknowledges nothing: the sender sees that there is no room left")
  func silentPeer() {
    var sender = SenderUnderTest()
    while sender.sent.hasRoom { sender.send(at: at(0)) }
    #expect(sender.sent.nextPacketNumber == UInt64(SentPackets<Int>.maximumOutstanding))
    // Bare acknowledgements go on, unremembered.
    for _ in 0..<10_000 { sender.sendQuiet(at: at(1)) }
    #expect(sender.sent.trackedPackets == SentPackets<Int>.maximumOutstanding)
  }

  @Test("A peer that only talks: our bare acknowledgements do not pile up")
  func talkingPeer() {
    var sender = SenderUnderTest()
    for _ in 0..<100_000 { sender.sendQuiet(at: at(0)) }
    #expect(sender.sent.trackedPackets <= 256)
    #expect(sender.sent.bytesInFlight == 0)
  }

  @Test("A peer that acknowledges every other packet: what it loses is remembered only up to a bound")
  func alternatingPeer() throws {
    var sender = SenderUnderTest()
    for i in 0..<50_000 as Range<UInt64> {
      sender.send(at: at(Int64(i)))
      if i % 2 == 1 {
        _ = try sender.receiveAck(i...i, at: at(Int64(i)))
        _ = sender.detectLosses(at: at(Int64(i)))
        sender.lost.removeAll(keepingCapacity: true)
        sender.acked.removeAll(keepingCapacity: true)
      }
    }
    #expect(sender.sent.trackedPackets <= 256 + 4)
    #expect(sender.sent.bytesInFlight <= 4 * 1200)
  }
}
