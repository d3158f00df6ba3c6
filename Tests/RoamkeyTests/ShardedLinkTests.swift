import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import Roamkey
@testable import RoamkeyEngine

/// What the loops of several shards tell one app.
struct ShardedLinkTests {
  private static let now = Instant(nanoseconds: 1_000_000_000)

  private static func message(_ text: String, in session: SessionHandle, _ sequence: UInt64) -> EngineEvent {
    .message(
      session,
      InboundMessage(
        stream: StreamID(channel: 0, delivery: .reliableOrdered), sequence: sequence,
        content: MessageContent(format: .text, action: "", body: Array(text.utf8)), credit: 40, receivedAt: now,
        sentAt: now))
  }

  /// A player comes to another shard. What the first one still brings of the old session belongs to nobody: for the app
  /// it has ended.
  @Test func afterTheEndNothingIsHeardOfASession() {
    let clock = LocalClock(random: 1)
    let link = ServerLink(RoamkeyConfiguration(), clock: clock, shards: 2)
    let registry = PlayerRegistry(supersede: { _ in })
    let map = ShardMap(key: (1, 2), count: 2)
    let endpoints = (0..<2).map { index in
      ServerEndpoint(
        key: .generate(), settings: ServerSettings(application: "test/1"), configuration: .init(), entropy: .seeded(1),
        shard: ServerShard(index: index, map: map, clock: clock, registry: registry, handOver: { _, _, _ in }))
    }
    let player = PlayerKey.generate().id
    let address = NetworkAddress(ipv4: 192, 0, 2, 1, port: 1)
    let (old, new) = (ServerShard.handle(1, shard: 0), ServerShard.handle(2, shard: 1))
    link.turn(endpoints[0], Self.now, after: [.joined(old, player, address), Self.message("one", in: old, 0)])
    link.turn(endpoints[1], Self.now, after: [.joined(new, player, address)])
    link.turn(endpoints[0], Self.now, after: [Self.message("too late", in: old, 1)])
    link.turn(endpoints[1], Self.now, after: [Self.message("two", in: new, 0)])
    let told = link.takeEvents().map { event in
      switch event {
      case .joined: "joined"
      case .left: "left"
      case .message(let message, let author): author == player ? message.text ?? "" : "somebody else's"
      case .roamed, .offline, .online: "something else"
      }
    }
    #expect(told == ["joined", "one", "left", "joined", "two"])
  }
}
