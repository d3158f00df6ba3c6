import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §9.3: who goes first.
struct PriorityTests {
  private typealias Tools = ChannelTests
  private static let start = ChannelTests.start

  private static func enqueue(
    _ channels: inout Channels, _ text: String, _ delivery: Delivery = .reliableOrdered, channel: UInt8 = 0,
    _ priority: Priority = .normal
  ) {
    channels.enqueue(
      Tools.bytes(text), .init(delivery: delivery, channel: channel, priority: priority), now: start)
  }

  private static func enqueueBulk(
    _ channels: inout Channels, channel: UInt8, _ priority: Priority = .normal, size: Int = 1 << 19
  ) {
    channels.enqueue(
      [UInt8](repeating: channel, count: size), .init(channel: channel, priority: priority), now: start)
  }

  private static func texts(_ channels: inout Channels) throws -> [String] {
    try Tools.fillAll(&channels).flatMap { try Tools.messages(in: $0).map(\.text) }
  }

  /// The channels whose frames are in the next packet, in order.
  private static func next(_ channels: inout Channels) throws -> [UInt8] {
    try Tools.messages(in: Tools.fill(&channels)).map(\.frame.stream.channel)
  }

  @Test func theMostUrgentStreamFirst() throws {
    var channels = Tools.channels()
    for priority in Priority.allCases.reversed() {
      Self.enqueue(&channels, "\(priority)", channel: priority.rawValue, priority)
    }
    #expect(try Self.texts(&channels) == ["immediate", "high", "normal", "low"])
  }

  @Test(arguments: [Delivery.reliableUnordered, .unreliable])
  func theMostUrgentMessageFirst(delivery: Delivery) throws {
    var channels = Tools.channels()
    for i in 0..<2 {
      for priority in Priority.allCases.reversed() { Self.enqueue(&channels, "\(priority) \(i)", delivery, priority) }
    }
    #expect(
      try Self.texts(&channels) == [
        "immediate 0", "immediate 1", "high 0", "high 1", "normal 0", "normal 1", "low 0", "low 1",
      ])
  }

  /// Nor does a newer `latest` message overtake an older one of its channel, which would then come as news.
  @Test(arguments: [Delivery.reliableOrdered, .latest])
  func anOrderedStreamIsAsUrgentAsItsMostUrgentMessage(delivery: Delivery) throws {
    var channels = Tools.channels()
    Self.enqueue(&channels, "normal", channel: 1)
    for (i, priority) in [Priority.low, .high, .low].enumerated() {
      Self.enqueue(&channels, "ordered \(i)", delivery, channel: 2, priority)
    }
    #expect(try Self.texts(&channels) == ["ordered 0", "ordered 1", "normal", "ordered 2"])
  }

  /// A bulk channel does not hold up another one of its priority.
  @Test func equalsTakeTurns() throws {
    var channels = Tools.channels()
    for channel in 1...3 { Self.enqueueBulk(&channels, channel: UInt8(channel), size: 20_000) }
    Self.enqueue(&channels, "small", channel: 4)
    var bytes = [UInt8: Int]()
    for packet in 1...12 {
      for (frame, _) in try Tools.messages(in: Tools.fill(&channels)) {
        bytes[frame.stream.channel, default: 0] += frame.bytes.count
      }
      #expect(packet < 4 || bytes[4] == 5)
    }
    for channel in 1...3 as ClosedRange<UInt8> { #expect((3300...5500).contains(bytes[channel] ?? 0), "\(bytes)") }
    var late = Tools.channels()
    Self.enqueueBulk(&late, channel: 1)
    for _ in 0..<10 { _ = Tools.fill(&late) }
    for i in 0..<30 { Self.enqueue(&late, String(repeating: "\(i)", count: 50), channel: 2) }
    var waited = 0
    var seen = 0
    while seen < 30 {
      waited += 1
      seen += try Self.next(&late).count { $0 == 2 }
    }
    #expect(waited <= 6, "\(waited) packets for three packets' worth, beside a bulk channel")
  }

  /// PROTOCOL §9.3: a message that needs a whole packet is not kept waiting by smaller ones.
  @Test func aWholePacketIsNotStarvedByCrumbs() throws {
    var channels = Tools.channels()
    for i in 0..<100 { Self.enqueue(&channels, "\(i)", .unreliable, channel: 1) }
    channels.enqueue([UInt8](repeating: 2, count: 1080), .init(delivery: .unreliable, channel: 2), now: Self.start)
    _ = Tools.fill(&channels, room: 200)
    #expect(Tools.fill(&channels, room: 200) == nil, "it waits for a packet with more room")
    #expect(try Self.next(&channels).first == 2)
  }

  // MARK: Starvation

  @Test(arguments: [Priority.high, .normal, .low]) func nobodyStarves(priority: Priority) throws {
    var channels = Tools.channels(credit: 8 << 20)
    Self.enqueueBulk(&channels, channel: 1, .immediate)
    Self.enqueueBulk(&channels, channel: 2, priority)
    var bytes = [UInt8: Int]()
    for _ in 0..<200 {
      for (frame, _) in try Tools.messages(in: Tools.fill(&channels)) {
        bytes[frame.stream.channel, default: 0] += frame.bytes.count
      }
    }
    let urgent = try #require(bytes[1])
    let other = try #require(bytes[2])
    let turns = urgent / Schedule.patience
    #expect((turns - 1) * 64...(turns + 2) * 1100 ~= other, "\(other) bytes in \(turns) turns")
    #expect(other >= turns * 900)
  }

  @Test func aLateComerWaitsItsTurn() throws {
    var channels = Tools.channels(credit: 8 << 20)
    Self.enqueueBulk(&channels, channel: 1, .high)
    for _ in 0..<100 { _ = Tools.fill(&channels) }
    Self.enqueueBulk(&channels, channel: 2, .low)
    var packets = 0
    while try !Self.next(&channels).contains(2) { packets += 1 }
    #expect((13...16).contains(packets), "\(packets): it has waited only since it came")
  }

  @Test func allPrioritiesGetTheirShare() throws {
    var channels = Tools.channels(credit: 8 << 20)
    for priority in Priority.allCases { Self.enqueueBulk(&channels, channel: priority.rawValue, priority) }
    var seen: [UInt8] = []
    for _ in 0..<40 { seen += try Self.next(&channels) }
    #expect(Set(seen) == [0, 1, 2, 3])
    #expect(seen.count { $0 == 0 } >= 30)
  }

  // MARK: Lost bytes

  @Test func whatWasLostGoesFirst() throws {
    var channels = Tools.channels()
    for channel in 1...2 as ClosedRange<UInt8> { Self.enqueue(&channels, "lost \(channel)", channel: channel) }
    let packet = try #require(Tools.fill(&channels))
    for channel in 1...3 as ClosedRange<UInt8> { Self.enqueue(&channels, "new \(channel)", channel: channel) }
    Self.enqueue(&channels, "urgent", channel: 4, .high)
    Self.enqueue(&channels, "low", channel: 5, .low)
    Tools.settle(packet, lost: true, &channels)
    #expect(channels.hasDataToSend)
    let texts = try Self.texts(&channels)
    #expect(texts == ["urgent", "lost 1", "lost 2", "new 1", "new 2", "new 3", "low"])
    #expect(channels.counters.retransmittedBytes == 12)
  }

  @Test func aBulkStreamsLossesDoNotHoldUpAnUrgentMessage() throws {
    var channels = Tools.channels()
    Self.enqueueBulk(&channels, channel: 1, .low)
    let packets = (0..<20).compactMap { _ in Tools.fill(&channels) }
    for packet in packets { Tools.settle(packet, lost: true, &channels) }
    Self.enqueue(&channels, "now", channel: 2, .immediate)
    #expect(try Tools.messages(in: Tools.fill(&channels)).first?.text == "now")
    #expect(try Set(Self.next(&channels)) == [1])
  }

  /// An urgent message behind lost ones of its ordered stream pulls them along.
  @Test func anUrgentMessagePullsWhatWasLostBeforeIt() throws {
    var channels = Tools.channels()
    Self.enqueue(&channels, "lost", channel: 1, .low)
    Tools.settle(try #require(Tools.fill(&channels)), lost: true, &channels)
    Self.enqueue(&channels, "other", channel: 2, .high)
    Self.enqueue(&channels, "urgent", channel: 1, .immediate)
    #expect(try Self.texts(&channels) == ["lost", "urgent", "other"])
  }
}
