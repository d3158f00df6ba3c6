import Foundation
import RoamkeySimulator
import RoamkeyWire
import Synchronization
import TestSupport
import Testing

@testable import Roamkey
@testable import RoamkeyEngine

/// Real sockets under a flood, while honest players talk: nothing of theirs is lost, and nothing piles up.
@Suite(.realTime, .serialized, .timeLimit(.minutes(40)))
struct FloodTests {
  /// Somebody with many sockets and no key, who sends whatever comes to mind.
  private final class Flood: Sendable {
    private struct State {
      var sent = 0
      var isStopped = false
    }

    private let state = Mutex(State())

    /// - Parameter pause: microseconds between two datagrams, so that the socket of the server is busy, not full: what
    ///   the system drops is not what is shown here.
    init(to server: NetworkAddress, seed: UInt64, pause: UInt32) throws {
      let sockets = try (0..<40).map { _ in try RelaySocket(NetworkAddress(ipv4: 127, 0, 0, 9, port: 0)) }
      let thread = Thread { [weak self] in
        var random = SeededRandom(seed: seed)
        while let flood = self, !flood.state.withLock({ $0.isStopped }) {
          let socket = sockets[Int(random.next() % UInt64(sockets.count))]
          socket.send(Self.datagram(&random), to: server)
          while socket.receive() != nil {}
          flood.state.withLock { $0.sent += 1 }
          usleep(pause)
        }
      }
      thread.start()
    }

    deinit { stop() }

    func stop() { state.withLock { $0.isStopped = true } }

    var sent: Int { state.withLock { $0.sent } }

    private static func datagram(_ random: inout SeededRandom) -> [UInt8] {
      switch random.next() % 5 {
      case 0: return random.bytes(Int.random(in: 1...1400, using: &random))
      case 1: return [UInt8(random.next() & 0x1f)] + random.bytes(Int.random(in: 8...1399, using: &random))
      case 2: return [0xb0, 0x52, 0x4b, 0, 1, 8] + random.bytes(8) + [0] + random.bytes(300)
      case 3: return [0x80, 0x52, 0x4b, 0, 9, 8] + random.bytes(8) + [0] + random.bytes(1185)
      default:
        let source = ConnectionID()
        return HelloDatagram.prefix(
          destination: ConnectionID(random.next()), source: source, cookie: nil, mac: nil)
          + random.bytes(32) + [UInt8](repeating: 0, count: HelloDatagram.noisePayloadSize(source: source))
      }
    }
  }

  @Test func playersDoNotNotice() async throws {
    let seed = UInt64.random(in: 0 ... .max)
    let server = try await makeServer(discovery: .off)
    var clients: [Client] = []
    for _ in 0..<4 { clients.append(try await makeClient(server)) }
    let flood = try Flood(to: server.address, seed: seed, pause: 20)
    let log = server.log
    let logs = clients.map(\.log)
    var newcomers = 0
    // Until so much was sent; in rounds, so that both happen at the same time however busy the machine is.
    var round = 0
    while round < 20 || flood.sent < 20_000 {
      for client in clients {
        try client.send("up \(round)")
        #expect(server.send("down \(round)", to: client.id) == nil, "seed \(seed)")
      }
      try await Task.sleep(for: .milliseconds(5))
      round += 1
      if round == 10 {
        // From an address that is the flood's own, whose newcomers have to show a cookie by then.
        let newcomer = try await makeClient(server, bind: NetworkAddress(ipv4: 127, 0, 0, 9, port: 0))
        newcomers += 1
        await newcomer.close()
      }
    }
    flood.stop()
    for (client, own) in zip(clients, logs) {
      let up = try await log.all(round, "all of a player's messages") { event in
        if case .message(let message, client.id) = event { message.text } else { nil }
      }
      let down = try await own.all(round, "all of the server's messages") { event in
        if case .message(let message) = event { message.text } else { nil }
      }
      #expect(up == (0..<round).map { "up \($0)" } && down == (0..<round).map { "down \($0)" }, "seed \(seed)")
    }
    #expect(newcomers == 1)
    let kept = try #require(
      await server.drivers[0].ask { endpoint, _ in
        [
          endpoint.halfOpen.count, endpoint.sessions.count, endpoint.replies.count,
          Int(endpoint.statistics.retriesSent),
        ]
      })
    // What one address may have begun, and the players; the newcomer may not be gone yet.
    #expect(kept[0] <= 33 && (4...5).contains(kept[1]) && kept[2] <= 256, "seed \(seed): \(kept)")
    #expect(kept[3] > 100, "seed \(seed): whoever came was asked for a cookie")
    let statistics = await server.statistics()
    #expect(statistics.dropped > 5000, "seed \(seed): \(statistics.drops)")
    let joined = log.events.count { if case .joined = $0 { true } else { false } }
    #expect(joined == clients.count + 1 && server.players.count == clients.count, "seed \(seed)")
    for client in clients { await client.close() }
    await server.close()
  }
}
