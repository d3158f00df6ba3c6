import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

struct PairTests {
  @Test func connectsAndTalksBothWays() throws {
    let pair = Pair()
    pair.connect()
    guard case .joined(let handle, let player, let address) = try #require(pair.serverEvents.first) else {
      Issue.record("\(pair.serverEvents)")
      return
    }
    #expect(player == pair.clientID)
    #expect(address == pair.clientAddress)
    guard case .joined(_, let host, _) = try #require(pair.clientEvents.first) else {
      Issue.record("\(pair.clientEvents)")
      return
    }
    #expect(host == pair.serverID)
    for i in 0..<300 { try pair.send("line \(i)") }
    for i in 0..<300 {
      let content = MessageContent(format: .text, action: "", body: Array("echo \(i)".utf8))
      try pair.server.send(content.encoded(), to: handle, now: pair.now)
    }
    pair.run(for: .seconds(1))
    #expect(pair.heard == (0..<300).map { "line \($0)" })
    #expect(Pair.texts(pair.clientEvents) == (0..<300).map { "echo \($0)" })
    #expect(pair.server.queuedBytes(of: handle) == 0)
    #expect(pair.client.queuedBytes == 0)
    #expect(pair.server.statistics.dropped == 0)
    #expect(pair.client.statistics.dropped == 0)
  }

  @Test func closesAfterDelivery() throws {
    let pair = Pair()
    pair.connect()
    for i in 0..<1000 { try pair.send("line \(i)") }
    pair.client.close(afterDelivery: true, now: pair.now)
    pair.run(for: .seconds(10))
    #expect(pair.heard.count == 1000)
    #expect(pair.client.isIdle)
    #expect(pair.server.isIdle)
    #expect(pair.serverEvents.contains { if case .left(_, .closed) = $0 { true } else { false } })
  }

  @Test func aQuietSessionOnlyPings() throws {
    let pair = Pair()
    pair.connect()
    pair.run(for: .seconds(1))
    let before = pair.server.statistics.datagramsSent + pair.client.statistics.datagramsSent
    pair.run(for: .seconds(60))
    let sent = pair.server.statistics.datagramsSent + pair.client.statistics.datagramsSent - before
    #expect((24...60).contains(sent), "\(sent) datagrams in a minute of silence")
    #expect(!pair.serverEvents.contains { if case .offline = $0 { true } else { false } })
  }
}
