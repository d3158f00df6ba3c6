import RoamkeyWire
import TestSupport
import Testing

@testable import Roamkey

/// What became of messages, in a queue of its own.
@Suite(.realTime, .timeLimit(.minutes(40))) struct ReceiptTests {
  @Test func aReceiptTellsOnceThatItArrived() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    let (log, receipts) = (server.log, client.receiptLog)
    for (number, delivery) in Delivery.allCases.enumerated() {
      try client.send("x", delivery: delivery, receipt: UInt64(number))
      // One after the other, or a newer one of `latest` could take an older one's place.
      try await receipts.first("the receipt") { $0.number == UInt64(number) ? true : nil }
    }
    #expect(server.send("y", to: client.id, receipt: .max) == nil)
    let told = try await server.receiptLog.first("the receipt") { $0 }
    #expect(told == Receipt(number: .max, player: client.id, outcome: .delivered))
    _ = try await log.all(4, "the messages") { if case .message = $0 { true } else { nil } }
    await client.close()
    let all = receipts.events + client.takeReceipts()
    #expect(all == (0..<4).map { Receipt(number: $0, player: server.id, outcome: .delivered) })
    await server.close()
  }

  @Test func aBroadcastHasAReceiptForEachPlayer() async throws {
    let server = try await makeServer()
    let clients = [try await makeClient(server), try await makeClient(server)]
    _ = try await server.log.all(2, "both to join") { if case .joined = $0 { true } else { nil } }
    #expect(server.broadcast("to all", delivery: .reliableUnordered, receipt: 5) == [:])
    let receipts = try await server.receiptLog.all(2, "two receipts") { $0 }
    #expect(Set(receipts) == Set(clients.map { Receipt(number: 5, player: $0.id, outcome: .delivered) }))
    for client in clients { await client.close() }
    await server.close()
  }

  private func read(_ count: Int, of receipts: some AsyncSequence<Receipt, Never> & Sendable) async -> [UInt64] {
    var numbers: [UInt64] = []
    for await receipt in receipts {
      numbers.append(receipt.number)
      if numbers.count == count { break }
    }
    return numbers
  }

  @Test func aLoopReadsThemToTheEnd() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    for number in 0..<50 {
      try client.send("up", receipt: UInt64(number))
      server.send("down", to: client.id, receipt: UInt64(100 + number))
    }
    #expect(await read(20, of: client.receipts) == (0..<20).map { UInt64($0) })
    #expect(await read(30, of: client.receipts) == (20..<50).map { UInt64($0) }, "it goes on where it was")
    #expect(await read(50, of: server.receipts) == (100..<150).map { UInt64($0) })
    let rest = Task { await read(1, of: client.receipts) + read(1, of: server.receipts) }
    await client.close()
    await server.close()
    #expect(await rest.value.isEmpty)
  }

  @Test func receiptsThatNobodyTakesMakeRoomForNewerOnes() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.unreadEventLimit = 10
    let server = try await makeServer(configuration: configuration)
    let client = try await makeClient(server, configuration: configuration)
    for number in 0..<30 {
      try client.send("up", receipt: UInt64(number))
      server.send("down", to: client.id, receipt: UInt64(number))
    }
    let dropped: UInt64 = 20
    try await eventually("the oldest to go") {
      await client.statistics().receiptsDropped == dropped ? true : nil
    }
    try await eventually("the oldest to go") {
      await server.statistics().receiptsDropped == dropped ? true : nil
    }
    #expect(client.takeReceipts().map(\.number) == (20..<30).map { UInt64($0) })
    #expect(server.takeReceipts().map(\.number) == (20..<30).map { UInt64($0) })
    #expect(client.takeReceipts().isEmpty && server.takeReceipts().isEmpty)
    #expect(await client.statistics().unreadDropped == 0)
    await client.close()
    await server.close()
    #expect(await client.statistics().receiptsDropped == dropped, "also once it is closed")
    #expect(await server.statistics().receiptsDropped == dropped)
  }

  @Test(arguments: [Int.min, 0, 1, 3]) func aListOfSoManyEvents(_ limit: Int) {
    let kept = max(1, limit)
    var list = EventList<Int>(limit: 0, eventLimit: limit, blank: -1)
    for number in 0..<100_000 { list.append(number) }
    #expect(list.placeCount <= kept + 70, "blanks included")
    #expect(list.dropped == UInt64(100_000 - kept))
    #expect(list.backlog.events == kept)
    #expect(list.removeAll().events == Array((100_000 - kept)..<100_000))
  }
}
