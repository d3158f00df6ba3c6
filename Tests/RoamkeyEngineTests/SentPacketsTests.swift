import RoamkeyEngine
import Testing

/// A sender and its estimates, with the arrays that a session would reuse.
struct SenderUnderTest {
  static let maximumAckDelay = Duration.milliseconds(25)

  var sent = SentPackets<Int>()
  var rtt = RTTEstimator()
  var acked: [Int] = []
  var lost: [Int] = []

  /// A sender with an RTT of 100 ms, learnt from packet 0 at 100 ms.
  static func warm() throws(AckError) -> SenderUnderTest {
    var sender = SenderUnderTest()
    sender.send(at: at(0))
    _ = try sender.receiveAck(0...0, at: at(100))
    sender.acked = []
    return sender
  }

  /// Sends a data packet whose frames are its number and its number plus 1000.
  @discardableResult
  mutating func send(at now: Instant, size: Int = 1200, isMTUProbe: Bool = false) -> UInt64 {
    let number = sent.takePacketNumber()
    sent.record(
      packetNumber: number, size: size, ackEliciting: true, inFlight: true, isMTUProbe: isMTUProbe, now: now,
      frames: [Int(number), Int(number) + 1000])
    return number
  }

  /// Sends a bare acknowledgement.
  mutating func sendQuiet(at now: Instant) {
    let number = sent.takePacketNumber()
    sent.record(packetNumber: number, size: 40, ackEliciting: false, inFlight: false, now: now, frames: [Int(number)])
  }

  mutating func receiveAck(
    _ ranges: ClosedRange<UInt64>..., at now: Instant, recoveryStart: Instant? = nil
  ) throws(AckError) -> AckOutcome {
    sent.beginAck(now: now, recoveryStart: recoveryStart)
    for range in ranges { try sent.acknowledge(range, into: &acked) }
    let outcome = sent.endAck()
    if let sample = outcome.rttSample {
      rtt.update(latest: sample, ackDelay: .zero, maximumAckDelay: Self.maximumAckDelay)
    }
    return outcome
  }

  mutating func detectLosses(at now: Instant, largerThan size: Int = .max) -> LossOutcome {
    sent.detectLosses(
      now: now, rtt: rtt, maximumAckDelay: Self.maximumAckDelay, largerThan: size, into: &lost)
  }
}

@Suite("Sent packets and their acknowledgement, RFC 9002 A.7")
struct SentPacketsTests {
  @Test("PROTOCOL §3: numbers from 0, each once, also when nothing is sent")
  func numbers() {
    var sent = SentPackets<Int>()
    #expect(sent.nextPacketNumber == 0)
    let first = sent.takePacketNumber()
    sent.begin(packetNumber: first)
    sent.append(1)
    sent.discard()
    #expect(first == 0 && sent.takePacketNumber() == 1)
    #expect(sent.bytesInFlight == 0 && !sent.hasAckElicitingInFlight)
  }

  @Test("Frames come back once, bytes leave the flight, the RTT is measured")
  func acknowledged() throws {
    var sender = SenderUnderTest()
    for i in 0..<3 as Range<Int64> { sender.send(at: at(i)) }
    #expect(sender.sent.bytesInFlight == 3600)
    #expect(sender.sent.lastAckElicitingSent == at(2))
    let outcome = try sender.receiveAck(0...2, at: at(52))
    #expect(sender.acked == [0, 1000, 1, 1001, 2, 1002])
    #expect(outcome.newlyAckedPackets == 3 && outcome.newlyAckedBytes == 3600 && outcome.anyAckEliciting)
    #expect(outcome.largestNewlyAcked?.packetNumber == 2)
    #expect(outcome.rttSample == .milliseconds(50))
    #expect(sender.sent.bytesInFlight == 0 && !sender.sent.hasAckElicitingInFlight)
    #expect(sender.sent.largestAcknowledged == 2)
    let again = try sender.receiveAck(0...2, at: at(60))
    #expect(sender.acked.count == 6)
    #expect(again.newlyAckedPackets == 0 && again.rttSample == nil)
  }

  @Test("RFC 9002 §5.1: no sample unless the largest is new and something was ack-eliciting")
  func noSample() throws {
    var sender = SenderUnderTest()
    sender.send(at: at(0))
    sender.send(at: at(1))
    sender.sendQuiet(at: at(2))
    #expect(try sender.receiveAck(2...2, at: at(50)).rttSample == nil)
    let older = try sender.receiveAck(2...2, 0...0, at: at(60))
    #expect(older.newlyAckedPackets == 1 && older.rttSample == nil)
  }

  @Test("RFC 9000 §13.1: acknowledging what was never sent is refused, the honest rest is not")
  func optimistic() throws {
    var sender = SenderUnderTest()
    sender.send(at: at(0))
    #expect(throws: AckError.acknowledgesUnsent) { try sender.receiveAck(0...1, at: at(1)) }
    #expect(throws: AckError.acknowledgesUnsent) { try sender.receiveAck(0 ... .max, at: at(1)) }
    #expect(try sender.receiveAck(0...0, at: at(1)).newlyAckedPackets == 1)
  }

  @Test("RFC 9000 §21.4: a number left out is a trap for a peer that acknowledges unseen packets")
  func skipped() throws {
    var sender = SenderUnderTest()
    sender.send(at: at(0))
    sender.sent.skipPacketNumber(now: at(0))
    for _ in 2..<8 { sender.send(at: at(1)) }
    #expect(try sender.receiveAck(2...7, 0...0, at: at(50)).newlyAckedPackets == 7)
    let losses = sender.detectLosses(at: at(51))
    #expect(losses.lostPackets == 0 && sender.lost.isEmpty)
    #expect(throws: AckError.acknowledgesUnsent) { try sender.receiveAck(0...7, at: at(60)) }
  }

  @Test("RFC 9000 §19.3.1: ranges descend; overlapping ones would cost more than they say")
  func descending() {
    var sender = SenderUnderTest()
    for _ in 0..<9 { sender.send(at: at(0)) }
    #expect(throws: AckError.rangesNotDescending) { try sender.receiveAck(5...8, 0...5, at: at(1)) }
  }

  @Test("RFC 9002 §7.3.2: only what was sent after recovery began widens the window")
  func recoveryBytes() throws {
    var sender = SenderUnderTest()
    for i in 0..<4 as Range<Int64> { sender.send(at: at(10 * i)) }
    let outcome = try sender.receiveAck(0...3, at: at(80), recoveryStart: at(10))
    #expect(outcome.newlyAckedBytes == 4800 && outcome.congestionBytes == 2400)
  }

  @Test("RFC 9002 §6.2.4: probes repeat the oldest unacknowledged frames, which stay in flight")
  func probes() throws {
    var sender = SenderUnderTest()
    sender.sendQuiet(at: at(0))
    for i in 1..<4 as Range<Int64> { sender.send(at: at(i)) }
    _ = try sender.receiveAck(1...1, at: at(50))
    var frames: [Int] = []
    #expect(sender.sent.oldestUnacknowledged(into: &frames) == 2)
    #expect(frames == [2, 1002])
    #expect(sender.sent.oldestUnacknowledged(after: 2, into: &frames) == 3)
    #expect(sender.sent.oldestUnacknowledged(after: 3, into: &frames) == nil)
    #expect(sender.sent.bytesInFlight == 2400)
    _ = try sender.receiveAck(1...3, at: at(500))
    #expect(sender.acked == [1, 1001, 2, 1002, 3, 1003])
  }

  @Test("PROTOCOL §5: a new IP hands everything back without a verdict, and late acknowledgements still count")
  func abandoned() throws {
    var sender = SenderUnderTest()
    for i in 0..<4 as Range<Int64> { sender.send(at: at(i)) }
    _ = try sender.receiveAck(1...1, at: at(50))
    sender.sent.abandonAll(now: at(60), into: &sender.lost)
    #expect(sender.lost == [0, 1000, 2, 1002, 3, 1003])
    #expect(sender.sent.bytesInFlight == 0 && !sender.sent.hasAckElicitingInFlight)
    #expect(sender.sent.lossTime == nil && sender.sent.lastAckElicitingSent == nil)
    sender.acked = []
    let late = try sender.receiveAck(0...3, at: at(70))
    #expect(sender.acked == [0, 1000, 2, 1002, 3, 1003])
    #expect(late.newlyAckedBytes == 0 && late.rttSample == nil && late.spuriousLosses == 0)
    #expect(sender.detectLosses(at: at(80)).lostPackets == 0)
  }
}
