import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §9.3, §9.4: what has expired is not sent any more, and both sides forget it.
struct ExpiryTests {
  private typealias Tools = ChannelTests
  private static let start = ChannelTests.start
  private static let end = start + .milliseconds(100)

  private static func options(_ delivery: Delivery = .reliableOrdered, receipt: UInt64? = nil) -> MessageOptions {
    MessageOptions(delivery: delivery, expires: end, receipt: receipt)
  }

  @Test(arguments: Delivery.allCases) func whatWasNeverSentLeavesNoGap(delivery: Delivery) throws {
    var sender = Tools.channels()
    sender.enqueue(Tools.bytes("first"), Self.options(delivery, receipt: 5), now: Self.start)
    sender.enqueue(Tools.bytes("second"), .init(delivery: delivery), now: Self.start)
    #expect(sender.nextTimeout == Self.end)
    sender.handleTimeout(now: Self.end - .nanoseconds(1))
    #expect(sender.queuedMessages == 2)
    sender.handleTimeout(now: Self.end)
    #expect(sender.queuedMessages == 1 && sender.queuedBytes == Channels.cost(6))
    #expect(Tools.outcomes(&sender) == [5: .expired])
    let messages = try Tools.messages(in: Tools.fill(&sender, now: Self.end))
    #expect(messages.map(\.text) == ["second"] && messages.map(\.frame.sequence) == [0])
    #expect(sender.counters.expiredMessages == 1 && !sender.owesControl)
  }

  @Test func whatExpiresAtOnceIsNeverQueued() {
    var sender = Tools.channels()
    sender.enqueue(Tools.bytes("late"), Self.options(receipt: 5), now: Self.end)
    #expect(sender.queuedBytes == 0 && sender.isDelivered && sender.nextTimeout == nil)
    #expect(Tools.outcomes(&sender) == [5: .expired])
  }

  /// A fill that comes before the timer does not send it either.
  @Test(arguments: Delivery.allCases) func noTimerIsNeeded(delivery: Delivery) {
    var sender = Tools.channels()
    sender.enqueue(Tools.bytes("late"), Self.options(delivery), now: Self.start)
    #expect(Tools.fill(&sender, now: Self.end) == nil)
    #expect(sender.isDelivered)
  }

  // MARK: Giving up

  @Test(arguments: [Delivery.reliableOrdered, .reliableUnordered]) func aLostOneIsGivenUp(delivery: Delivery) throws {
    var sender = Tools.channels()
    var receiver = Tools.channels()
    sender.enqueue(Tools.bytes("old"), Self.options(delivery, receipt: 1), now: Self.start)
    sender.enqueue(Tools.bytes("next"), .init(delivery: delivery), now: Self.start)
    let packet = try #require(Tools.fill(&sender))
    // Only the second arrives.
    try Tools.receive(
      &receiver, StreamID(channel: 0, delivery: delivery), sequence: 1, total: 4, Tools.bytes("next"))
    #expect(Tools.takeTexts(&receiver) == (delivery == .reliableOrdered ? [] : ["next"]))
    sender.onAcknowledged(packet.part(1), now: Self.start)
    #expect(!sender.owesControl)
    sender.handleTimeout(now: Self.end)
    #expect(Tools.outcomes(&sender) == [1: .expired])
    #expect(sender.owesControl && sender.queuedBytes == MessageContent.creditOverhead && !sender.isDelivered)
    sender.onLost(packet.part(0), now: Self.end)
    #expect(Tools.fill(&sender, now: Self.end) == nil, "its bytes are not repeated")
    let lost = try #require(Tools.control(&sender))
    #expect(!sender.owesControl && Tools.control(&sender) == nil)
    Tools.settle(lost, lost: true, &sender)
    let skip = try #require(Tools.control(&sender), "SKIP is repeated")
    try Tools.deliver(skip, to: &receiver)
    try Tools.deliver(skip, to: &receiver)
    #expect(Tools.takeTexts(&receiver) == (delivery == .reliableOrdered ? ["next"] : []))
    try Tools.deliver(packet, to: &receiver)
    #expect(Tools.take(&receiver).isEmpty, "it was skipped: what comes late is ignored")
    Tools.settle(skip, lost: false, &sender)
    Tools.expectNothingLeft(sender, receiver)
  }

  /// The receiver frees what it had of it, and counts the rest.
  @Test(arguments: [Delivery.reliableOrdered, .reliableUnordered]) func aHalfSentOneIsGivenUp(delivery: Delivery) throws
  {
    var sender = Tools.channels()
    var receiver = Tools.channels()
    sender.enqueue([UInt8](repeating: 1, count: 5000), Self.options(delivery), now: Self.start)
    sender.enqueue(Tools.bytes("next"), .init(delivery: delivery), now: Self.start)
    let packets = try (0..<3).map { _ in try #require(Tools.fill(&sender)) }
    try Tools.deliver(packets[1], to: &receiver)
    #expect(receiver.incoming.incomplete == 1)
    sender.handleTimeout(now: Self.end)
    let next = try #require(Tools.fill(&sender, now: Self.end))
    #expect(try Tools.messages(in: next).map(\.text) == ["next"])
    try Tools.deliver(next, to: &receiver)
    let skip = try #require(Tools.control(&sender))
    try Tools.deliver(skip, to: &receiver)
    #expect(receiver.incoming.incomplete == 0 && receiver.incoming.streams[0].waiting.isEmpty)
    #expect(Tools.takeTexts(&receiver) == ["next"])
    for packet in [next, skip] { Tools.settle(packet, lost: false, &sender) }
    #expect(sender.outgoing.openPieceMessages == 0 && sender.outgoing.credit.reserved == 0)
    Tools.expectNothingLeft(sender, receiver)
  }

  /// One that was handed out already stays so; its acknowledgement makes the SKIP needless.
  @Test func aSkipThatComesTooLate() throws {
    var sender = Tools.channels()
    var receiver = Tools.channels()
    sender.enqueue(Tools.bytes("there"), Self.options(receipt: 3), now: Self.start)
    let packet = try #require(Tools.fill(&sender))
    try Tools.deliver(packet, to: &receiver)
    #expect(Tools.takeTexts(&receiver) == ["there"])
    receiver.onHandedOver(MessageOptions().stream, sequence: 0)
    sender.handleTimeout(now: Self.end)
    let skip = try #require(Tools.control(&sender))
    try Tools.deliver(skip, to: &receiver)
    // The first outcome counts, whatever comes later.
    try Tools.deliver(#require(Tools.control(&receiver)), to: &sender)
    #expect(Tools.outcomes(&sender) == [3: .expired])
    Tools.settle(packet, lost: false, &sender)
    Tools.settle(skip, lost: true, &sender)
    #expect(!sender.owesControl)
    Tools.expectNothingLeft(sender, receiver)
  }

  @Test func anAcknowledgedOneDoesNotExpire() throws {
    var sender = Tools.channels()
    sender.enqueue(Tools.bytes("there"), Self.options(receipt: 3), now: Self.start)
    Tools.settle(try #require(Tools.fill(&sender)), lost: false, &sender)
    sender.handleTimeout(now: Self.end)
    #expect(!sender.owesControl && sender.counters.expiredMessages == 0 && Tools.outcomes(&sender).isEmpty)
  }

  @Test func nothingPilesUp() throws {
    var sender = Tools.channels(credit: 1 << 40)
    let far = MessageOptions(expires: Self.start + .seconds(3600))
    for _ in 0..<5000 {
      sender.enqueue(Tools.bytes("a"), far, now: Self.start)
      Tools.settle(try #require(Tools.fill(&sender)), lost: false, &sender)
    }
    #expect(sender.outgoing.expiries.count < 100, "of messages that were delivered long ago")
    // A stream that is held up by its first message, while others behind it come and go.
    var held = Tools.channels(credit: 0)
    held.enqueue(Tools.bytes("first"), .init(), now: Self.start)
    for i in 0..<5000 {
      let now = Self.start + .milliseconds(i)
      held.enqueue(Tools.bytes("a"), .init(expires: now + .milliseconds(5)), now: now)
      held.handleTimeout(now: now)
    }
    #expect(held.queuedMessages < 10 && held.outgoing.lanes[0].waiting.count < 100)
    #expect(held.outgoing.expiries.count < 100)
  }

  // MARK: Hostile SKIPs

  private static func skip(
    _ channels: inout Channels, _ delivery: Delivery = .reliableOrdered, sequence: UInt64, credit: UInt64
  ) throws(ChannelError) {
    try channels.receive(
      SkipFrame(stream: StreamID(channel: 0, delivery: delivery), sequence: sequence, credit: credit))
  }

  @Test(arguments: [Delivery.reliableOrdered, .reliableUnordered]) func absurdSkips(delivery: Delivery) throws {
    let most = UInt64(1 << 20 + Channels.maximumMessageOverhead)
    for credit in [0, 31, most + 1, 1 << 62 - 1] as [UInt64] {
      var receiver = Tools.channels(credit: 1 << 40)
      #expect(throws: ChannelError.contradiction) { try Self.skip(&receiver, delivery, sequence: 0, credit: credit) }
    }
    for sequence in [SequenceWindow.limit, 1 << 62 - 1] as [UInt64] {
      var receiver = Tools.channels()
      #expect(throws: ChannelError.limitExceeded) { try Self.skip(&receiver, delivery, sequence: sequence, credit: 32) }
    }
    var receiver = Tools.channels(credit: 100)
    #expect(throws: ChannelError.limitExceeded) { try Self.skip(&receiver, delivery, sequence: 0, credit: 101) }
    try Self.skip(&receiver, delivery, sequence: 0, credit: 100)
    #expect(receiver.owesControl, "what was given up counts as taken")
  }

  @Test func aSkipMayNotCostLessThanWhatCame() throws {
    let stream = MessageOptions().stream
    for (credit, isRefused) in [(34, true), (35, false), (42, false), (43, true)] as [(UInt64, Bool)] {
      var receiver = Tools.channels()
      try Tools.receive(&receiver, stream, sequence: 0, offset: 4, total: 10, [1, 2, 3])
      do throws(ChannelError) {
        try Self.skip(&receiver, sequence: 0, credit: credit)
        #expect(!isRefused && receiver.incoming.window.received == credit, "credit \(credit)")
        #expect(receiver.incoming.window.consumed == credit && receiver.incoming.streams[0].window.consumed == credit)
      } catch {
        #expect(isRefused && error == .contradiction, "credit \(credit)")
      }
    }
  }

  /// Skipping what is far ahead takes no more memory than a few KiB, and no time later.
  @Test func manySkipsAhead() throws {
    var receiver = Tools.channels()
    for sequence in 1..<SequenceWindow.limit { try Self.skip(&receiver, sequence: sequence, credit: 32) }
    #expect(receiver.incoming.streams[0].waiting.isEmpty)
    try Self.skip(&receiver, sequence: 0, credit: 32)
    #expect(receiver.incoming.streams[0].settled.floor == SequenceWindow.limit)
    #expect(receiver.takeMessage() == nil)
  }
}

extension ChannelTests.Packet {
  /// The message part that was noted at `place`.
  func part(_ place: Int) -> MessagePart {
    guard case .message(let part) = frames[place] else { preconditionFailure("a test asks for what it has written") }
    return part
  }
}
