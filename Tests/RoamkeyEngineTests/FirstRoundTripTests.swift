import Testing

@testable import RoamkeyEngine

/// The handshake is a round trip too: what it took is the first estimate, so that a lost first packet does not cost the
/// second that RFC 9002 §6.2.2 asks of those who know nothing.
struct FirstRoundTripTests {
  static func connected(_ way: Duration, repeatsHello: Bool = false) throws -> (client: Duration, server: Duration) {
    let pair = Pair()
    pair.connectSlowly(way, losesFirstHello: repeatsHello)
    let server = try #require(pair.server.sessions.values.first)
    let client = try #require(pair.client.session)
    return (client.rtt.smoothed, server.rtt.smoothed)
  }

  @Test func bothSidesKnowIt() throws {
    let rtt = try Self.connected(.milliseconds(20))
    #expect(rtt.client == .milliseconds(40))
    #expect(rtt.server == .milliseconds(40))
  }

  @Test("Karn's rule: nothing is learnt from an answer to one of several Hellos")
  func repeated() throws {
    let rtt = try Self.connected(.milliseconds(20), repeatsHello: true)
    #expect(rtt.client == RTTEstimator.initialRTT)
    #expect(rtt.server == .milliseconds(40))
  }

  @Test func aLongOneIsNotBelieved() throws {
    let rtt = try Self.connected(.milliseconds(170))
    #expect(rtt.client == RTTEstimator.initialRTT)
  }
}

extension Pair {
  /// Connects over a network on which each datagram takes `way`, until the server has opened the session.
  fileprivate func connectSlowly(_ way: Duration, losesFirstHello: Bool) {
    var buffer = [UInt8](repeating: 0, count: 1400)
    client.connect(to: [serverAddress], now: now)
    let start = now
    while server.sessions.isEmpty, now < start + .seconds(5) {
      guard let datagram = poll(client, &buffer) else {
        now = max(now, client.nextTimeout ?? now)
        continue
      }
      if losesFirstHello, now == start { continue }
      now = now + way
      deliver(datagram, to: server, local: serverAddress, remote: clientAddress)
      guard server.sessions.isEmpty, let answer = poll(server, &buffer) else { continue }
      now = now + way
      deliver(answer, to: client, local: clientAddress, remote: serverAddress)
    }
  }
}
