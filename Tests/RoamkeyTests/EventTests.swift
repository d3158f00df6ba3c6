import TestSupport
import Testing

@testable import Roamkey

/// The two styles of reading events.
@Suite(.realTime, .timeLimit(.minutes(40))) struct EventTests {
  @Test func bothStylesSeeTheSameQueue() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    for number in 0..<100 { _ = server.send("\(number)", to: client.id) }
    var texts: [String] = []
    // A loop that is left and entered again goes on where it was.
    for _ in 0..<10 {
      for await event in client.events {
        guard case .message(let message) = event else { continue }
        texts.append(message.text ?? "")
        if texts.count % 3 == 0 { break }
      }
    }
    try await eventually("the rest") {
      for event in client.takeEvents() { if case .message(let message) = event { texts.append(message.text ?? "") } }
      return texts.count == 100 ? true : nil
    }
    #expect(texts == (0..<100).map(String.init))
    #expect(client.takeEvents().isEmpty)
    await client.close()
    #expect(client.takeEvents() == [.disconnected(.closed)])
    await server.close()
  }

  @Test func whatIsShownIsHarmless() throws {
    let message = Message("\u{1b}]0;mine\u{7}hi\nBen: \u{202e}no", as: "chat")
    #expect(message.shownText == "]0;minehi Ben: no")
    // As it was said it is there as well.
    #expect(message.text == "\u{1b}]0;mine\u{7}hi\nBen: \u{202e}no")
    #expect(Message(Array("bytes".utf8)).shownText == "")
    #expect(try Message(["a": 1]).shownText == "")
  }

  @Test func aCancelledReaderEnds() async throws {
    let server = try await makeServer()
    let reader = Task { for await _ in server.events {} }
    reader.cancel()
    await reader.value
    // The server itself goes on.
    let client = try await makeClient(server)
    try await server.log.first("the join") { if case .joined(client.id) = $0 { true } else { nil } }
    await client.close()
    await server.close()
  }

  @Test func theQueueKeepsOrderAcrossBothWaysOfTaking() {
    let queue = EventQueue<Int>(blank: -1)
    var batch = EventBatch<Int>()
    for number in 0..<5 { batch.append(number) }
    queue.append(&batch)
    #expect(batch.isEmpty)
    guard case .event(let first, _, isLast: false) = queue.takeFirst() else {
      Issue.record("nothing to take")
      return
    }
    #expect(first == 0)
    batch.append(5)
    queue.append(&batch)
    #expect(queue.takeAll().events == [1, 2, 3, 4, 5])
    #expect(queue.backlog.events == 0)
    guard case .nothingYet = queue.takeFirst() else {
      Issue.record("something to take")
      return
    }
    queue.finish()
    batch.append(6)
    queue.append(&batch)
    #expect(batch.isEmpty)
    guard case .finished = queue.takeFirst() else {
      Issue.record("not finished")
      return
    }
  }

  @Test func statisticsSurviveTheEnd() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    try client.send("one")
    try await server.log.first("the message") { if case .message = $0 { true } else { nil } }
    #expect(await server.statistics().players == 1)
    await client.close()
    await server.close()
    let statistics = await server.statistics()
    #expect(statistics.messagesReceived == 1)
    #expect(statistics.sessions == 1)
    #expect(statistics.players == 0)
    #expect(await client.statistics().messagesSent == 1)
  }
}
