import Roamkey
import TestSupport
import Testing

@testable import RoamkeyState

/// The same over real sockets.
@Suite(.realTime, .timeLimit(.minutes(10))) struct StateSocketTests {
  @Test func statesArriveAndWhoeverComesBackHasAnotherSession() async throws {
    let listen = NetworkAddress(ipv4: 127, 0, 0, 1, port: 0)
    let server = try await Server(key: .generate(), application: "state/1", listen: listen, discovery: .off)
    let id = PlayerKey.generate().id
    #expect(server.sessionNumber(of: id) == nil)
    var publisher = StatePublisher<[String: Int]>()
    var sessions: Set<UInt64> = []
    for round in 0..<2 {
      let client = try await Client(
        key: .generate(), application: "state/1", server: "\(server.address)", pinned: server.id)
      sessions.insert(
        try await eventually("the server to know of its client") { server.sessionNumber(of: client.id) })
      var subscriber = StateSubscriber<[String: Int]>()
      var tick = 0
      try await eventually("states") { () -> Bool? in
        tick += 1
        _ = publisher.take(server.takeEvents())
        publisher.take(server.takeReceipts())
        publisher.publish(["tick": tick, "round": round], to: server)
        server.flush()
        _ = subscriber.take(client.takeEvents(), from: client)
        #expect(subscriber.lastError == nil && (subscriber.newest?["round"] ?? round) == round)
        // Differences as well as whole states.
        return subscriber.statistics.states > subscriber.statistics.fullStates + 5 ? true : nil
      }
      await client.close()
    }
    #expect(sessions.count == 2)
    await server.close()
  }
}
