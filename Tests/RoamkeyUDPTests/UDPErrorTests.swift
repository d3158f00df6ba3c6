import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

@Suite(.realTime, .timeLimit(.minutes(40)))
struct UDPErrorTests {
  @Test func portInUse() throws {
    let first = try makeEcho(.loopback(1))
    let address = first.driver.localAddress
    let error = try #require(throws: UDPError.self) { try makeEcho(address) }
    #expect(error.kind == .portInUse && error.address == address)
    #expect(
      error.description
        == "UDP port \(address.port) on 127.0.0.1 is already in use: "
        + "choose another port or stop the other program"
    )
    #expect(throws: UDPError.self) { try makeEcho(.any(port: address.port)) }
  }

  @Test(arguments: [
    NetworkAddress(ipv4: 198, 51, 100, 1, port: 0), NetworkAddress(ip: 0x2001_0db8 << 96 | 1, port: 0),
  ])
  func addressOfAnotherMachine(_ address: NetworkAddress) throws {
    let error = try #require(throws: UDPError.self) { try makeEcho(address) }
    #expect(error.kind == .addressNotAvailable)
    #expect(error.description.contains("cannot listen on"))
  }

  /// A datagram that cannot leave is lost alone: those before and after it go out, and the socket stays.
  @Test func sendErrorsAreCountedAndNeverFatal() async throws {
    let server = try makeEcho(.loopback(1))
    let client = try makeEcho(.any(port: 0), echoes: false)
    let target = server.driver.localAddress
    client.driver.perform { handler, _ in
      let bad: [NetworkAddress] = [
        NetworkAddress(ipv4: 240, 0, 0, 1, port: 9),  // reserved: invalid or unreachable
        NetworkAddress(ipv4: 255, 255, 255, 255, port: 9),  // broadcast without the right to: forbidden
        .loopback(1, port: 0),  // no port: invalid
        NetworkAddress(ip: 0xfe80 << 112 | 1, port: 9, scope: 9999),  // no such interface
      ]
      for i in 0..<200 {
        handler.send("\(i)", to: target)
        handler.send("lost", to: bad[i % bad.count])
      }
    }
    try await eventually("all the good ones arrive") { server.log.texts.count == 200 }
    #expect(server.log.texts == (0..<200).map(String.init))
    try await eventually("they are counted") {
      let statistics = client.driver.statistics
      return statistics.sendFailures.total >= 150 && statistics.sendFailures.total + statistics.datagramsSent == 400
    }
    let failures = client.driver.statistics.sendFailures
    #expect(failures.forbidden >= 50 && failures.invalid >= 50 && failures.lastError != 0)
  }

  /// A source address that went away with its network: the datagram leaves from another one.
  @Test func aVanishedSourceIsDropped() async throws {
    let server = try makeEcho(.any(port: 0))
    let client = try makeEcho(.any(port: 0), echoes: false)
    let port = server.driver.localAddress.port
    client.driver.perform { handler, _ in
      handler.send("a", to: .loopback(1, port: port), from: NetworkAddress(ipv4: 198, 51, 100, 7, port: 0))
      handler.send("b", to: .loopback6(port: port), from: NetworkAddress(ip: 0x2001_0db8 << 96 | 7, port: 0))
      handler.send("c", to: .loopback(1, port: port), from: NetworkAddress(ip: 0x2001_0db8 << 96 | 7, port: 0))
      handler.send("d", to: .loopback(1, port: port), from: NetworkAddress(ipv4: 224, 0, 0, 1, port: 0))
    }
    try await eventually("all arrive") { server.log.texts.sorted() == ["a", "b", "c", "d"] }
    try await eventually("two were helped") { client.driver.statistics.sourcesDropped == 2 }
    #expect(client.driver.statistics.sendFailures.total == 0)
  }

  /// Where there is no IPv6: the same behaviour on an IPv4 socket.
  @Test func fallsBackToIPv4() throws {
    let socket = try UDPSocket(bind: .any(port: 0), family: .ipv4)
    #expect(socket.localAddress.isUnspecified && socket.localAddress.isIPv4 && socket.localAddress.port != 0)
    let error = try #require(throws: UDPError.self) { _ = try UDPSocket(bind: .loopback6(), family: .ipv4) }
    #expect(error.kind == .addressNotAvailable)
  }
}
