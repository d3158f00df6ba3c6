import RoamkeyWire
import TestSupport
import Testing

@testable import Roamkey

/// The four kinds of delivery over real sockets of loopback, which loses next to nothing.
@Suite(.realTime, .timeLimit(.minutes(40))) struct DeliveryTests {
  private func message(_ event: Client.Event) -> Message? {
    if case .message(let message) = event { message } else { nil }
  }

  private func message(_ event: Server.Event) -> Message? {
    if case .message(let message, _) = event { message } else { nil }
  }

  @Test func everyKindGetsThereAndBackAsItWas() async throws {
    let server = try await makeServer()
    let (ada, ben) = (try await makeClient(server), try await makeClient(server))
    let (log, bensLog) = (server.log, ben.log)
    for (number, delivery) in Delivery.allCases.enumerated() {
      let channel = UInt8(number * 85)
      try ada.send("\(delivery)", as: "kind", delivery: delivery, priority: .high, channel: channel)
      let arrived = try await log.first("\(delivery)") { event in
        message(event).flatMap { $0.text == "\(delivery)" ? $0 : nil }
      }
      #expect(arrived.delivery == delivery && arrived.channel == channel)
      #expect(arrived.author == ada.id && arrived.action == "kind")
      #expect(server.broadcast(arrived, from: ada.id) == [:])
      let passedOn = try await bensLog.first("\(delivery)") { event in
        message(event).flatMap { $0.text == "\(delivery)" ? $0 : nil }
      }
      #expect(passedOn.delivery == delivery && passedOn.channel == channel && passedOn.author == ada.id)
    }
    for client in [ada, ben] { await client.close() }
    await server.close()
  }

  @Test func whatExpiresIsNotDeliveredAndSaysSo() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = 1 << 12
    configuration.receiveCredit = 1 << 13
    let server = try await makeServer(configuration: configuration)
    let client = try await makeClient(server, configuration: configuration)
    let receipts = client.receiptLog
    // Nobody reads, so the credit is used up and the last one waits here.
    for _ in 0..<4 { try client.send([UInt8](repeating: 0, count: 4000), as: "filler") }
    try client.send("stale", expires: .milliseconds(30), receipt: 1)
    try client.send("patient", expires: .seconds(600), receipt: 2)
    let first = try await receipts.first("a receipt") { $0 }
    #expect(first == Receipt(number: 1, player: server.id, outcome: .expired))
    let log = server.log
    _ = try await log.all(5, "the others") { message($0) }
    let other = Receipt(number: 2, player: server.id, outcome: .delivered)
    try await receipts.first("the other receipt") { $0 == other ? true : nil }
    #expect(log.events.compactMap(message).compactMap(\.text) == ["patient"])
    await client.close()
    await server.close()
  }

  @Test func unreadUnreliableMessagesAreDroppedAndReliableOnesStay() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.unreadUnreliableLimit = 20_000
    let server = try await makeServer(configuration: configuration)
    let client = try await makeClient(server)
    try client.send("first", as: "keep")
    // Few enough for the buffer of a socket that nobody empties for a while.
    for number in 0..<60 { try client.send([UInt8](repeating: UInt8(number), count: 1000), delivery: .unreliable) }
    try await eventually("all to be sent") { client.queuedBytes == 0 ? true : nil }
    try client.send("last", as: "keep", receipt: 1)
    try await client.receiptLog.first("the receipt") { $0 }
    #expect(await server.statistics().unreadDropped == 45)
    let messages = server.takeEvents().compactMap { message($0) }
    #expect(messages.filter { $0.action == "keep" }.map(\.text) == ["first", "last"])
    // Each of the others counts for 1288 bytes.
    #expect(messages.filter { $0.delivery == .unreliable }.map { $0.body.first } == (45..<60).map { UInt8($0) })
    await client.close()
    await server.close()
  }

  @Test func theQueueIsEmptyWhenAllIsSent() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    for delivery in Delivery.allCases { try client.send([1, 2, 3], delivery: delivery, channel: 9) }
    #expect(client.queuedBytes > 0)
    try await eventually("an empty queue") { client.queuedBytes == 0 ? true : nil }
    await client.close()
    await server.close()
  }

  // MARK: Flushing

  @Test func byHandNothingLeavesBeforeTheFlush() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.flushPolicy = .manual
    let server = try await makeServer(configuration: configuration)
    let client = try await makeClient(server, configuration: configuration)
    let (log, clients) = (server.log, client.log)
    try await log.first("the join") { if case .joined = $0 { true } else { nil } }
    try client.send("up")
    server.broadcast("down")
    // Long enough for what should not happen.
    try await Task.sleep(for: .milliseconds(100))
    #expect(client.queuedBytes > 0 && server.queuedBytes(of: client.id) > 0)
    #expect(client.takeEvents().isEmpty && server.takeEvents().isEmpty)
    client.flush()
    server.flush()
    #expect(try await log.first("the message") { message($0)?.text } == "up")
    #expect(try await clients.first("the message") { message($0)?.text } == "down")
    // An immediate one takes the others along.
    try client.send("second")
    try client.send("third", priority: .immediate)
    #expect(try await log.all(3, "all") { message($0)?.text } == ["up", "second", "third"])
    // And closing delivers all the same.
    try client.send("last")
    #expect(await client.close() == .closed)
    #expect(try await log.all(4, "the last") { message($0)?.text }.last == "last")
    await server.close()
  }

  @Test func afterAWhileItLeavesByItself() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.flushPolicy = .after(.milliseconds(150))
    let server = try await makeServer()
    let client = try await makeClient(server, configuration: configuration)
    let log = server.log
    let start = ContinuousClock.now
    for number in 0..<3 { try client.send("\(number)") }
    let texts = try await log.all(3, "the messages") { message($0)?.text }
    #expect(texts == ["0", "1", "2"])
    #expect(ContinuousClock.now - start >= .milliseconds(150))
    await client.close()
    await server.close()
  }

  // MARK: Time

  /// Whether its times are known well enough for the test to mean something.
  private func isSharp(_ message: Message) -> Bool { message.ageError.map { $0 < .milliseconds(15) } ?? false }

  @Test func anAgeIsCountedFromThePlayerWhoWroteIt() async throws {
    let server = try await makeServer()
    let (ada, ben) = (try await makeClient(server), try await makeClient(server))
    let (log, bensLog) = (server.log, ben.log)
    // The clocks are compared while messages come and go.
    let (message, atServer) = try await eventually("clocks to be compared") { () -> (Message, Message)? in
      try? ada.send("tick")
      guard let received = try? await log.first("a message", { self.message($0) }), isSharp(received) else {
        log.forget()
        return nil
      }
      try? await Task.sleep(for: .milliseconds(60))
      server.broadcast(received, from: ada.id)
      let passedOn = try? await bensLog.first("the same") { self.message($0) }
      bensLog.forget()
      log.forget()
      return passedOn.flatMap { isSharp($0) ? ($0, received) : nil }
    }
    // All three run on one machine, so the moments can be compared as they are.
    let slack = Duration.milliseconds(2) + (message.ageError ?? .zero) + (atServer.ageError ?? .zero)
    let difference = message.sentAt.duration(to: atServer.sentAt)
    #expect(difference <= slack && difference >= .zero - slack)
    #expect(message.ageOnArrival >= .milliseconds(60) - slack)
    #expect(message.age >= message.ageOnArrival)
    #expect(atServer.ageOnArrival < .seconds(30))
    for client in [ada, ben] { await client.close() }
    await server.close()
  }
}
