import Glibc
import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

/// A server, and players who say something in an order without a pattern, so that with many of them nothing of a
/// session is in the processor's caches when its datagram comes.
///
/// As a driver does, it hands the server a batch of datagrams, each of another player, and takes what the server has to
/// say then: an answer of the app to each, with the acknowledgement in it.
final class GrowthCrowd {
  private let server: ServerEndpoint
  private var clients: [ClientEndpoint] = []
  private var sessions: [SessionHandle] = []
  private var order: [Int]
  private var turn = 0
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var arrivals = DatagramBatch()
  /// Who sent each of them.
  private var senders: [Int] = []
  private var answers = DatagramBatch()
  private let up = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 1, count: 64)).encoded()
  private let down = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 2, count: 200)).encoded()

  private static let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
  /// So long all players together take for a turn each.
  private static let round = Duration.milliseconds(50)
  /// Datagrams that a driver takes with one call, at most.
  private static let batch = 32

  init(policy: SigningPolicy, players: Int) {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessions = players
    configuration.maximumSessionsPerPrefix = players
    // Nothing is to leave but what the apps say.
    configuration.maximumPacketSize = 1200
    var settings = ServerSettings(application: "measure/1")
    settings.signingPolicy = policy
    server = ServerEndpoint(key: .generate(), settings: settings, configuration: configuration, entropy: .seeded(1))
    order = Array(0..<players)
    for i in order { join(i, configuration) }
    precondition(sessions.count == players, "not all players have joined")
    var random = UInt64(7)
    for i in order.indices.reversed() {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      order.swapAt(i, Int(random >> 33) % (i + 1))
    }
  }

  private func join(_ i: Int, _ configuration: RoamkeyConfiguration) {
    let client = ClientEndpoint(
      key: .generate(), settings: ClientSettings(application: "measure/1"), configuration: configuration,
      entropy: .seeded(UInt64(i + 2)))
    clients.append(client)
    client.connect(to: [Self.serverAddress], now: now)
    for _ in 0..<8 {
      collect(from: i)
      handOver()
      server.fill(&answers, now: now)
      handBack()
    }
    takeEvents { if case .joined(let handle, _, _) = $0 { sessions.append(handle) } }
  }

  // MARK: Playing

  /// So many players have a turn.
  /// - Returns: nanoseconds of the server for a datagram: the median of all batches, as the machine has other work.
  func play(turns: Int) -> Double {
    var times: [Double] = []
    let size = min(Self.batch, order.count)
    for _ in 0..<max(1, turns / size) {
      now = now + Self.round * size / order.count
      for _ in 0..<size {
        let i = order[turn % order.count]
        turn += 1
        try? clients[i].send(up, MessageOptions(delivery: .unreliable), now: now)
        collect(from: i)
      }
      var datagrams = arrivals.count
      let start = Self.clock()
      handOver()
      if let due = server.nextTimeout, due <= now { server.handleTimeout(now: now) }
      takeEvents { event in
        guard case .message(let handle, _) = event else { return }
        try? server.send(down, MessageOptions(delivery: .unreliable), to: handle, now: now)
      }
      server.fill(&answers, now: now)
      let time = Self.clock() - start
      datagrams += answers.count
      handBack()
      times.append(Double(time) / Double(datagrams))
    }
    return times.sorted()[times.count / 2]
  }

  /// What a player has to send.
  private func collect(from i: Int) {
    if let due = clients[i].nextTimeout, due <= now { clients[i].handleTimeout(now: now) }
    clients[i].fill(&arrivals, now: now)
    while senders.count < arrivals.count { senders.append(i) }
  }

  /// The server receives what has been collected.
  private func handOver() {
    server.expect(arrivals.count) { UnsafeRawBufferPointer(arrivals.bytes($0)) }
    for place in 0..<arrivals.count {
      let path = NetworkPath(local: .any(port: 0), remote: Self.address(senders[place]))
      var span = MutableRawSpan(_unsafeBytes: arrivals.bytes(place))
      server.receive(&span, path: path, now: now)
    }
    arrivals.removeAll()
    senders.removeAll(keepingCapacity: true)
  }

  private func takeEvents(_ body: (EngineEvent) -> Void) {
    while let event = server.takeEvent() { body(event) }
  }

  /// The players receive what the server has sent.
  private func handBack() {
    for place in 0..<answers.count {
      let client = clients[Int(answers.path(place).remote.port) - Self.firstPort]
      var span = MutableRawSpan(_unsafeBytes: answers.bytes(place))
      client.receive(&span, path: NetworkPath(local: .any(port: 0), remote: Self.serverAddress), now: now)
      while client.takeEvent() != nil {}
    }
    answers.removeAll()
  }

  private static let firstPort = 5000

  private static func address(_ i: Int) -> NetworkAddress {
    NetworkAddress(ipv4: 198, 51, 100, 7, port: UInt16(firstPort + i))
  }

  private static func clock() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
