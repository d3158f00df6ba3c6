import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// What one driver hands over to another.
@Suite(.realTime, .timeLimit(.minutes(40)))
struct DatagramInboxTests {
  private let path = NetworkPath(local: .loopback(1, port: 7), remote: .loopback(2, port: 8))

  private func post(_ bytes: [UInt8], to inbox: DatagramInbox) {
    bytes.withUnsafeBytes { inbox.post($0, path: path) }
  }

  @Test func itIsBoundedAndCounts() throws {
    let inbox = try DatagramInbox()
    let log = EchoHandler.Log()
    let handler = EchoHandler(log: log, echoes: false)
    let now = Instant(nanoseconds: 1)
    for round in 1...3 {
      for i in 0..<300 { post([UInt8(truncatingIfNeeded: i), UInt8(round)], to: inbox) }
      inbox.deliver(to: handler, now: now)
      inbox.deliver(to: handler, now: now)
      #expect(inbox.counts == (UInt64(256 * round), UInt64(44 * round)))
    }
    let received = log.received.withLock { $0 }
    #expect(received.map(\.bytes) == (1...3).flatMap { round in (0..<256).map { [UInt8($0), UInt8(round)] } })
    #expect(received.allSatisfy { $0.path == path })
  }

  /// Longer ones than ours are none of ours; empty ones have no id, but do no harm.
  @Test func oddSizes() throws {
    let inbox = try DatagramInbox()
    let log = EchoHandler.Log()
    for size in [0, 1, 1400, 1408, 1409, 65_000] { post([UInt8](repeating: 1, count: size), to: inbox) }
    inbox.deliver(to: EchoHandler(log: log, echoes: false), now: Instant(nanoseconds: 1))
    #expect(log.received.withLock { $0.map(\.bytes.count) } == [0, 1, 1400, 1408] && inbox.counts.dropped == 2)
  }

  /// From several threads at once, all of them arrive on the driver's, which sleeps when there is nothing.
  @Test func aDriverWakesForIt() async throws {
    let inbox = try DatagramInbox()
    let log = EchoHandler.Log()
    let driver = try EchoDriver(
      bind: .loopback(1), name: "inbox", inbox: inbox, handler: EchoHandler(log: log, echoes: false),
      onTurn: { _, _ in })
    try await eventually("it has run") { driver.statistics.turns > 0 }
    await withTaskGroup(of: Void.self) { group in
      for thread: UInt8 in 0..<4 {
        group.addTask {
          for i: UInt8 in 0..<50 { [thread, i].withUnsafeBytes { inbox.post($0, path: path) } }
        }
      }
    }
    try await eventually("all arrive") { log.received.withLock { $0.count } == 200 }
    for thread: UInt8 in 0..<4 {
      let numbers = log.received.withLock { $0.filter { $0.bytes[0] == thread }.map { $0.bytes[1] } }
      #expect(numbers == Array(0..<50))
    }
    try await eventually("it is counted") { driver.statistics.datagramsHandedOver == 200 }
    let turns = driver.statistics.turns
    try await Task.sleep(for: .milliseconds(50))
    #expect(driver.statistics.turns == turns)
  }

  /// Drivers of one process share a port, and get what comes spread by address; nobody else gets it.
  @Test func severalSocketsShareAPort() async throws {
    let address = try EchoDriver.unused(.loopback(1))
    let logs = [EchoHandler.Log(), EchoHandler.Log()]
    var drivers: [EchoDriver] = []
    for log in logs {
      drivers.append(
        try EchoDriver(
          bind: address, name: "shared", sharesPort: true, handler: EchoHandler(log: log, echoes: true),
          onTurn: { _, _ in }))
    }
    let error = #expect(throws: UDPError.self) { try EchoDriver.unused(address) }
    #expect(error?.kind == .portInUse)
    #expect(throws: UDPError.self) { try makeEcho(address) }
    var clients: [(driver: EchoDriver, log: EchoHandler.Log)] = []
    for i in 0..<64 {
      let client = try makeEcho(.loopback(2), echoes: false)
      client.driver.perform { handler, _ in handler.send("\(i)", to: address) }
      clients.append(client)
    }
    for (i, client) in clients.enumerated() {
      try await eventually("the answer") { client.log.texts == ["\(i)"] }
      #expect(client.log.received.withLock { $0[0].path.remote } == address)
    }
    #expect(logs.allSatisfy { $0.texts.count > 8 } && logs[0].texts.count + logs[1].texts.count == 64)
  }
}
