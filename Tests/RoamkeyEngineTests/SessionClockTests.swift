import Testing

@testable import RoamkeyEngine

/// PROTOCOL §10.7: when a session spends datagrams on the comparison of clocks.
struct SessionClockTests {
  /// Counts the datagrams, both ways, from now on.
  private final class Meter {
    var count = 0

    init(_ pair: Pair) {
      let pass: ([UInt8]) -> [UInt8]? = { datagram in
        self.count += 1
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

  @Test func fromTheFirstMessageOnClocksAreCompared() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(2))
    try pair.send("now")
    pair.exchange()
    pair.run(for: .milliseconds(100))
    let meter = Meter(pair)
    // Two more of the four at the start: one rode along with each side's part of the handshake, one with the message.
    pair.run(for: .seconds(2))
    #expect(meter.count == 6, "each time a question, an answer that asks as well, and an answer")
    pair.run(for: .seconds(2))
    #expect(meter.count == 6)
  }
}
