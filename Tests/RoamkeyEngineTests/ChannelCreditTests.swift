import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §9.5: credit for a session, and for each reliable stream of it.
struct ChannelCreditTests {
  private typealias Tools = ChannelTests
  private static let start = ChannelTests.start

  private static func enqueue(
    _ channels: inout Channels, _ size: Int, channel: UInt8 = 0, _ delivery: Delivery = .reliableOrdered
  ) {
    channels.enqueue(
      [UInt8](repeating: channel, count: size), .init(delivery: delivery, channel: channel), now: start)
  }

  /// Sends all that may be sent, and what the receiver's app has not taken stays with it.
  private static func exchange(_ sender: inout Channels, _ receiver: inout Channels) throws {
    while let packet = Tools.fill(&sender) {
      try Tools.deliver(packet, to: &receiver)
      Tools.settle(packet, lost: false, &sender)
    }
  }

  @Test func oneStreamCannotTakeAll() throws {
    var sender = Tools.channels(credit: 100_000, channelCredit: 20_000)
    var receiver = Tools.channels(credit: 100_000, channelCredit: 20_000)
    for _ in 0..<40 {
      Self.enqueue(&sender, 968, channel: 1)
      Self.enqueue(&sender, 968, channel: 2)
      Self.enqueue(&sender, 968, channel: 1, .reliableUnordered)
    }
    try Self.exchange(&sender, &receiver)
    #expect(!sender.hasDataToSend && sender.queuedMessages == 60)
    #expect(receiver.incoming.streams.map(\.window.received) == [20_000, 20_000, 20_000])
    // Only one of them is read.
    var taken = 0
    while let message = receiver.takeMessage() {
      guard message.stream == StreamID(channel: 2, delivery: .reliableOrdered) else { continue }
      receiver.onConsumed(message.credit, of: message.stream)
      taken += 1
    }
    #expect(taken == 20)
    let control = try #require(Tools.control(&receiver))
    #expect(control.frames.count == 1)
    Tools.settle(control, lost: true, &receiver)
    #expect(receiver.owesControl, "a lost limit is told again")
    try Tools.deliver(#require(Tools.control(&receiver)), to: &sender)
    try Self.exchange(&sender, &receiver)
    #expect(receiver.incoming.streams.map(\.window.received) == [20_000, 40_000, 20_000])
  }

  @Test func whoUsesMoreThanAStreamMayIsRefused() throws {
    var receiver = Tools.channels(credit: 1000, channelCredit: 500)
    let stream = StreamID(channel: 3, delivery: .reliableUnordered)
    try Tools.receive(&receiver, stream, sequence: 0, total: 468, [UInt8](repeating: 0, count: 468))
    #expect(throws: ChannelError.limitExceeded) { try Tools.receive(&receiver, stream, sequence: 1, total: 1, [1]) }
    var other = Tools.channels(credit: 1000, channelCredit: 500)
    try Tools.receive(&other, stream, sequence: 0, total: 468, [UInt8](repeating: 0, count: 468))
    try Tools.receive(&other, sequence: 0, total: 468, [UInt8](repeating: 0, count: 468))
    #expect(throws: ChannelError.limitExceeded) {
      try Tools.receive(&other, StreamID(channel: 4, delivery: .reliableUnordered), sequence: 0, total: 1, [1])
    }
  }

  @Test func limitsOnlyRise() throws {
    let stream = StreamID(channel: 1, delivery: .reliableOrdered)
    var sender = Tools.channels(credit: 10_000, channelCredit: 1000)
    // For a stream that nobody has used it says nothing.
    sender.onMaxChannelData(MaxChannelDataFrame(stream: stream, limit: 1 << 62 - 1))
    for _ in 0..<20 { Self.enqueue(&sender, 468, channel: 1) }
    #expect(Tools.fillAll(&sender).flatMap(\.frames).count == 2)
    for limit in [0, 999, 1000] as [UInt64] {
      sender.onMaxChannelData(MaxChannelDataFrame(stream: stream, limit: limit))
      #expect(!sender.hasDataToSend)
    }
    sender.onMaxChannelData(MaxChannelDataFrame(stream: stream, limit: 1500))
    sender.onMaxChannelData(MaxChannelDataFrame(stream: stream, limit: 0))
    #expect(Tools.fillAll(&sender).flatMap(\.frames).count == 1)
    sender.onMaxChannelData(MaxChannelDataFrame(stream: stream, limit: 1 << 62 - 1))
    #expect(Tools.fillAll(&sender).flatMap(\.frames).count == 17, "and then the session's own limit holds")
    sender.onMaxData(5)
    #expect(!sender.hasDataToSend)
  }

  @Test func nobodyIsGivenMoreThanItHad() throws {
    var receiver = Tools.channels(credit: 1000)
    try Tools.receive(&receiver, sequence: 0, total: 2, [1, 2])
    guard let message = receiver.takeMessage() else { return #expect(Bool(false), "a whole message") }
    receiver.onConsumed(1 << 40, of: message.stream)
    receiver.onConsumed(.max, of: StreamID(channel: 9, delivery: .reliableOrdered))
    receiver.onConsumed(-5, of: message.stream)
    #expect(receiver.incoming.window.consumed == 34)
  }

  /// A handshake without the parameters: the limits of the protocol, and none by stream.
  @Test func withoutParameters() throws {
    var peer = Tools.parameters()
    #expect(peer.initialChannelCredit == nil)
    let configuration = RoamkeyConfiguration()
    var sender = Channels(configuration: configuration, peer: peer, announcesLimits: false)
    var receiver = Channels(configuration: configuration, peer: peer, announcesLimits: false)
    for _ in 0..<3 { Self.enqueue(&sender, 1 << 20) }
    try Self.exchange(&sender, &receiver)
    #expect(sender.outgoing.credit.used == Channels.defaultCredit)
    #expect(receiver.incoming.streams[0].window.granted == CreditWindow.unlimited)
    // The longest message fits into what one stream was granted.
    peer.initialChannelCredit = 5000
    #expect(Channels.maximumMessageSize(configuration, peer: peer) == 5000 - Channels.maximumMessageOverhead)
    var small = configuration
    small.channelReceiveCredit = 1
    #expect(small.channelCreditWindow == UInt64(1 << 20 + Channels.maximumMessageOverhead))
    #expect(configuration.channelCreditWindow == 2 << 20)
  }

  /// Several long messages that begin side by side could hold back from each other what they need to be complete.
  @Test(arguments: [Delivery.reliableOrdered, .reliableUnordered]) func longMessagesShareAWindow(delivery: Delivery)
    throws
  {
    var sender = Tools.channels(credit: 100_000, channelCredit: 60_000)
    var receiver = Tools.channels(credit: 100_000, channelCredit: 60_000)
    for round in 0..<3 {
      for channel in 0..<5 as Range<UInt8> {
        sender.enqueue(
          [UInt8](repeating: channel, count: 40_000 + round),
          .init(delivery: delivery, channel: channel, priority: Priority.allCases[Int(channel) % 4]), now: Self.start)
      }
    }
    var received = 0
    for _ in 0..<100 {
      try Self.exchange(&sender, &receiver)
      received += Tools.take(&receiver).count
      if let control = Tools.control(&receiver) { try Tools.deliver(control, to: &sender) }
    }
    #expect(received == 15)
    Tools.expectNothingLeft(sender, receiver)
    #expect(sender.outgoing.credit.begun == 0 && sender.outgoing.credit.reserved == 0)
  }
}
