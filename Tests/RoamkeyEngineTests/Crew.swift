import RoamkeyCrypto
import RoamkeyWire

@testable import RoamkeyEngine

/// Three shards of one server on one thread, and clients that reach the one that a test says.
final class Crew {
  /// `@unchecked`, because a test has one thread.
  final class Registry: ShardRegistry, @unchecked Sendable {
    struct Place {
      var number: UInt64
      var shard: Int
    }

    private(set) var places: [PlayerID: Place] = [:]
    fileprivate var superseded: [SessionHandle] = []
    private var last: UInt64 = 0
    fileprivate let limit: Int

    init(limit: Int) { self.limit = limit }

    func nextNumber() -> UInt64 {
      last += 1
      return last
    }

    func enter(_ player: PlayerID, prefix: UInt128, shard: Int, _ configuration: RoamkeyConfiguration) -> UInt64? {
      let older = places[player]
      guard older != nil || places.count < limit else { return nil }
      let number = nextNumber()
      places[player] = Place(number: number, shard: shard)
      if let older, older.shard != shard {
        superseded.append(ServerShard.handle(older.number, shard: older.shard))
      }
      return number
    }

    func leave(_ player: PlayerID, number: UInt64) {
      if places[player]?.number == number { places[player] = nil }
    }
  }

  private final class Post: @unchecked Sendable {
    var waiting: [(bytes: [UInt8], path: NetworkPath, shard: Int)] = []
  }

  let registry: Registry
  let map = ShardMap(key: (7, 9), count: 3)
  let shards: [ServerEndpoint]
  var now = Instant(nanoseconds: 1_000_000_000)
  private let post = Post()
  private let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
  private var connections: UInt64 = 100

  init(places: Int = 100) {
    let registry = Registry(limit: places)
    let post = post
    let map = map
    self.registry = registry
    shards = (0..<3).map { index in
      let shard = ServerShard(
        index: index, map: map, clock: LocalClock(random: 5), registry: registry,
        handOver: { bytes, path, owner in post.waiting.append((Array(bytes), path, owner)) })
      return ServerEndpoint(
        key: Self.key(0), settings: ServerSettings(application: "test/1"), configuration: .init(),
        entropy: .seeded(UInt64(index)), shard: shard)
    }
  }

  private static func key(_ seed: UInt64) -> PlayerKey {
    var entropy = Entropy.seeded(seed)
    return PlayerKey(seed: entropy.secret())
  }

  /// Makes a handshake as the player with this number: Hello goes to one shard, Finish and the rest to another.
  func connect(_ player: UInt64, hello: Int, finish: Int) -> ClientEndpoint {
    connections += 1
    let client = ClientEndpoint(
      key: Self.key(player), settings: .init(application: "test/1"), configuration: .init(),
      entropy: .seeded(connections))
    client.connect(to: [serverAddress], now: now)
    for datagram in Self.datagrams(of: client, now) { deliver(datagram, to: hello, from: player) }
    answer(client)
    exchange(client, player, at: finish)
    return client
  }

  /// Hands over what both sides have until they are silent; what the client sends comes to one shard.
  func exchange(_ client: ClientEndpoint, _ player: UInt64, at shard: Int) {
    for _ in 0..<20 {
      for datagram in Self.datagrams(of: client, now) { deliver(datagram, to: shard, from: player) }
      answer(client)
    }
    settle()
  }

  private func answer(_ client: ClientEndpoint) {
    for shard in shards {
      for datagram in Self.datagrams(of: shard, now) {
        receive(datagram, client, NetworkPath(local: .any(port: 0), remote: serverAddress))
      }
    }
  }

  func deliver(_ datagram: [UInt8], to shard: Int, from player: UInt64) {
    let remote = NetworkAddress(ipv4: 198, 51, 100, UInt8(player), port: 5000)
    receive(datagram, shards[shard], NetworkPath(local: serverAddress, remote: remote))
    settle()
  }

  /// Does what shards have asked of each other.
  private func settle() {
    while !post.waiting.isEmpty || !registry.superseded.isEmpty {
      let (waiting, superseded) = (post.waiting, registry.superseded)
      post.waiting = []
      registry.superseded = []
      for item in waiting { receive(item.bytes, shards[item.shard], item.path) }
      for handle in superseded { shards[ServerShard.shard(of: handle)].supersede(handle, now: now) }
    }
  }

  private func receive(_ datagram: [UInt8], _ endpoint: some DatagramHandler, _ path: NetworkPath) {
    var datagram = datagram
    datagram.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      endpoint.receive(&span, path: path, now: now)
    }
  }

  /// Lets time pass for the servers; nobody hears what they send.
  func run(for duration: Duration) {
    now = now + duration
    for shard in shards {
      shard.handleTimeout(now: now)
      _ = Self.datagrams(of: shard, now)
    }
  }

  static func datagrams(of endpoint: some DatagramHandler, _ now: Instant) -> [[UInt8]] {
    var datagrams: [[UInt8]] = []
    var batch = DatagramBatch()
    repeat {
      batch.removeAll()
      endpoint.fill(&batch, now: now)
      for i in 0..<batch.count { datagrams.append(Array(batch.bytes(i))) }
    } while batch.isFull
    return datagrams
  }

  private func events(of shard: Int) -> [EngineEvent] {
    var events: [EngineEvent] = []
    shards[shard].drainEvents(into: &events)
    return events
  }

  /// The messages that have come since the last look.
  func messages(of shard: Int) -> [[UInt8]] {
    events(of: shard).compactMap { if case .message(_, let message) = $0 { message.content.body } else { nil } }
  }

  /// Why sessions have ended since the last look.
  func reasons(of shard: Int) -> [EndReason] {
    events(of: shard).compactMap { if case .left(_, let reason) = $0 { reason } else { nil } }
  }
}
