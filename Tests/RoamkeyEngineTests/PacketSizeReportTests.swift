import RoamkeyEngine
import Testing

@Suite("What acknowledgements and losses say of packet sizes, RFC 8899")
struct PacketSizeReportTests {
  @Test("RFC 9000 §14.4: the loss of an MTU probe is no congestion; its frames come back all the same")
  func lostProbe() throws {
    for isProbe in [true, false] {
      var sender = try SenderUnderTest.warm()
      sender.send(at: at(200), size: 1400, isMTUProbe: isProbe)
      for _ in 0..<3 { sender.send(at: at(200)) }
      _ = try sender.receiveAck(2...4, at: at(300))
      let outcome = sender.detectLosses(at: at(300))
      #expect(outcome.lostProbeSize == (isProbe ? 1400 : nil))
      #expect(outcome.lostPackets == (isProbe ? 0 : 1) && outcome.lostBytes == (isProbe ? 0 : 1400))
      #expect(outcome.newestLostSentAt == (isProbe ? nil : at(200)))
      #expect(sender.lost == [1, 1001])
      #expect(sender.sent.bytesInFlight == 0 && !sender.sent.hasAckElicitingInFlight)
    }
  }

  @Test("An overtaken probe has a timer like any packet: its verdict does not wait for more to be sent")
  func overtakenProbe() throws {
    var sender = try SenderUnderTest.warm()
    sender.send(at: at(200), size: 1400, isMTUProbe: true)
    sender.send(at: at(200))
    _ = try sender.receiveAck(2...2, at: at(300))
    #expect(sender.detectLosses(at: at(300)).lostProbeSize == nil)
    let due = at(200) + .microseconds(112_500)
    #expect(sender.sent.lossTime == due)
    #expect(sender.detectLosses(at: due).lostProbeSize == 1400)
  }

  @Test("RFC 9002 §7.6.2: lost probes neither make nor break a run of persistent congestion")
  func persistentCongestion() throws {
    for (probes, expected) in [([true, false, true], false), ([false, true, false], true)] {
      var sender = try SenderUnderTest.warm()
      let span = sender.rtt.probeTimeout(maximumAckDelay: SenderUnderTest.maximumAckDelay) * 3 + .milliseconds(1)
      sender.send(at: at(200), isMTUProbe: probes[0])
      sender.send(at: at(210), isMTUProbe: probes[1])
      sender.send(at: at(200) + span, isMTUProbe: probes[2])
      let end = at(200) + span + .milliseconds(500)
      for _ in 0..<3 { sender.send(at: end) }
      _ = try sender.receiveAck(6...6, at: end + .milliseconds(100))
      let outcome = sender.detectLosses(at: end + .milliseconds(100))
      #expect(outcome.lostPackets == probes.count { !$0 })
      #expect(outcome.isPersistentCongestion == expected)
    }
  }

  @Test("An acknowledged probe reports its size, and is a packet like any other")
  func ackedProbe() throws {
    var sender = try SenderUnderTest.warm()
    sender.send(at: at(200), size: 1400, isMTUProbe: true)
    sender.send(at: at(200))
    let outcome = try sender.receiveAck(1...2, at: at(300))
    #expect(outcome.ackedProbeSize == 1400 && outcome.largestAckedSize == 1400)
    #expect(outcome.newlyAckedPackets == 2 && outcome.newlyAckedBytes == 2600)
    #expect(outcome.rttSample == .milliseconds(100))
    let again = try sender.receiveAck(1...2, at: at(310))
    #expect(again.ackedProbeSize == nil && again.largestAckedSize == 0)
  }

  @Test("Two probes in one acknowledgement: the newest is reported, whichever range it is in")
  func twoProbes() throws {
    for gap in [true, false] {
      var sender = try SenderUnderTest.warm()
      sender.send(at: at(200), size: 1400, isMTUProbe: true)
      sender.send(at: at(200))
      sender.send(at: at(250), size: 1300, isMTUProbe: true)
      let outcome = gap ? try sender.receiveAck(3...3, 1...1, at: at(350)) : try sender.receiveAck(1...3, at: at(350))
      #expect(outcome.ackedProbeSize == 1300)
    }
  }

  @Test("A probe that arrives after all was deemed lost: no spurious loss, since its loss was not counted")
  func lateProbe() throws {
    var sender = try SenderUnderTest.warm()
    sender.send(at: at(200), size: 1400, isMTUProbe: true)
    for _ in 0..<3 { sender.send(at: at(200)) }
    _ = try sender.receiveAck(2...4, at: at(300))
    _ = sender.detectLosses(at: at(300))
    let late = try sender.receiveAck(1...4, at: at(310))
    #expect(late.spuriousLosses == 0 && late.ackedProbeSize == nil)
    #expect(late.largestAckedSize == 1400, "so large a packet passes")
  }

  @Test("The largest size acknowledged, of whatever was acknowledged just now")
  func largestAckedSize() throws {
    var sender = try SenderUnderTest.warm()
    for size in [300, 1300, 40] { sender.send(at: at(200), size: size) }
    #expect(try sender.receiveAck(3...3, 1...1, at: at(300)).largestAckedSize == 300)
    #expect(try sender.receiveAck(1...3, at: at(301)).largestAckedSize == 1300)
  }

  @Test("PROTOCOL §5: what arrived on the path of before says nothing of this one")
  func abandonedSize() throws {
    var sender = try SenderUnderTest.warm()
    sender.send(at: at(200), size: 1400, isMTUProbe: true)
    sender.send(at: at(200), size: 1400)
    sender.sent.abandonAll(now: at(250), into: &sender.lost)
    let late = try sender.receiveAck(1...2, at: at(300))
    #expect(late.largestAckedSize == 0 && late.ackedProbeSize == nil)
  }

  @Test("RFC 8899 §4.3: lost packets above a size: how many, the smallest, the newest")
  func large() throws {
    var sender = try SenderUnderTest.warm()
    for (i, size) in [1200, 1400, 1201, 1300, 1200].enumerated() { sender.send(at: at(200 + Int64(i)), size: size) }
    sender.send(at: at(205), size: 1400, isMTUProbe: true)
    for _ in 0..<3 { sender.send(at: at(206)) }
    _ = try sender.receiveAck(7...9, at: at(310))
    let outcome = sender.detectLosses(at: at(310), largerThan: 1200)
    #expect(outcome.lostPackets == 5 && outcome.lostProbeSize == 1400)
    #expect(outcome.large?.count == 3 && outcome.large?.smallestSize == 1201)
    #expect(outcome.large?.newestSentAt == at(203))
  }

  @Test("Nothing above the size, nothing reported")
  func nothingLarge() throws {
    var sender = try SenderUnderTest.warm()
    for _ in 0..<4 { sender.send(at: at(200)) }
    _ = try sender.receiveAck(4...4, at: at(300))
    let outcome = sender.detectLosses(at: at(300), largerThan: 1200)
    #expect(outcome.lostPackets == 1 && outcome.large == nil)
  }
}
