import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §9.3: copies of small reliable messages, before anybody knows whether they are lost.
struct EagerCopyTests {
  private typealias Tools = ChannelTests
  private static let start = ChannelTests.start
  private static let later = start + .milliseconds(5)

  private static func texts(_ packet: ChannelTests.Packet?) throws -> [String] {
    try Tools.messages(in: packet).map(\.text)
  }

  private static func sender(_ count: Int, size: Int? = nil) throws -> (Channels, [ChannelTests.Packet]) {
    var sender = Tools.channels()
    let packets = try (0..<count).map { i in
      sender.enqueue(
        size.map { [UInt8](repeating: UInt8(i), count: $0) } ?? Tools.bytes("\(i)"), .init(), now: start)
      return try #require(Tools.fill(&sender))
    }
    return (sender, packets)
  }

  @Test func eachOnceTheNewestFirst() throws {
    var (sender, packets) = try Self.sender(4)
    #expect(sender.hasCopyCandidates && !sender.hasUrgentCopies)
    #expect(Tools.copies(&sender, now: Self.start) == nil, "not in the turn in which they left")
    sender.onAcknowledged(packets[1].part(0), now: Self.later)
    sender.onLost(packets[2].part(0), now: Self.later)
    let copies = try #require(Tools.copies(&sender, now: Self.later))
    #expect(try Self.texts(copies) == ["3", "0"])
    #expect(copies.frames.indices.allSatisfy { copies.part($0).isCopy })
    #expect(Tools.copies(&sender, now: Self.later) == nil && !sender.hasCopyCandidates)
    #expect(sender.counters.copiesSent == 2)
    Tools.settle(copies, lost: true, &sender)
    #expect(try Self.texts(Tools.fill(&sender)) == ["2"], "a lost copy is not repeated")
  }

  @Test func budgetAndRoom() throws {
    var (sender, _) = try Self.sender(10, size: 100)
    let few = try #require(Tools.copies(&sender, budget: 250, now: Self.later))
    #expect(few.frames.count == 2)
    #expect(Tools.copies(&sender, budget: 50, now: Self.later) == nil && sender.hasCopyCandidates)
    let rest = try #require(Tools.copies(&sender, now: Self.later))
    #expect(rest.frames.count == 8)
  }

  @Test func onlySmallReliableMessages() throws {
    var sender = Tools.channels()
    for size in [256, 257, 2000] { sender.enqueue([UInt8](repeating: 0, count: size), .init(), now: Self.start) }
    for delivery in [Delivery.latest, .unreliable] {
      sender.enqueue([1], .init(delivery: delivery), now: Self.start)
    }
    _ = Tools.fillAll(&sender)
    let copies = try #require(Tools.copies(&sender, now: Self.later))
    #expect(try Tools.messages(in: copies).map(\.frame.bytes.count) == [256])
  }

  @Test func nothingAfterItsTime() throws {
    var sender = Tools.channels()
    sender.enqueue(Tools.bytes("short"), .init(expires: Self.later), now: Self.start)
    sender.enqueue(Tools.bytes("other"), .init(expires: Self.later), now: Self.start)
    let packet = try #require(Tools.fill(&sender))
    sender.suspect(packet.part(0))
    #expect(Tools.copies(&sender, now: Self.later) == nil)
    #expect(!sender.hasUrgentCopies && !sender.hasCopyCandidates)
  }

  @Test func overdueOnesFirst() throws {
    var (sender, packets) = try Self.sender(4)
    let once = try #require(Tools.copies(&sender, budget: 6, now: Self.later))
    #expect(try Self.texts(once) == ["3"])
    for i in [3, 0, 0] { sender.suspect(packets[i].part(0)) }
    #expect(sender.hasUrgentCopies)
    #expect(try Self.texts(Tools.copies(&sender, now: Self.later)) == ["3", "0", "2", "1"])
    #expect(!sender.hasUrgentCopies && !sender.hasCopyCandidates)
    // Again, though it was copied before; but not what is settled, lost or long.
    sender.onAcknowledged(packets[0].part(0), now: Self.later)
    sender.onLost(packets[1].part(0), now: Self.later)
    for packet in packets { sender.suspect(packet.part(0)) }
    sender.onAcknowledged(packets[3].part(0), now: Self.later)
    #expect(sender.hasUrgentCopies)
    #expect(try Self.texts(Tools.copies(&sender, now: Self.later)) == ["2"])
    var (long, big) = try Self.sender(1, size: 257)
    long.suspect(big[0].part(0))
    #expect(!long.hasUrgentCopies)
  }

  /// Needed: the copy arrived, and the original is found lost.
  @Test func neededCopiesAreCounted() throws {
    var (sender, packets) = try Self.sender(4)
    var receiver = Tools.channels()
    let copies = try #require(Tools.copies(&sender, now: Self.later))
    try Tools.deliver(copies, to: &receiver)
    #expect(Tools.takeTexts(&receiver) == ["0", "1", "2", "3"])
    Tools.settle(packets[3], lost: false, &sender)
    Tools.settle(copies, lost: false, &sender)
    #expect(sender.isDelivered && sender.queuedBytes == 0 && sender.counters.copiesNeeded == 0)
    Tools.settle(packets[0], lost: true, &sender)
    Tools.settle(packets[0], lost: true, &sender)
    Tools.settle(packets[1], lost: false, &sender)
    Tools.settle(packets[1], lost: true, &sender)
    sender.onLost(packets[2].part(0), isProbe: true, now: Self.later)
    #expect(sender.counters.copiesNeeded == 1 && !sender.hasDataToSend)
    // Copies cost no credit on either side.
    for packet in packets { try Tools.deliver(packet, to: &receiver) }
    #expect(receiver.takeMessage() == nil)
    Tools.expectNothingLeft(sender, receiver)
  }

  @Test func candidatesAreBounded() throws {
    var (sender, packets) = try Self.sender(1000)
    #expect(sender.outgoing.copies.count == CopyCandidates.limit)
    #expect(sender.outgoing.copies.fresh.count == CopyCandidates.limit)
    for packet in packets { sender.suspect(packet.part(0)) }
    #expect(sender.outgoing.copies.urgent.count <= CopyCandidates.limit)
    #expect(sender.outgoing.copies.urgentCount <= CopyCandidates.limit)
    for packet in packets { Tools.settle(packet, lost: false, &sender) }
    #expect(!sender.hasUrgentCopies && !sender.hasCopyCandidates && sender.queuedBytes == 0)
    #expect(Tools.copies(&sender, now: Self.later) == nil)
  }
}
