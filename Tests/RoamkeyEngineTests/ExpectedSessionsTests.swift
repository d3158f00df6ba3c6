import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// What is expected changes nothing but how soon memory is there.
@Suite struct ExpectedSessionsTests {
  /// Enough for a server to look ahead.
  private static let players = 64

  private func crowd() -> Crowd {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = Self.players
    return Crowd(Self.players, configuration: configuration)
  }

  private func expect(_ datagrams: [[UInt8]], _ server: ServerEndpoint) {
    var bytes = datagrams.flatMap { $0 }
    bytes.withUnsafeMutableBytes { all in
      var starts = [0]
      for datagram in datagrams { starts.append(starts[starts.count - 1] + datagram.count) }
      server.expect(datagrams.count) { UnsafeRawBufferPointer(rebasing: all[starts[$0]..<starts[$0 + 1]]) }
    }
  }

  private func say(_ crowd: Crowd) throws -> [[UInt8]] {
    try crowd.clients.map { client in
      let content = MessageContent(format: .text, action: "", body: Array("here".utf8))
      try client.send(content.encoded(), now: crowd.now)
      return try #require(crowd.flush(client).first).bytes
    }
  }

  @Test func allArrives() throws {
    let crowd = crowd()
    #expect(crowd.server.hasManyPeers)
    let said = try say(crowd)
    expect(said, crowd.server)
    for (i, datagram) in said.enumerated() { crowd.deliver(datagram, from: i) }
    crowd.exchange()
    #expect(Pair.texts(crowd.serverEvents).count == Self.players)
  }

  /// The others do not come, or something else does.
  @Test func whatIsExpectedNeedNotCome() throws {
    let crowd = crowd()
    let said = try say(crowd)
    let strangers: [[UInt8]] = [
      [], [0], [0, 1, 2], [0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9], Array(repeating: 7, count: 40),
    ]
    expect(strangers + said, crowd.server)
    crowd.deliver(said[60], from: 60)
    expect([said[1], said[1], said[2]], crowd.server)
    for i in [2, 1, 2, 3] { crowd.deliver(said[i], from: i) }
    crowd.server.drainEvents(into: &crowd.serverEvents)
    #expect(Pair.texts(crowd.serverEvents).count == 4)
  }

  /// Sessions that are gone when their turn comes are not looked at any more.
  @Test func whoEndsIsForgotten() throws {
    let crowd = crowd()
    let said = try say(crowd)
    expect(said, crowd.server)
    weak let gone = crowd.server.sessions[crowd.sessions[20]]
    for handle in crowd.sessions[10...] {
      crowd.server.close(handle, code: .shutdown, reason: "", now: crowd.now)
      crowd.server.sessions[handle]?.forget()
    }
    _ = crowd.flush(crowd.server)
    #expect(gone == nil && crowd.server.sessions.count == 10)
    for (i, datagram) in said.enumerated() { crowd.deliver(datagram, from: i) }
    crowd.server.drainEvents(into: &crowd.serverEvents)
    #expect(Pair.texts(crowd.serverEvents).count == 10)
  }
}
