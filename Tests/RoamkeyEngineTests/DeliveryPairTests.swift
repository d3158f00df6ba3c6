import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// All modes of delivery, through two engines.
struct DeliveryPairTests {
  private static func content(_ text: String, receipt: Bool = false) -> [UInt8] {
    MessageContent(format: .text, wantsReceipt: receipt, action: "", body: Array(text.utf8)).encoded()
  }

  /// PROTOCOL §9.1: every mode, several channels, both directions.
  @Test(arguments: Delivery.allCases) func everyMode(delivery: Delivery) throws {
    let pair = Pair()
    pair.connect()
    let handle = try #require(pair.session)
    for i in 0..<50 {
      for channel in [0, 7, 255] as [UInt8] {
        let options = MessageOptions(delivery: delivery, channel: channel, receipt: UInt64(i))
        try pair.client.send(Self.content("\(channel) \(i)", receipt: true), options, now: pair.now)
        try pair.server.send(Self.content("\(channel) \(i)", receipt: true), options, to: handle, now: pair.now)
      }
      pair.run(for: .milliseconds(5))
    }
    pair.run(for: .seconds(3))
    for events in [pair.serverEvents, pair.clientEvents] {
      for channel in [0, 7, 255] as [UInt8] {
        let received = events.compactMap { event -> InboundMessage? in
          guard case .message(_, let message) = event, message.stream.channel == channel else { return nil }
          return message
        }
        #expect(received.allSatisfy { $0.stream.delivery == delivery })
        #expect(received.map(\.sequence) == Array(0..<50))
        #expect(
          received.map { String(decoding: $0.content.body, as: UTF8.self) } == (0..<50).map { "\(channel) \($0)" })
        #expect(received.allSatisfy { ($0.credit > 0) == delivery.isReliable })
      }
      let outcomes = events.compactMap { event -> UInt64? in
        if case .receipt(_, let token, .delivered) = event { token } else { nil }
      }
      #expect(outcomes.sorted() == (0..<150).map { UInt64($0 / 3) })
    }
    #expect(pair.client.queuedBytes == 0 && pair.server.queuedBytes(of: handle) == 0)
  }

  /// Long messages in every mode.
  @Test(arguments: Delivery.allCases) func inPieces(delivery: Delivery) throws {
    let pair = Pair()
    pair.connect()
    let text = String(repeating: "long ", count: 8000)
    try pair.client.send(Self.content(text), MessageOptions(delivery: delivery, channel: 3), now: pair.now)
    pair.run(for: .seconds(1))
    #expect(pair.heard == [text])
  }

  /// PROTOCOL §9.5: a channel that is not read does not hold up another one, and goes on once it is read.
  @Test func aChannelThatIsNotReadHoldsUpNobody() throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = 10_000
    configuration.receiveCredit = 100_000
    configuration.channelReceiveCredit = 20_000
    let pair = Pair(configuration: configuration)
    pair.connect()
    for i in 0..<40 {
      for channel in [1, 2] as [UInt8] {
        try pair.client.send(
          Self.content("\(channel) \(i)" + String(repeating: ".", count: 1000)), MessageOptions(channel: channel),
          now: pair.now)
      }
    }
    var taken = 0
    func take(_ channels: Set<UInt8>) -> Int {
      var count = 0
      for case .message(let handle, let message) in pair.serverEvents[taken...] {
        guard channels.contains(message.stream.channel) else { continue }
        pair.server.consumed(message.credit, stream: message.stream, of: handle, now: pair.now)
        count += 1
      }
      taken = pair.serverEvents.count
      return count
    }
    var read = 0
    for _ in 0..<20 {
      pair.run(for: .milliseconds(100))
      read += take([2])
    }
    #expect(read == 40)
    let waiting = pair.serverEvents.compactMap { event -> InboundMessage? in
      if case .message(_, let message) = event, message.stream.channel == 1 { message } else { nil }
    }
    #expect((10..<20).contains(waiting.count), "\(waiting.count) messages of the channel that is not read")
    for message in waiting {
      try pair.server.consumed(message.credit, stream: message.stream, of: #require(pair.session), now: pair.now)
    }
    for _ in 0..<10 {
      pair.run(for: .milliseconds(100))
      _ = take([1])
    }
    #expect(pair.heard.count == 80)
  }

  /// PROTOCOL §9.3: after its time no byte of a message leaves, though the network comes back; what follows it does.
  @Test(arguments: [Delivery.reliableOrdered, .reliableUnordered, .latest, .unreliable])
  func anExpiredMessageIsNotSent(delivery: Delivery) throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(1))
    pair.toServer = { _ in nil }
    let expiring = MessageOptions(
      delivery: delivery, channel: 1, expires: pair.now + .milliseconds(200), receipt: 1)
    try pair.client.send(Self.content("first", receipt: true), expiring, now: pair.now)
    pair.run(for: .milliseconds(100))
    pair.run(for: .milliseconds(400))
    pair.toServer = { $0 }
    try pair.client.send(Self.content("second"), MessageOptions(delivery: delivery, channel: 1), now: pair.now)
    pair.run(for: .seconds(5))
    #expect(pair.heard == ["second"])
    let outcomes = pair.clientEvents.compactMap { event -> DeliveryOutcome? in
      if case .receipt(_, 1, let outcome) = event { outcome } else { nil }
    }
    #expect(outcomes == [delivery.isReliable ? .expired : .lost])
    #expect(pair.client.queuedBytes == 0)
  }
}
