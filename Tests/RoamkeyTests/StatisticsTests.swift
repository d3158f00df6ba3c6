import RoamkeyEngine
import TestSupport
import Testing

@testable import Roamkey
@testable import RoamkeyUDP

/// What is told about sessions and sockets.
@Suite(.realTime, .timeLimit(.minutes(40))) struct StatisticsTests {
  @Test func eachSideSeesHowTheSessionIsDoing() async throws {
    let server = try await makeServer()
    let client = try await makeClient(server)
    try client.send("one")
    try await server.log.first("the message") { if case .message = $0 { true } else { nil } }
    let own = try #require(await client.sessionStatistics())
    #expect(own.messagesSent == 1)
    #expect(own.bytesSent > 0)
    #expect(!own.isOffline)
    let roundTrip = try #require(own.roundTrip, "the handshake measured it")
    #expect(roundTrip > .zero && roundTrip < .seconds(10))
    let players = try #require(await server.statistics(of: client.id))
    #expect(players.messagesReceived == 1)
    #expect(players.packetsReceived > 0)
    #expect(await server.statistics(of: PlayerKey.generate().id) == nil)
    await client.close()
    #expect(await client.sessionStatistics() == nil)
    try await server.log.first("the leave") { if case .left = $0 { true } else { nil } }
    #expect(await server.statistics(of: client.id) == nil)
    await server.close()
    #expect(await server.statistics(of: client.id) == nil)
  }

  @Test func threadsAreAddedUp() {
    var (sum, other) = (EndpointStatistics(), EndpointStatistics())
    (sum.signaturesVerifiedElsewhere, other.signaturesVerifiedElsewhere) = (3, 4)
    sum.add(other)
    #expect(Statistics(sum, sockets: .init(), unreadDropped: 0, players: 0).signaturesVerifiedElsewhere == 7)
  }

  @Test func sendErrorsAreToldByKind() {
    #expect(SocketStatistics.Failures().byKind.isEmpty)
    var failures = SocketStatistics.Failures()
    let kinds: [(WritableKeyPath<SocketStatistics.Failures, UInt64>, String)] = [
      (\.unreachable, "unreachable"), (\.forbidden, "forbidden"), (\.noAddress, "noAddress"), (\.noBuffer, "noBuffer"),
      (\.refused, "refused"), (\.tooLarge, "tooLarge"), (\.invalid, "invalid"), (\.other, "other"),
    ]
    for (index, (path, _)) in kinds.enumerated() { failures[keyPath: path] = UInt64(index) + 1 }
    #expect(failures.byKind == Dictionary(uniqueKeysWithValues: kinds.enumerated().map { ($1.1, UInt64($0) + 1) }))
    #expect(failures.byKind.values.reduce(0, +) == failures.total)
    var sockets = SocketStatistics()
    sockets.sendFailures = failures
    let statistics = Statistics(.init(), sockets: sockets, unreadDropped: 3, receiptsDropped: 4, players: 0)
    #expect(statistics.sendErrors == failures.total)
    #expect(statistics.sendErrorsByKind == failures.byKind)
    #expect(statistics.unreadDropped == 3)
    #expect(statistics.receiptsDropped == 4)
  }
}
