import TestSupport
import Testing

@testable import Roamkey

/// Queues are bounded, and what does not fit is told to whoever sends.
@Suite(.realTime, .timeLimit(.minutes(40))) struct BackPressureTests {
  private var small: RoamkeyConfiguration {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = 1 << 12
    configuration.sendQueueLimit = 1 << 14
    configuration.receiveCredit = 1 << 14
    return configuration
  }

  @Test func aSlowReaderHoldsUpTheSenderAndNotTheMemory() async throws {
    let server = try await makeServer(configuration: small)
    let client = try await makeClient(server, configuration: small)
    // Nobody takes the server's events: credit and queue fill up, then it stops.
    var sent = 0
    _ = try await eventually("a full queue that stays full") { () -> Bool? in
      do throws(SendError) {
        while true {
          try client.send([UInt8](repeating: UInt8(truncatingIfNeeded: sent), count: 1000))
          sent += 1
        }
      } catch {
        #expect(error == .queueFull(limit: 1 << 14))
      }
      let backlog = server.link.events.backlog
      return backlog.bytes > (1 << 14) - 1100 && client.queuedBytes > (1 << 14) - 1100 ? true : nil
    }
    #expect(server.link.events.backlog.bytes <= 1 << 14)
    #expect(client.queuedBytes <= 1 << 14)
    #expect(sent <= 33)
    // Once they are taken it goes on, and nothing is missing.
    let reader = Task {
      var first: [UInt8] = []
      for await event in server.events {
        if case .message(let message, _) = event { first.append(message.body[0]) }
        if first.count == 200 { break }
      }
      return first
    }
    while sent < 200 {
      do throws(SendError) {
        try client.send([UInt8](repeating: UInt8(truncatingIfNeeded: sent), count: 1000))
        sent += 1
      } catch {
        await client.waitForRoom()
      }
    }
    #expect(await reader.value == (0..<200).map { UInt8(truncatingIfNeeded: $0) })
    await client.close()
    await server.close()
  }

  @Test func aMessageOfAllTheCreditGetsThrough() async throws {
    var configuration = small
    configuration.maximumMessageSize = configuration.receiveCredit - 100
    let server = try await makeServer(configuration: configuration)
    let client = try await makeClient(server, configuration: configuration)
    let body = [UInt8](repeating: 1, count: configuration.maximumMessageSize)
    let reader = Task {
      var sizes: [Int] = []
      for await event in server.events {
        if case .message(let message, _) = event { sizes.append(message.body.count) }
        if sizes.count == 5 { break }
      }
      return sizes
    }
    for _ in 0..<5 {
      try await eventually("room") { (try? client.send(body)).map { true } }
      await client.waitForRoom()
    }
    #expect(await reader.value == [Int](repeating: body.count, count: 5))
    await client.close()
    await server.close()
  }

  @Test func whileTheAppDoesNotReadNewcomersAreTurnedAway() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.unreadEventLimit = 2
    let server = try await makeServer(configuration: configuration)
    var clients: [Client] = []
    for _ in 0..<3 { clients.append(try await makeClient(server)) }
    let newcomer = try? await Client(
      key: .generate(), application: "test/1", server: "\(server.address)", pinned: server.id)
    guard case .kicked(let words) = await newcomer?.waitUntilDisconnected() else {
      Issue.record("was not turned away")
      return
    }
    #expect(words.contains("busy"))
    #expect(server.players == clients.map(\.id))
    // Of those turned away nothing is told, and once the app has read there is room again.
    #expect(server.takeEvents() == clients.map { .joined($0.id) })
    clients.append(try await makeClient(server))
    try await server.log.first("the join") { $0 == .joined(clients[3].id) ? true : nil }
    for client in clients { await client.close() }
    await newcomer?.close()
    await server.close()
  }

  @Test func tooLargeIsToldAtOnceOnBothSides() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server, configuration: small)
    let body = [UInt8](repeating: 0, count: (1 << 12) + 1)
    let tooLarge = SendError.tooLarge(size: body.count, limit: 1 << 12)
    #expect(throws: tooLarge) { try client.send(body) }
    // The server may send more, but this client does not take it.
    #expect(server.send(body, to: client.id) == tooLarge)
    #expect(server.broadcast(body) == [client.id: tooLarge])
    let action = String(repeating: "x", count: 65)
    #expect(throws: SendError.tooLarge(size: 65, limit: 64)) { try client.send("x", as: action) }
    #expect(server.send("x", as: action, to: client.id) == .tooLarge(size: 65, limit: 64))
    #expect(server.broadcast("x", as: action) == [client.id: .tooLarge(size: 65, limit: 64)])
    try client.send([UInt8](body.dropLast()))
    try await server.log.first("the longest one") { if case .message(let m, _) = $0 { m.body.count } else { nil } }
    await client.close()
    await server.close()
  }

  @Test func aPlayerWhoDoesNotKeepUpCanBeDropped() async throws {
    let server = try await makeServer(configuration: small)
    let client = try await makeClient(server, configuration: small)
    let body = [UInt8](repeating: 0, count: 1000)
    let error = try await eventually("a full queue") { server.send(body, to: client.id) }
    #expect(error == .queueFull(limit: 1 << 14))
    server.dropSlow(client.id)
    #expect(await client.waitUntilDisconnected() == .tooSlow)
    try await server.log.first("the leave") { if case .left(client.id, .tooSlow) = $0 { true } else { nil } }
    await client.close()
    await server.close()
  }
}
