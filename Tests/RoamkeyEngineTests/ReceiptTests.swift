import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §9.7: exactly one outcome for each message whose sender asked.
struct ReceiptTests {
  private typealias Tools = ChannelTests
  private static let start = ChannelTests.start

  private static func enqueue(_ channels: inout Channels, _ delivery: Delivery, token: UInt64, size: Int = 5) {
    channels.enqueue(
      [UInt8](repeating: 1, count: size), .init(delivery: delivery, receipt: token), now: start)
  }

  private static func receipt(_ delivery: Delivery, _ sequences: ClosedRange<UInt64>) -> ReceiptFrame {
    ReceiptFrame(stream: StreamID(channel: 0, delivery: delivery), sequences: sequences)
  }

  @Test(arguments: Delivery.allCases) func delivered(delivery: Delivery) throws {
    var sender = Tools.channels()
    var receiver = Tools.channels()
    for token in 0..<3 as Range<UInt64> { Self.enqueue(&sender, delivery, token: token) }
    let packet = try #require(Tools.fill(&sender))
    try Tools.deliver(packet, to: &receiver)
    while let message = receiver.takeMessage() { receiver.onHandedOver(message.stream, sequence: message.sequence) }
    let lost = try #require(Tools.control(&receiver))
    #expect(lost.frames.count == 1, "what follows each other is one range")
    #expect(!receiver.owesControl)
    Tools.settle(lost, lost: true, &receiver)
    let told = try #require(Tools.control(&receiver), "a lost receipt is told again")
    Tools.settle(packet, lost: false, &sender)
    #expect(sender.isDelivered, "receipts that are awaited do not count")
    #expect(sender.queuedBytes == 3 * MessageContent.creditOverhead, "but take their place")
    try Tools.deliver(told, to: &sender)
    try Tools.deliver(told, to: &sender)
    #expect(Tools.outcomes(&sender) == [0: .delivered, 1: .delivered, 2: .delivered])
    #expect(sender.queuedBytes == 0 && sender.nextTimeout == nil)
  }

  /// The receipt may overtake the acknowledgement.
  @Test func beforeTheAcknowledgement() throws {
    var sender = Tools.channels()
    Self.enqueue(&sender, .reliableOrdered, token: 7)
    let packet = try #require(Tools.fill(&sender))
    try sender.receive(Self.receipt(.reliableOrdered, 0...0))
    #expect(Tools.outcomes(&sender) == [7: .delivered])
    #expect(sender.queuedBytes == Channels.cost(5) && !sender.isDelivered)
    Tools.settle(packet, lost: false, &sender)
    #expect(sender.queuedBytes == 0 && sender.isDelivered)
  }

  @Test(arguments: [Delivery.latest, .unreliable]) func lost(delivery: Delivery) throws {
    var sender = Tools.channels()
    Self.enqueue(&sender, delivery, token: 1, size: 3000)
    let packets = Tools.fillAll(&sender)
    #expect(packets.count == 3 && sender.isDelivered)
    Tools.settle(packets[0], lost: false, &sender)
    Tools.settle(packets[1], lost: true, &sender)
    #expect(Tools.outcomes(&sender).isEmpty, "not before all is known")
    Tools.settle(packets[2], lost: false, &sender)
    #expect(Tools.outcomes(&sender) == [1: .lost])
    #expect(sender.queuedBytes == 0 && sender.counters.lostMessages == 1)
    try sender.receive(Self.receipt(delivery, 0...0))
    #expect(Tools.outcomes(&sender).isEmpty)
  }

  /// A probe says nothing about what is lost.
  @Test func aProbeIsNoLoss() throws {
    var sender = Tools.channels()
    Self.enqueue(&sender, .unreliable, token: 1)
    let packet = try #require(Tools.fill(&sender))
    sender.onLost(packet.part(0), isProbe: true, now: Self.start)
    #expect(Tools.outcomes(&sender).isEmpty && sender.counters.lostMessages == 0)
    Tools.settle(packet, lost: false, &sender)
    try sender.receive(Self.receipt(.unreliable, 0...0))
    #expect(Tools.outcomes(&sender) == [1: .delivered])
  }

  @Test(arguments: [Delivery.latest, .unreliable]) func arrivedButNeverHandedOver(delivery: Delivery) throws {
    var sender = Tools.channels()
    sender.receiptPatience = .milliseconds(300)
    Self.enqueue(&sender, delivery, token: 1)
    Tools.settle(try #require(Tools.fill(&sender)), lost: false, &sender)
    let deadline = Self.start + .milliseconds(300)
    #expect(sender.nextTimeout == deadline)
    sender.handleTimeout(now: deadline - .nanoseconds(1))
    #expect(Tools.outcomes(&sender).isEmpty)
    sender.handleTimeout(now: deadline)
    #expect(Tools.outcomes(&sender) == [1: delivery == .latest ? .superseded : .lost])
    #expect(sender.queuedBytes == 0 && sender.nextTimeout == nil)
  }

  @Test func aReceiptForANewerOneSupersedes() throws {
    var sender = Tools.channels()
    for token in 0..<4 as Range<UInt64> { Self.enqueue(&sender, .latest, token: token) }
    let packet = try #require(Tools.fill(&sender))
    sender.onAcknowledged(packet.part(0), now: Self.start)
    try sender.receive(Self.receipt(.latest, 2...2))
    #expect(Tools.outcomes(&sender) == [0: .superseded, 1: .superseded, 2: .delivered])
    #expect(sender.queuedBytes == MessageContent.creditOverhead)
    for i in 1..<4 { sender.onAcknowledged(packet.part(i), now: Self.start) }
    sender.handleTimeout(now: Self.start + .seconds(10))
    #expect(Tools.outcomes(&sender) == [3: .superseded])
    #expect(sender.queuedBytes == 0)
  }

  /// In the other modes older ones may still come.
  @Test func otherModesWait() throws {
    var sender = Tools.channels()
    for token in 0..<2 as Range<UInt64> { Self.enqueue(&sender, .unreliable, token: token) }
    _ = Tools.fill(&sender)
    try sender.receive(Self.receipt(.unreliable, 1...1))
    #expect(Tools.outcomes(&sender) == [1: .delivered])
    try sender.receive(Self.receipt(.unreliable, 0...0))
    #expect(Tools.outcomes(&sender) == [0: .delivered])
  }

  // MARK: What is owed

  @Test func whatIsOwedIsBounded() throws {
    var receiver = Tools.channels()
    let stream = StreamID(channel: 0, delivery: .unreliable)
    for i in 0..<UInt64(Incoming.receiptLimit + 100) { receiver.onHandedOver(stream, sequence: 2 * i) }
    #expect(receiver.incoming.owedReceipts.count == Incoming.receiptLimit)
    #expect(receiver.incoming.owedReceipts.first?.sequences == 200...200, "the oldest go")
    for i in 0..<UInt64(Incoming.receiptLimit) { receiver.onReceiptLost(Self.receipt(.unreliable, i...i)) }
    #expect(receiver.incoming.owedReceipts.count == Incoming.receiptLimit)
  }

  @Test func streamsThatTakeTurnsMakeOneRangeEach() throws {
    var receiver = Tools.channels()
    for sequence in 0..<100 as Range<UInt64> {
      for channel in 0..<3 as Range<UInt8> {
        receiver.onHandedOver(StreamID(channel: channel, delivery: .latest), sequence: sequence)
      }
    }
    #expect(receiver.incoming.owedReceipts.map(\.sequences) == [0...99, 0...99, 0...99])
  }

  // MARK: Hostile receipts

  @Test func receiptsForWhatWasNeverSent() throws {
    var sender = Tools.channels()
    #expect(throws: ChannelError.contradiction) { try sender.receive(Self.receipt(.reliableOrdered, 0...0)) }
    Self.enqueue(&sender, .reliableOrdered, token: 1)
    #expect(throws: ChannelError.contradiction) { try sender.receive(Self.receipt(.reliableOrdered, 0...0)) }
    _ = Tools.fill(&sender)
    for last in [1, 1 << 40, 1 << 62 - 1] as [UInt64] {
      #expect(throws: ChannelError.contradiction) { try sender.receive(Self.receipt(.reliableOrdered, 0...last)) }
      #expect(throws: ChannelError.contradiction) { try sender.receive(Self.receipt(.latest, 0...last)) }
    }
    #expect(Tools.outcomes(&sender).isEmpty)
    try sender.receive(Self.receipt(.reliableOrdered, 0...0))
    #expect(Tools.outcomes(&sender) == [1: .delivered])
  }

  /// Nobody was handed a message of which a part has not left.
  @Test(arguments: Delivery.allCases) func aReceiptForHalfAMessage(delivery: Delivery) throws {
    var sender = Tools.channels()
    Self.enqueue(&sender, delivery, token: 1, size: 3000)
    _ = Tools.fill(&sender)
    #expect(throws: ChannelError.contradiction) { try sender.receive(Self.receipt(delivery, 0...0)) }
    _ = Tools.fillAll(&sender)
    try sender.receive(Self.receipt(delivery, 0...0))
    #expect(Tools.outcomes(&sender) == [1: .delivered])
  }

  /// A peer that never tells for one message must not make us remember all those after it.
  @Test func oneThatIsNeverToldHoldsNothing() throws {
    var sender = Tools.channels(credit: 1 << 40)
    for token in 0..<5000 as Range<UInt64> {
      Self.enqueue(&sender, .reliableOrdered, token: token)
      Tools.settle(try #require(Tools.fill(&sender)), lost: false, &sender)
      if token > 0 { try sender.receive(Self.receipt(.reliableOrdered, token...token)) }
      _ = Tools.outcomes(&sender)
    }
    #expect(sender.outgoing.streams[0].awaited.count < 10)
    #expect(sender.queuedBytes == MessageContent.creditOverhead)
  }
}
