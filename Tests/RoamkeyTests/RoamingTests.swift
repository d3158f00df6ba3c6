import TestSupport
import Testing

@testable import Roamkey

/// Clients that change their address in mid-stream.
@Suite(.realTime, .timeLimit(.minutes(40))) struct RoamingTests {
  @Test func movingLosesNothing() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server, bind: NetworkAddress(ipv4: 127, 0, 0, 2, port: 0))
    let count = 1000
    let (serverLog, clientLog) = (server.log, client.log)
    let talk = Task {
      for number in 0..<count {
        try client.send("up \(number)")
        _ = server.send("down \(number)", to: client.id)
        if number % 20 == 0 { try await Task.sleep(for: .milliseconds(4)) }
      }
    }
    for host: UInt8 in 3...6 {
      try client.rebind(to: NetworkAddress(ipv4: 127, 0, 0, host, port: 0))
      try await serverLog.first("the move to 127.0.0.\(host)") {
        if case .roamed(client.id, _, let to) = $0, to == client.localAddress { true } else { nil }
      }
    }
    try await talk.value
    let up = try await serverLog.all(count, "what went up") {
      if case .message(let message, client.id) = $0 { message.text } else { nil }
    }
    let down = try await clientLog.all(count, "what came down") {
      if case .message(let message) = $0 { message.text } else { nil }
    }
    #expect(up == (0..<count).map { "up \($0)" })
    #expect(down == (0..<count).map { "down \($0)" })
    #expect(serverLog.events.contains { if case .left = $0 { true } else { false } } == false)
    #expect(server.address(of: client.id) == client.localAddress)
    try await clientLog.first("its own move") { if case .roamed(_, client.localAddress) = $0 { true } else { nil } }
    await client.close()
    await server.close()
  }

  @Test func anAddressThatIsNotOursChangesNothing() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    let before = client.localAddress
    do throws(RoamkeyError) {
      try client.rebind(to: NetworkAddress(ipv4: 192, 0, 2, 1, port: 0))
      Issue.record("bound to somebody else's address")
    } catch {
      #expect(error.code == .addressNotAvailable)
    }
    #expect(client.localAddress == before)
    try client.send("still here")
    try await server.log.first("the message") { if case .message = $0 { true } else { nil } }
    await client.close()
    await server.close()
  }
}
