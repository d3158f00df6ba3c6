import Testing

@testable import RoamkeyEngine

/// PROTOCOL §10.7: when a session spends datagrams on the comparison of clocks.
struct SessionClockTests {
  /// Counts the datagrams, both ways, from now on.
  private final class Meter {
    var count = 0
    var longest = 0

    init(_ pair: Pair) {
      let pass: ([UInt8]) -> [UInt8]? = { datagram in
        self.count += 1
        self.longest = max(self.longest, datagram.count)
        return datagram
      }
      pair.toServer = pass
      pair.toClient = pass
    }
  }

  private func serverSession(_ pair: Pair) throws -> Session { try #require(pair.server.sessions.values.first) }

  @Test func whoComesInKnowsTheOthersClockWithoutADatagramForIt() throws {
    let pair = Pair()
    pair.connect()
    #expect(try serverSession(pair).peerClock.hasSample && #require(pair.client.session).peerClock.hasSample)
    let meter = Meter(pair)
    pair.run(for: .seconds(4))
    #expect(meter.count == 0)
  }

  @Test func keepAlivesAreBareForAMinute() throws {
    let pair = Pair()
    pair.connect()
    let meter = Meter(pair)
    pair.run(for: .seconds(44))
    // A PING each five seconds, and its acknowledgement.
    #expect(meter.count == 2 * 8)
    let bare = meter.longest
    pair.run(for: .seconds(40))
    // One of the next has taken a question along, and its acknowledgement the answer.
    #expect(meter.longest > bare)
  }

  @Test func fromTheFirstMessageOnClocksAreCompared() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(2))
    let meter = Meter(pair)
    try pair.send("now")
    pair.exchange()
    let session = try serverSession(pair)
    #expect(session.counters.packetsSent > 0 && meter.count > 0)
    let soon = meter.count
    // Message, acknowledgement and what they take along, and an answer in a packet of its own at most.
    #expect(soon <= 4)
    pair.run(for: .seconds(4))
    #expect(meter.count == soon)
    // Ten seconds later the next message takes the next question along.
    pair.run(for: .seconds(10))
    let before = meter.count
    try pair.send("again")
    pair.exchange()
    pair.run(for: .seconds(1))
    #expect(meter.count - before == soon)
  }
}
