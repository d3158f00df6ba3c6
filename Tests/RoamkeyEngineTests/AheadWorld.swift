import RoamkeyCrypto
import RoamkeySimulator
import RoamkeyWire

@testable import RoamkeyEngine

/// Verifies on the spot, in an order of its own, as if so many helpers had taken their part.
final class LoneBoard: VerificationBoard, @unchecked Sendable {
  // `@unchecked`, because a test has one thread.
  let helpers: Int
  /// Whether it leaves everything as it is: nothing is verified, and so nothing good.
  var isLazy = false
  private(set) var tasks = 0
  private(set) var batches = 0
  private(set) var bad = 0
  private var random: SeededRandom

  init(helpers: Int, seed: UInt64 = 1) {
    self.helpers = helpers
    random = SeededRandom(seed: seed)
  }

  var hasIdleHelpers: Bool { helpers > 0 }

  func verify(_ tasks: UnsafeMutableBufferPointer<Verification>) -> Int {
    batches += 1
    self.tasks += tasks.count
    guard !isLazy else { return 0 }
    for i in tasks.indices.shuffled(using: &random) { tasks[i].run() }
    bad += tasks.count { !$0.isGood }
    return tasks.count * helpers / (helpers + 1)
  }
}

/// Two servers alike, of which one looks ahead with a board: both are given the same, in batches, by the same players.
final class AheadWorld {
  let board: LoneBoard
  let plain: ServerEndpoint
  let helped: ServerEndpoint
  private(set) var clients: [ClientEndpoint] = []
  var now = Instant(nanoseconds: 1_000_000_000)
  /// What the servers have told, and sent.
  private(set) var plainEvents: [EngineEvent] = []
  private(set) var helpedEvents: [EngineEvent] = []
  /// Datagrams that the two servers did not send alike.
  private(set) var differences = 0
  private let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

  init(players: Int, board: LoneBoard, configuration: RoamkeyConfiguration = .init()) {
    self.board = board
    plain = Self.server(nil, configuration)
    helped = Self.server(board, configuration)
    for i in 0..<players {
      let client = ClientEndpoint(
        key: Self.key(UInt64(i + 1)), settings: .init(application: "test/1"), configuration: configuration,
        entropy: .seeded(UInt64(i + 2)))
      clients.append(client)
      client.connect(to: [serverAddress], now: now)
    }
    for _ in 0..<40 { pass(.milliseconds(25)) }
  }

  private static func server(_ board: LoneBoard?, _ configuration: RoamkeyConfiguration) -> ServerEndpoint {
    let shard = ServerShard(
      index: 0, map: ShardMap(key: (1, 2), count: 1), clock: LocalClock(random: 5),
      registry: Crew.Registry(limit: 1000), board: board, handOver: { _, _, _ in })
    return ServerEndpoint(
      key: key(0), settings: ServerSettings(application: "test/1"), configuration: configuration, entropy: .seeded(1),
      shard: shard)
  }

  private static func key(_ seed: UInt64) -> PlayerKey {
    var entropy = Entropy.seeded(seed)
    return PlayerKey(seed: entropy.secret())
  }

  func send(_ text: String, from i: Int, _ delivery: Delivery = .reliableOrdered) throws {
    let content = MessageContent(format: .text, action: "", body: Array(text.utf8))
    try clients[i].send(content.encoded(), MessageOptions(delivery: delivery), now: now)
  }

  /// Time passes, then everything that both sides have to say is carried, the players' part as one batch.
  func pass(_ time: Duration, meddle: ([(bytes: [UInt8], from: Int)]) -> [(bytes: [UInt8], from: Int)] = { $0 }) {
    now = now + time
    tick(plain)
    tick(helped)
    deliver(meddle(takeFromClients()))
    answer()
  }

  /// What the players have to say now.
  func takeFromClients() -> [(bytes: [UInt8], from: Int)] {
    clients.indices.flatMap { i in
      tick(clients[i])
      return flush(clients[i], now: now).map { ($0.bytes, i) }
    }
  }

  /// Hands a batch to both servers.
  func deliver(_ batch: [(bytes: [UInt8], from: Int)]) {
    for datagram in batch { receive(datagram, by: plain) }
    let looksAhead = helped.looksAhead
    if looksAhead {
      for datagram in batch { helped.lookAhead(at: datagram.bytes.span.bytes) }
      helped.beginBatch()
    }
    for datagram in batch { receive(datagram, by: helped) }
    if looksAhead { helped.endBatch() }
  }

  private func receive(_ datagram: (bytes: [UInt8], from: Int), by server: ServerEndpoint) {
    let remote = NetworkAddress(ipv4: 198, 51, 100, 7, port: UInt16(5000 + datagram.from))
    hand(datagram.bytes, to: server, NetworkPath(local: serverAddress, remote: remote))
  }

  /// Carries what the servers have to say, and takes what they tell.
  func answer() {
    let (answers, others) = (flush(plain, now: now), flush(helped, now: now))
    if answers.map(\.bytes) != others.map(\.bytes) || answers.map(\.to) != others.map(\.to) { differences += 1 }
    for (bytes, to) in answers {
      hand(bytes, to: clients[Int(to.port) - 5000], NetworkPath(local: .any(port: 0), remote: serverAddress))
    }
    plain.drainEvents(into: &plainEvents)
    helped.drainEvents(into: &helpedEvents)
  }

  private func tick(_ endpoint: some DatagramHandler) {
    if let due = endpoint.nextTimeout, due <= now { endpoint.handleTimeout(now: now) }
  }

  private func hand(_ datagram: [UInt8], to endpoint: some DatagramHandler, _ path: NetworkPath) {
    var datagram = datagram
    datagram.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      endpoint.receive(&span, path: path, now: now)
    }
  }

  /// The helped server's session of a player.
  func session(_ i: Int) -> Session? { helped.players[clients[i].id] }

  /// The same packet, sealed by its sender with a signature that is not good; nil for what is no packet of a session.
  func withBadSignature(_ datagram: (bytes: [UInt8], from: Int)) -> [UInt8]? {
    guard let receiver = session(datagram.from), let sender = clients[datagram.from].session else { return nil }
    var packet = datagram.bytes
    let isForged = packet.withUnsafeMutableBytes { bytes -> Bool in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      let idSize = receiver.issuedIDs.size
      let opened = try? receiver.keys.open(
        &span, connectionIDSize: idSize, window: receiver.window, receiving: receiver.phases)
      // What the sender's current keys have not sealed they cannot seal again.
      guard let opened, opened.phase == .current,
        let trailer = try? SignatureTrailer(span.bytes.extracting(opened.plaintext))
      else { return false }
      let headerSize = opened.plaintext.lowerBound
      bytes[headerSize + trailer.signature] ^= 1
      sender.keys.protect(&span, headerSize: headerSize, numberSize: headerSize - 1 - idSize, number: opened.number)
      return true
    }
    return isForged ? packet : nil
  }
}
