import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §9.1, §9.3, §9.4: what each mode promises.
struct DeliveryModeTests {
  private typealias Tools = ChannelTests
  private static let start = ChannelTests.start

  @Test func modesOfOneChannelCountByThemselves() throws {
    var sender = Tools.channels()
    var receiver = Tools.channels()
    for delivery in Delivery.allCases {
      sender.enqueue(Tools.bytes("\(delivery)"), .init(delivery: delivery, channel: 9), now: Self.start)
    }
    let packet = try #require(Tools.fill(&sender))
    #expect(try Tools.messages(in: packet).map(\.frame.sequence) == [0, 0, 0, 0])
    try Tools.deliver(packet, to: &receiver)
    #expect(Set(Tools.takeTexts(&receiver)) == Set(Delivery.allCases.map { "\($0)" }))
  }

  @Test func unorderedMessagesDoNotWaitForEachOther() throws {
    var sender = Tools.channels()
    var receiver = Tools.channels()
    let options = MessageOptions(delivery: .reliableUnordered)
    var packets: [ChannelTests.Packet] = []
    for i in 0..<4 {
      sender.enqueue(Tools.bytes("\(i)"), options, now: Self.start)
      packets.append(try #require(Tools.fill(&sender)))
    }
    for i in [3, 1, 3, 0, 1] { try Tools.deliver(packets[i], to: &receiver) }
    #expect(Tools.takeTexts(&receiver) == ["3", "1", "0"])
    Tools.settle(packets[2], lost: true, &sender)
    for i in [0, 1, 3] { Tools.settle(packets[i], lost: false, &sender) }
    let again = try #require(Tools.fill(&sender))
    try Tools.deliver(again, to: &receiver)
    Tools.settle(again, lost: false, &sender)
    #expect(Tools.takeTexts(&receiver) == ["2"])
    #expect(receiver.incoming.streams[0].settled.floor == 4)
    Tools.expectNothingLeft(sender, receiver)
  }

  @Test func lateOnesAreDroppedAndCounted() throws {
    var sender = Tools.channels()
    var receiver = Tools.channels()
    var packets: [ChannelTests.Packet] = []
    for i in 0..<5 {
      sender.enqueue(Tools.bytes("\(i)"), .init(delivery: .latest), now: Self.start)
      packets.append(try #require(Tools.fill(&sender)))
    }
    for i in [1, 0, 3, 2, 1, 4] { try Tools.deliver(packets[i], to: &receiver) }
    #expect(Tools.takeTexts(&receiver) == ["1", "3", "4"])
    #expect(receiver.counters.lateMessages == 3)
  }

  @Test(arguments: [Delivery.latest, .unreliable]) func unreliableMessagesAreNeverRepeated(delivery: Delivery) throws {
    var sender = Tools.channels(credit: 0)
    sender.enqueue(Tools.bytes("once"), .init(delivery: delivery), now: Self.start)
    let packet = try #require(Tools.fill(&sender), "they need no credit")
    #expect(sender.isDelivered && sender.queuedBytes == 0)
    Tools.settle(packet, lost: true, &sender)
    #expect(Tools.fill(&sender) == nil && !sender.hasDataToSend)
    #expect(sender.counters.lostMessages == 1)
  }

  // MARK: Latest: what takes whose place

  @Test func aNewerTurnTakesThePlaceOfWhatWaits() throws {
    var sender = Tools.channels()
    let options = MessageOptions(delivery: .latest, channel: 4)
    sender.enqueue(Tools.bytes("a1"), options, now: Self.start)
    sender.enqueue(Tools.bytes("a2"), .init(delivery: .latest, channel: 4, priority: .low), now: Self.start)
    sender.enqueue(Tools.bytes("other"), .init(delivery: .latest, channel: 5), now: Self.start)
    // Somebody looks for something to send, and there is no room.
    #expect(Tools.fill(&sender, room: 4) == nil)
    sender.enqueue(Tools.bytes("b1"), options, now: Self.start)
    sender.enqueue(Tools.bytes("b2"), options, now: Self.start)
    #expect(sender.queuedMessages == 3 && sender.counters.supersededMessages == 2)
    #expect(try Tools.messages(in: Tools.fill(&sender)).map(\.text) == ["b1", "b2", "other"])
    #expect(sender.queuedBytes == 0)
  }

  @Test func aTurnPassesWithoutRoomToSend() {
    var sender = Tools.channels()
    let options = MessageOptions(delivery: .latest)
    for i in 0..<1000 {
      sender.enqueue(Tools.bytes("\(i)"), options, now: Self.start)
      sender.beginTurn()
    }
    #expect(sender.queuedMessages == 1)
  }

  @Test func ofAHalfSentOneTheRestIsDropped() throws {
    var sender = Tools.channels()
    var receiver = Tools.channels()
    let options = MessageOptions(delivery: .latest, receipt: 1)
    sender.enqueue([UInt8](repeating: 1, count: 5000), options, now: Self.start)
    let first = try #require(Tools.fill(&sender))
    #expect(sender.queuedMessages == 1)
    sender.enqueue(Tools.bytes("newer"), .init(delivery: .latest), now: Self.start)
    #expect(Tools.outcomes(&sender) == [1: .superseded])
    let second = try #require(Tools.fill(&sender))
    #expect(try Tools.messages(in: second).map(\.text) == ["newer"])
    #expect(try Tools.messages(in: second).map(\.frame.sequence) == [1])
    for packet in [first, second] {
      try Tools.deliver(packet, to: &receiver)
      Tools.settle(packet, lost: false, &sender)
    }
    #expect(Tools.takeTexts(&receiver) == ["newer"])
    #expect(receiver.incoming.transients.entries.isEmpty, "what is older than the newest will never be handed out")
    #expect(Tools.outcomes(&sender).isEmpty && sender.queuedBytes == 0)
  }

  // MARK: Unreliable messages in pieces

  private static func piece(
    _ channels: inout Channels, _ delivery: Delivery = .unreliable, sequence: UInt64, offset: Int = 0, total: Int,
    _ bytes: [UInt8], now: Instant = start
  ) throws {
    let (frame, payload) = Tools.frame(
      StreamID(channel: 0, delivery: delivery), sequence: sequence, offset: UInt64(offset), total: UInt64(total),
      bytes: bytes)
    try channels.receive(frame, payload.span.bytes, now: now)
  }

  @Test func theOldestPartialMessageMakesRoom() throws {
    var receiver = Tools.channels()
    for i in 0..<40 { try Self.piece(&receiver, sequence: UInt64(i), total: 2, [1]) }
    #expect(receiver.incoming.transients.entries.count == TransientMessages.limit)
    for i in 8..<40 { try Self.piece(&receiver, sequence: UInt64(i), offset: 1, total: 2, [UInt8(i)]) }
    for i in 0..<8 { try Self.piece(&receiver, sequence: UInt64(i), offset: 1, total: 2, [UInt8(i)]) }
    #expect(Tools.take(&receiver).map { $0[1] } == Array(8..<40), "the first eight had gone")
  }

  @Test func theirBytesAreBounded() throws {
    var receiver = Tools.channels()
    let chunk = [UInt8](repeating: 1, count: 1 << 16)
    for message in 0..<8 {
      for i in 0..<15 {
        try Self.piece(&receiver, sequence: UInt64(message), offset: i << 16, total: 1 << 20, chunk)
      }
      #expect(receiver.incoming.transients.bytes <= TransientMessages.defaultByteLimit)
    }
    #expect(receiver.incoming.transients.bytes > TransientMessages.defaultByteLimit / 2)
    try Self.piece(&receiver, sequence: 7, offset: 15 << 16, total: 1 << 20, chunk)
    #expect(Tools.take(&receiver).map(\.count) == [1 << 20], "the newest is still there")
  }

  @Test func aPartialMessageHasASecond() throws {
    var receiver = Tools.channels()
    try Self.piece(&receiver, sequence: 0, total: 2, [1])
    let later = Self.start + .milliseconds(999)
    try Self.piece(&receiver, sequence: 1, total: 2, [1], now: later)
    #expect(receiver.nextTimeout == Self.start + .seconds(1))
    receiver.handleTimeout(now: later)
    #expect(receiver.incoming.transients.entries.count == 2)
    receiver.handleTimeout(now: Self.start + .seconds(1))
    #expect(receiver.incoming.transients.entries.count == 1)
    // In time for the second, too late for the first.
    let end = Self.start + .milliseconds(1500)
    try Self.piece(&receiver, sequence: 0, offset: 1, total: 2, [9], now: end)
    try Self.piece(&receiver, sequence: 1, offset: 1, total: 2, [2], now: end)
    #expect(Tools.take(&receiver) == [[1, 2]])
  }

  @Test func theirContradictionsAreRefused() throws {
    var receiver = Tools.channels()
    try Self.piece(&receiver, sequence: 0, total: 9, [1, 2])
    #expect(throws: ChannelError.contradiction) { try Self.piece(&receiver, sequence: 0, offset: 2, total: 8, [1]) }
    #expect(throws: ChannelError.contradiction) { try Self.piece(&receiver, sequence: 0, offset: 1, total: 9, [9]) }
    #expect(throws: ChannelError.limitExceeded) {
      try Self.piece(&receiver, .latest, sequence: 0, total: 1 << 40, [9])
    }
  }

  // MARK: How far ahead

  /// PROTOCOL §7: a receiver remembers so many messages beyond the first that is missing; senders keep to half of it.
  @Test(arguments: [Delivery.reliableOrdered, .reliableUnordered]) func howFarAhead(delivery: Delivery) throws {
    var sender = Tools.channels(credit: 8 << 20)
    for _ in 0..<20_000 { sender.enqueue([1], .init(delivery: delivery), now: Self.start) }
    let packets = Tools.fillAll(&sender)
    let sent = packets.reduce(0) { $0 + $1.frames.count }
    #expect(sent == Int(SequenceWindow.limit / 2))
    #expect(!sender.hasDataToSend)
    for packet in packets.dropFirst() { Tools.settle(packet, lost: false, &sender) }
    #expect(Tools.fill(&sender) == nil, "the first packet is still missing")
    Tools.settle(packets[0], lost: false, &sender)
    #expect(Tools.fill(&sender) != nil)

    var receiver = Tools.channels()
    let stream = StreamID(channel: 0, delivery: delivery)
    try Tools.receive(&receiver, stream, sequence: SequenceWindow.limit - 1, total: 1, [1])
    #expect(throws: ChannelError.limitExceeded) {
      try Tools.receive(&receiver, stream, sequence: SequenceWindow.limit, total: 1, [1])
    }
    for sequence in [1 << 40, 1 << 62 - 1] as [UInt64] {
      #expect(throws: ChannelError.limitExceeded) {
        try Tools.receive(&receiver, stream, sequence: sequence, total: 1, [1])
      }
    }
  }

  /// Latest and unreliable messages have no such limit: the highest sequence there is just arrives.
  @Test(arguments: [Delivery.latest, .unreliable]) func theHighestSequence(delivery: Delivery) throws {
    var receiver = Tools.channels()
    let stream = StreamID(channel: 0, delivery: delivery)
    for _ in 0..<2 { try Tools.receive(&receiver, stream, sequence: 1 << 62 - 1, total: 1, [1]) }
    #expect(Tools.take(&receiver).count == (delivery == .latest ? 1 : 2))
  }

  @Test func sequencesSettleInAnyOrder() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<50 {
      var window = SequenceWindow()
      let count = 1 + Int(random.next() % 400)
      var order = Array(0..<UInt64(count))
      order.shuffle(using: &random)
      var inserted: Set<UInt64> = []
      for sequence in order {
        #expect(!window.contains(sequence) && window.reaches(sequence), "seed \(seed)")
        window.insert(sequence)
        inserted.insert(sequence)
        let floor = (0...UInt64(count)).first { !inserted.contains($0) }
        #expect(window.floor == floor, "seed \(seed)")
        for known in [sequence, UInt64(random.next() % UInt64(count))] {
          #expect(window.contains(known) == inserted.contains(known), "seed \(seed)")
        }
      }
      #expect(window.floor == UInt64(count) && !window.contains(UInt64(count)), "seed \(seed)")
    }
  }
}
