import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

@Suite(.realTime, .timeLimit(.minutes(40)))
struct UDPDriverTests {
  @Test(arguments: [NetworkAddress.loopback(1), .loopback6()])
  func echoesInBothFamilies(_ address: NetworkAddress) async throws {
    let server = try makeEcho(address)
    let client = try makeEcho(address, echoes: false)
    let target = server.driver.localAddress
    #expect(target.port != 0 && target.ip == address.ip)
    client.driver.perform { handler, _ in handler.send("are you awake?", to: target) }
    try await eventually("the echo comes back") { client.log.texts == ["are you awake?"] }
    let path = client.log.received.withLock { $0[0].path }
    #expect(path == NetworkPath(local: client.driver.localAddress, remote: target))
  }

  /// A server on all addresses answers from the one that was asked; another would be a stranger.
  @Test func answersFromTheAddressThatWasAddressed() async throws {
    let server = try makeEcho(.any(port: 0))
    let client = try makeEcho(.any(port: 0), echoes: false)
    let port = server.driver.localAddress.port
    let targets = [NetworkAddress.loopback(5, port: port), .loopback(6, port: port), .loopback6(port: port)]
    client.driver.perform { handler, _ in for target in targets { handler.send("who?", to: target) } }
    try await eventually("three answers") { client.log.texts.count == 3 }
    #expect(Set(client.log.received.withLock { $0.map(\.path.remote) }) == Set(targets))
    #expect(Set(server.log.received.withLock { $0.map(\.path.local) }) == Set(targets))
  }

  @Test func aClientChoosesItsSource() async throws {
    let server = try makeEcho(.any(port: 0))
    let client = try makeEcho(.any(port: 0), echoes: false)
    let target = NetworkAddress.loopback(1, port: server.driver.localAddress.port)
    client.driver.perform { handler, _ in handler.send("x", to: target, from: .loopback(9)) }
    try await eventually("the answer") { client.log.texts.count == 1 }
    let port = client.driver.localAddress.port
    #expect(server.log.received.withLock { $0[0].path.remote } == .loopback(9, port: port))
    #expect(client.log.received.withLock { $0[0].path.local } == .loopback(9, port: port))
  }

  @Test func moveToAnotherAddressInMidStream() async throws {
    let server = try makeEcho(.any(port: 0))
    let client = try makeEcho(.loopback(2), echoes: false)
    let target = NetworkAddress.loopback(1, port: server.driver.localAddress.port)
    let first = client.driver.localAddress
    let moves = Locked<[NetworkPath]>([])
    for i in 0..<50 { client.driver.perform { handler, _ in handler.send("\(i)", to: target, from: first) } }
    try client.driver.rebind(to: .loopback(3)) { handler, from, to, _ in
      moves.withLock { $0.append(NetworkPath(local: from, remote: to)) }
      handler.send("moved", to: target, from: first)
    }
    let second = client.driver.localAddress
    #expect(second.ip == NetworkAddress.loopback(3).ip)
    #expect(moves.withLock { $0 } == [NetworkPath(local: first, remote: second)])
    for i in 50..<100 { client.driver.perform { handler, _ in handler.send("\(i)", to: target, from: first) } }
    try await eventually("everything arrives") { server.log.texts.count == 101 }
    let seen = server.log.received.withLock { $0.map { ($0.bytes, $0.path.remote) } }
    #expect(Set(server.log.texts) == Set((0..<100).map(String.init) + ["moved"]))
    for (bytes, remote) in seen {
      let text = String(decoding: bytes, as: UTF8.self)
      if text == "moved" || (Int(text) ?? 0) >= 50 { #expect(remote == second) }
    }
    try await eventually("answers reach the new address") {
      client.log.received.withLock { $0.filter { $0.path.local == second }.count } >= 51
    }
  }

  /// The ring that one address was received with must tell addresses once there are several.
  @Test func moveFromOneAddressToAll() async throws {
    let server = try makeEcho(.any(port: 0))
    let client = try makeEcho(.loopback(2), echoes: false)
    try client.driver.rebind(to: .any(port: 0))
    let target = NetworkAddress.loopback(1, port: server.driver.localAddress.port)
    client.driver.perform { handler, _ in handler.send("x", to: target, from: .loopback(9)) }
    try await eventually("the answer") { client.log.texts == ["x"] }
    let local = client.log.received.withLock { $0[0].path.local }
    #expect(local == .loopback(9, port: client.driver.localAddress.port))
  }

  @Test func aFailedMoveLeavesTheOldSocket() async throws {
    let server = try makeEcho(.loopback(1))
    let client = try makeEcho(.loopback(2), echoes: false)
    let target = server.driver.localAddress
    let before = client.driver.localAddress
    #expect(throws: UDPError.self) { try client.driver.rebind(to: NetworkAddress(ipv4: 198, 51, 100, 1, port: 0)) }
    #expect(client.driver.localAddress == before)
    client.driver.perform { handler, _ in handler.send("still here", to: target) }
    try await eventually("the old socket works") { client.log.texts == ["still here"] }
  }

  /// A move that is asked for on the driver's own thread takes effect before the next datagram leaves.
  @Test func moveFromItsOwnThread() async throws {
    let server = try makeEcho(.loopback(1))
    let client = try makeEcho(.loopback(2), echoes: false)
    let target = server.driver.localAddress
    let driver = client.driver
    driver.perform { [weak driver] handler, _ in
      handler.send("from there", to: target)
      try? driver?.rebind(to: .loopback(4))
    }
    try await eventually("it arrives") { server.log.texts == ["from there"] }
    #expect(server.log.received.withLock { $0[0].path.remote.ip } == NetworkAddress.loopback(4).ip)
  }

  @Test func workRunsInOrder() async throws {
    let echo = try makeEcho(.loopback(1))
    final class Seen: Sendable {
      let numbers = Locked<[[Int]]>(Array(repeating: [], count: 4))
    }
    let seen = Seen()
    let driver = echo.driver
    await withTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask {
          for i in 0..<5000 { driver.perform { _, _ in seen.numbers.withLock { $0[thread].append(i) } } }
        }
      }
    }
    driver.stop()
    for list in seen.numbers.withLock({ $0 }) { #expect(list == Array(0..<5000)) }
    #expect(echo.driver.statistics.turns < 20_000)
  }

  @Test func stopFlushesJoinsAndMayBeCalledAgain() async throws {
    let server = try makeEcho(.loopback(1))
    let client = try makeEcho(.loopback(1), echoes: false)
    let target = server.driver.localAddress
    client.driver.perform { handler, _ in for i in 0..<100 { handler.send("bye \(i)", to: target) } }
    let driver = client.driver
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<3 { group.addTask { driver.stop() } }
    }
    driver.stop()
    #expect(!client.driver.perform { _, _ in })
    #expect(throws: UDPError(.stopped, .loopback(1))) { try client.driver.rebind(to: .loopback(1)) }
    #expect(client.driver.statistics.datagramsSent == 100)
    try await eventually("what it had still arrives") { server.log.texts.count == 100 }
  }

  @Test func stopFromItsOwnThreadAndByLettingGo() async throws {
    final class Witness: Sendable {}
    weak var gone: Witness?
    do {
      let log = EchoHandler.Log()
      let witness = Witness()
      gone = witness
      let driver = try EchoDriver(
        bind: .loopback(1), name: "a name of more than fifteen bytes, é", handler: EchoHandler(log: log, echoes: true),
        onTurn: { [witness] _, _ in _ = witness })
      driver.perform { [weak driver] _, _ in driver?.stop() }
      driver.stop()
    }
    #expect(gone == nil)
    let port: UInt16
    do { port = try makeEcho(.loopback(1)).driver.localAddress.port }
    _ = try makeEcho(.loopback(1, port: port))
  }
}
