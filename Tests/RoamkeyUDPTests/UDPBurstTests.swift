import Glibc
import RoamkeyEngine
import RoamkeyWire
import Synchronization
import TestSupport
import Testing

@testable import RoamkeyUDP

/// Tests of load run one after the other: they would only take each other's buffers.
@Suite(.serialized, .realTime, .timeLimit(.minutes(40)))
struct UDPBurstTests {
  @Test(arguments: [NetworkAddress.loopback(1), .loopback6()], [8, 1400])
  func tenThousandBothWays(_ address: NetworkAddress, _ size: Int) async throws {
    let server = try makeBurst(.any(port: 0), size: size)
    let client = try makeBurst(
      .any(port: 0), size: size, asks: 10_000, target: address.with(port: server.driver.localAddress.port))
    try await eventually("all come back") { client.counters.received.load(ordering: .relaxed) == 10_000 }
    #expect(server.counters.received.load(ordering: .relaxed) == 10_000)
    #expect(client.counters.corrupt.load(ordering: .relaxed) + server.counters.corrupt.load(ordering: .relaxed) == 0)
    client.driver.stop()
    let statistics = client.driver.statistics
    #expect(statistics.datagramsSent == 10_000 && statistics.bytesSent == UInt64(10_000 * size))
    #expect(statistics.datagramsReceived == 10_000 && statistics.bytesReceived == UInt64(10_000 * size))
    #expect(statistics.sendFailures.total + statistics.receiveFailures.total + statistics.truncated == 0)
  }

  /// A server that does not get to read loses datagrams to a full buffer, sees how many, and goes on.
  @Test(arguments: [false, true]) func aFloodIsCountedAndSurvived(_ joinsRuns: Bool) async throws {
    let server = try makeBurst(.loopback(1), size: 1400)
    let target = server.driver.localAddress
    let isHeld = Gate()
    let release = Gate()
    server.driver.perform { _, _ in
      isHeld.open()
      release.wait()
    }
    isHeld.wait()
    let client = try makeBurst(
      .loopback(2), size: 1400, asks: 20_000, window: .max, target: target, joinsRuns: joinsRuns)
    try await eventually("the flood is out") { client.driver.statistics.datagramsSent == 20_000 }
    release.open()
    try await eventually("every datagram is accounted for") {
      let statistics = server.driver.statistics
      let missing = 20_000 - min(statistics.datagramsReceived, 20_000)
      guard joinsRuns else { return statistics.overflowed > 0 && missing == statistics.overflowed }
      // The system counts a run as one.
      return statistics.overflowed > 0 && (statistics.overflowed...statistics.overflowed * 46).contains(missing)
    }
    let before = client.counters.received.load(ordering: .relaxed)
    client.driver.perform { handler, _ in handler.ask(for: 1) }
    try await eventually("it still answers") { client.counters.received.load(ordering: .relaxed) > before }
    #expect(server.counters.corrupt.load(ordering: .relaxed) == 0)
  }

  /// What fits no slot is dropped, an empty datagram is one like any other, and the path is right on an IPv4 socket.
  @Test(arguments: [SocketFamily.ipv6, .ipv4])
  func oddSizes(_ family: SocketFamily) async throws {
    let log = EchoHandler.Log()
    let socket = try UDPSocket(bind: NetworkAddress(ipv4: 0, 0, 0, 0, port: 0), family: family)
    let driver = try EchoDriver(
      socket: socket, name: "odd", handler: EchoHandler(log: log, echoes: false), onTurn: { _, _ in })
    let sender = try UDPSocket(bind: .loopback(2))
    let target = NetworkAddress.loopback(7, port: driver.localAddress.port)
    for size in [0, 2048, 2049, 9000, 1] { #expect(send(size, from: sender, to: target) == size) }
    try await eventually("three arrive") { log.received.withLock { $0.map(\.bytes.count) } == [0, 2048, 1] }
    try await eventually("two do not") { driver.statistics.truncated == 2 }
    let path = NetworkPath(local: target, remote: sender.localAddress)
    #expect(log.received.withLock { $0.allSatisfy { $0.path == path } })
  }

  /// Replies leave from the addressed IP, and IPv6 is merely unreachable, where there is no IPv6.
  @Test func anIPv4SocketServesAlike() async throws {
    let log = EchoHandler.Log()
    let socket = try UDPSocket(bind: .any(port: 0), family: .ipv4)
    let driver = try EchoDriver(
      socket: socket, name: "four", handler: EchoHandler(log: log, echoes: true), onTurn: { _, _ in })
    let client = try makeEcho(.any(port: 0), echoes: false)
    let port = driver.localAddress.port
    client.driver.perform { handler, _ in handler.send("x", to: .loopback(5, port: port)) }
    try await eventually("the answer") { client.log.texts == ["x"] }
    #expect(client.log.received.withLock { $0[0].path.remote } == .loopback(5, port: port))
    driver.perform { handler, _ in handler.send("y", to: .loopback6(port: 9)) }
    try await eventually("it is counted") { driver.statistics.sendFailures.unreachable == 1 }
  }

  /// RFC 8899 §3: datagrams must not be fragmented, nor held back for what the system believes of the path.
  @Test func fragmentsNothing() throws {
    let socket = try UDPSocket(bind: .any(port: 0))
    for (level, option, value) in [(IPPROTO_IPV6, 23, 3), (IPPROTO_IPV6, 62, 1), (IPPROTO_IP, 10, 3)] {
      var found: CInt = -1
      var size = socklen_t(MemoryLayout<CInt>.size)
      #expect(getsockopt(socket.descriptor, CInt(level), CInt(option), &found, &size) == 0)
      #expect(found == CInt(value), "option \(option)")
    }
  }
}

private func makeBurst(
  _ address: NetworkAddress, size: Int = 200, asks: Int = 0, window: Int = 256, target: NetworkAddress? = nil,
  joinsRuns: Bool = true
) throws -> (driver: BurstDriver, counters: BurstHandler.Counters) {
  let counters = BurstHandler.Counters()
  let handler = BurstHandler(counters: counters, asks: asks, of: size, window: window, target: target)
  let driver = try BurstDriver(
    socket: UDPSocket(bind: address, joinsRuns: joinsRuns), name: "burst test", handler: handler,
    onTurn: { _, _ in })
  return (driver, counters)
}

func send(_ size: Int, from socket: UDPSocket, to target: NetworkAddress) -> Int {
  var name = SocketName()
  guard target.write(to: &name, family: socket.family) else { return -1 }
  let bytes = [UInt8](repeating: 7, count: size)
  return withUnsafePointer(to: &name) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      sendto(socket.descriptor, bytes, size, 0, $0, socket.family.nameSize)
    }
  }
}
