import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §10.1: what is never sent again is acknowledged without hurry, in the company of what leaves anyway.
struct PatientTests {
  private static func at(_ milliseconds: Int) -> Instant {
    Instant(nanoseconds: 0) + .milliseconds(milliseconds)
  }

  // MARK: The receiver

  private static func received() -> ReceivedPackets {
    ReceivedPackets(maximumAckDelay: .milliseconds(25), patientAckDelay: .milliseconds(60), ackElicitingThreshold: 2)
  }

  @Test func itsAcknowledgementWaits() {
    var received = Self.received()
    for number in 0..<9 {
      received.record(UInt64(number), ackEliciting: true, isPatient: true, now: Self.at(number))
      #expect(received.ackTimer == Self.at(60))
    }
    received.record(9, ackEliciting: true, isPatient: true, now: Self.at(9))
    #expect(received.ackTimer == Self.at(9), "the tenth")
    received.ackSent(isAlone: true, now: Self.at(9))
    #expect(received.ackTimer == nil)
    received.record(10, ackEliciting: true, isPatient: true, now: Self.at(20))
    #expect(received.ackTimer == Self.at(80), "counted anew")
  }

  @Test func whatIsInAHurryIsNotHeldUp() {
    var received = Self.received()
    received.record(0, ackEliciting: true, isPatient: true, now: Self.at(0))
    received.record(1, ackEliciting: true, now: Self.at(10))
    #expect(received.ackTimer == Self.at(35))
    received.record(2, ackEliciting: true, now: Self.at(11))
    #expect(received.ackTimer == Self.at(11), "the second of those that are sent again")
    received.ackSent(isAlone: true, now: Self.at(11))
    // What is missing may be in a hurry.
    received.record(4, ackEliciting: true, isPatient: true, now: Self.at(20))
    #expect(received.ackTimer == Self.at(20))
  }

  // MARK: The sender

  private static func session(_ silence: Silence, _ promised: Int) -> Instant? {
    silence.believedFrom(patience: .milliseconds(promised), answerTime: .milliseconds(promised - 25))
  }

  @Test func theSilenceAfterItBeginsLater() {
    var silence = Silence()
    func sendPatient(_ time: Int) {
      silence.onSent(answerDelay: .milliseconds(60), beyondPromised: .milliseconds(35), now: Self.at(time))
    }
    sendPatient(0)
    #expect(!silence.lasts(.milliseconds(40), now: Self.at(74)) && silence.lasts(.milliseconds(40), now: Self.at(75)))
    sendPatient(20)
    #expect(Self.session(silence, 40) == Self.at(95), "the answer to the second may come so late")
    // One that is answered sooner is missed sooner; the first of the three counts for nothing until its time.
    silence.end()
    sendPatient(0)
    silence.onSent(now: Self.at(10))
    #expect(silence.lasts(.milliseconds(40), now: Self.at(50)))
    #expect(Self.session(silence, 40) == Self.at(75))
    silence.onAnswer(isAwaiting: true, beyondPromised: .milliseconds(35), now: Self.at(100))
    #expect(silence.start == Self.at(135))
  }

  /// Two players who only tell where they are, twenty times a second.
  private static func play(_ delivery: Delivery, for ticks: Int = 40) throws -> (pair: Pair, packets: [UInt64]) {
    var configuration = RoamkeyConfiguration()
    configuration.maximumPacketSize = 1200
    let pair = Pair(configuration: configuration)
    pair.connect()
    pair.run(for: .seconds(3))
    let handle = try #require(pair.session)
    func sent() throws -> [UInt64] {
      [
        try #require(pair.client.session).counters.packetsSent,
        try #require(pair.server.sessions[handle]).counters.packetsSent,
      ]
    }
    // There is somewhere to search, should anybody be missed.
    try #require(pair.client.session).search.doors = [NetworkAddress(ipv4: 10, 0, 0, 1, port: 5001)]
    let before = try sent()
    let content = MessageContent(format: .bytes, action: "", body: [1, 2, 3]).encoded()
    for _ in 0..<ticks {
      try pair.client.send(content, MessageOptions(delivery: delivery), now: pair.now)
      pair.run(for: .milliseconds(30))
      try pair.server.send(content, MessageOptions(delivery: delivery), to: handle, now: pair.now)
      pair.run(for: .milliseconds(20))
    }
    return (pair, zip(try sent(), before).map { $0 - $1 })
  }

  @Test(arguments: [Delivery.unreliable, .latest]) func nothingLeavesButMessages(_ delivery: Delivery) throws {
    let (pair, packets) = try Self.play(delivery)
    // A question about the clock now and then answers for itself.
    #expect(packets.allSatisfy { (40...44).contains($0) }, "\(packets)")
    let session = try #require(pair.client.session)
    #expect(session.probeCount == 0 && session.counters.packetsLost == 0)
    #expect(session.rtt.smoothed < .milliseconds(5), "the delay was taken off: \(session.rtt.smoothed)")
  }

  /// Who speaks alone gets an acknowledgement every 60 ms. That one of them is lost is no reason to look elsewhere.
  @Test(arguments: [1, 3]) func aLostAcknowledgementIsNoSilence(_ lost: Int) throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(3))
    let session = try #require(pair.client.session)
    session.search.doors = [NetworkAddress(ipv4: 10, 0, 0, 1, port: 5001)]
    let content = MessageContent(format: .bytes, action: "", body: [1, 2, 3]).encoded()
    var toLose = 0
    pair.toClient = { datagram in
      toLose -= 1
      return toLose >= 0 ? nil : datagram
    }
    var searches = 0
    for tick in 0..<100 {
      if tick % 20 == 10 { toLose = lost }
      try pair.client.send(content, MessageOptions(delivery: .latest), now: pair.now)
      pair.run(for: .milliseconds(33))
      if session.search.nextTimeout != nil { searches += 1 }
    }
    // After three in a row it is one.
    #expect(lost == 1 ? searches == 0 : searches > 0)
  }

  /// The same where the rule does not hold: else the test above would show nothing.
  @Test func whatIsReliableIsAcknowledgedSooner() throws {
    let (_, packets) = try Self.play(.reliableOrdered)
    #expect(packets[0] + packets[1] >= 110, "\(packets)")
  }

  /// The last packets of somebody who has fallen silent are answered by themselves.
  @Test func itIsAcknowledgedAllTheSame() throws {
    let pair = Pair()
    pair.connect()
    let content = MessageContent(format: .bytes, action: "", body: [1, 2, 3]).encoded()
    // From the first one on clocks are compared for a while: packets that would take an acknowledgement along.
    try pair.client.send(content, MessageOptions(delivery: .unreliable), now: pair.now)
    pair.run(for: .seconds(3))
    try pair.client.send(content, MessageOptions(delivery: .unreliable), now: pair.now)
    pair.run(for: .milliseconds(59))
    let session = try #require(pair.client.session)
    #expect(session.sent.hasAckElicitingInFlight)
    pair.run(for: .milliseconds(2))
    #expect(!session.sent.hasAckElicitingInFlight && session.probeCount == 0)
  }

  /// A lost one is asked after, by something that is answered at once.
  @Test func aProbeIsNotPatient() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(3))
    let content = MessageContent(format: .bytes, action: "", body: [1, 2, 3]).encoded()
    pair.toServer = { _ in nil }
    try pair.client.send(content, MessageOptions(delivery: .unreliable), now: pair.now)
    pair.exchange()
    pair.toServer = { $0 }
    let session = try #require(pair.client.session)
    pair.run(for: session.rtt.probeTimeout(maximumAckDelay: .milliseconds(60)) - .milliseconds(1))
    #expect(session.probeCount == 0 && session.sent.hasAckElicitingInFlight)
    pair.run(for: .milliseconds(40))
    #expect(!session.sent.hasAckElicitingInFlight)
  }
}
