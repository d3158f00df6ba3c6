import TestSupport
import Testing

@testable import Roamkey

/// Real sockets and a bad network between them.
@Suite(.realTime, .timeLimit(.minutes(40)))
struct HostileNetworkTests {
  static let bad = HostileRelay.Conditions(dropped: 20, doubled: 10, delayed: 20)

  /// Numbered, and long enough that a packet holds nine or so: a thousand packets and more for the relay to harm.
  static func message(_ i: Int) -> String { "\(i) " + String(repeating: "x", count: 100) }

  /// Sends numbered messages, and waits for room where the queue is full.
  static func send(_ count: Int, from client: Client) async throws {
    for i in 0..<count {
      while true {
        do throws(SendError) {
          try client.send(message(i))
          break
        } catch {
          guard case .queueFull = error else { throw error }
          await client.waitForRoom()
        }
      }
    }
  }

  static func receive(_ count: Int, at server: Server) async -> [String] {
    var texts: [String] = []
    for await event in server.events {
      guard case .message(let message, _) = event else { continue }
      texts.append(message.text ?? "")
      if texts.count == count { break }
    }
    return texts
  }

  @Test("10,000 messages through 20 % loss, doubles and disorder: once and in order")
  func lossyRelay() async throws {
    let seed = UInt64.random(in: 0 ... .max)
    let server = try await makeServer(discovery: .off)
    let relay = try HostileRelay(to: server.address, conditions: Self.bad, seed: seed)
    let client = try await Client(
      key: .generate(), application: "test/1", server: "\(relay.address)", pinned: server.id)
    let count = 10_000
    async let received = Self.receive(count, at: server)
    try await Self.send(count, from: client)
    let isRight = await received == (0..<count).map(Self.message)
    #expect(isRight, "lost, doubled or out of order: seed \(seed)")
    await client.close()
    await server.close()
    let counts = relay.counts
    #expect(counts.dropped > 150 && counts.doubled > 50 && counts.delayed > 100, "\(counts), seed \(seed)")
    relay.stop()
  }

  @Test("the source address changes again and again in mid-stream: nothing lost, one identity, `roamed` on both sides")
  func rebinding() async throws {
    let seed = UInt64.random(in: 0 ... .max)
    let server = try await makeServer(discovery: .off)
    let relay = try HostileRelay(to: server.address, conditions: .init(), seed: seed)
    let client = try await Client(
      key: .generate(), application: "test/1", server: "\(relay.address)", pinned: server.id)
    let log = server.log
    let clientLog = client.log
    let moves = 5
    for move in 0..<moves {
      for i in 0..<200 { try client.send("\(move * 200 + i)") }
      let next = NetworkAddress(ipv4: 127, 0, 0, UInt8(10 + move), port: 0)
      relay.rebind(to: next)
      for i in 0..<5 { try client.send("after \(move) \(i)") }
      try await log.first("move \(move)") { event in
        if case .roamed(client.id, _, let to) = event, to.ip == next.ip { true } else { nil }
      }
      try await clientLog.first("news of move \(move)") { event in
        if case .roamed(_, let to) = event, to.ip == next.ip { true } else { nil }
      }
    }
    await client.close()
    let texts = try await log.all(moves * 205, "all messages") { event in
      if case .message(let message, client.id) = event { message.text } else { nil }
    }
    let expected = (0..<moves).flatMap { move in
      (0..<200).map { "\(move * 200 + $0)" } + (0..<5).map { "after \(move) \($0)" }
    }
    #expect(texts == expected)
    #expect(log.events.count { if case .joined = $0 { true } else { false } } == 1)
    #expect(log.events.count { if case .roamed = $0 { true } else { false } } == moves)
    await server.close()
    relay.stop()
  }
}
