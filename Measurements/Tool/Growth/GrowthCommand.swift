import Glibc
import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

/// What a datagram costs a server, by the number of its sessions: in memory, without a system call.
///
/// A player says something, and the server takes its datagram and sends what it has to say: an answer of the app, with
/// the acknowledgement in it. The players take turns in an order without a pattern, so that with many of them nothing
/// of a session is in the processor's caches when its datagram comes.
struct GrowthCommand {
  private static let counts = [10, 100, 1000, 10_000]
  /// Datagrams to and from the server in each measurement.
  private static let datagrams = 40_000
  private static let runs = 3

  func run() {
    print("a server's datagram, by sessions: ns, and to the first of its column")
    print("sessions    sealed            signed")
    var first: [SigningPolicy: Double] = [:]
    for count in Self.counts {
      var line = Text.left("\(count)", 8)
      for policy in [SigningPolicy.sealedOnly, .everyPacket] {
        let crowd = GrowthCrowd(policy: policy, players: count)
        let rounds = Self.datagrams / 2 / (policy == .everyPacket ? 10 : 1)
        crowd.play(max(rounds / 4, count))
        let times = (0..<Self.runs).map { _ in crowd.play(rounds) }.sorted()
        let time = times[Self.runs / 2]
        let ratio = time / (first[policy] ?? time)
        first[policy] = first[policy] ?? time
        line += Text.right("\(Int(time.rounded()))", 10) + Text.right("\((ratio * 100).rounded() / 100) x", 8)
      }
      print(line)
    }
  }
}

/// A server and players who say something one by one.
private final class GrowthCrowd {
  private let server: ServerEndpoint
  private var clients: [ClientEndpoint] = []
  private var sessions: [SessionHandle] = []
  private var order: [Int]
  private var turn = 0
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var batch = DatagramBatch()
  private var answers = DatagramBatch()
  private let up = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 1, count: 64)).encoded()
  private let down = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 2, count: 200)).encoded()

  private static let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
  /// So long all players together take for a turn each.
  private static let round = Duration.milliseconds(50)

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
      client.fill(&batch, now: now)
      hand(&batch, to: server, from: Self.address(i))
      server.fill(&answers, now: now)
      hand(&answers, to: client, from: Self.serverAddress)
    }
    while let event = server.takeEvent() { if case .joined(let handle, _, _) = event { sessions.append(handle) } }
    while client.takeEvent() != nil {}
  }

  private static func address(_ i: Int) -> NetworkAddress {
    NetworkAddress(ipv4: 198, 51, 100, 7, port: UInt16(5000 + i))
  }

  private func hand(_ batch: inout DatagramBatch, to endpoint: some DatagramHandler, from remote: NetworkAddress) {
    for i in 0..<batch.count {
      var span = MutableRawSpan(_unsafeBytes: batch.bytes(i))
      endpoint.receive(&span, path: NetworkPath(local: .any(port: 0), remote: remote), now: now)
    }
    batch.removeAll()
  }

  /// So many players have a turn.
  /// - Returns: nanoseconds of the server for a datagram.
  @discardableResult
  func play(_ count: Int) -> Double {
    var spent: UInt64 = 0
    var datagrams = 0
    let step = Self.round / order.count
    for _ in 0..<count {
      now = now + step
      let i = order[turn % order.count]
      turn += 1
      let client = clients[i]
      try? client.send(up, MessageOptions(delivery: .unreliable), now: now)
      if let due = client.nextTimeout, due <= now { client.handleTimeout(now: now) }
      client.fill(&batch, now: now)
      datagrams += batch.count
      let start = Self.clock()
      if let due = server.nextTimeout, due <= now { server.handleTimeout(now: now) }
      hand(&batch, to: server, from: Self.address(i))
      while server.takeEvent() != nil {}
      try? server.send(down, MessageOptions(delivery: .unreliable), to: sessions[i], now: now)
      server.fill(&answers, now: now)
      spent += Self.clock() - start
      datagrams += answers.count
      for place in 0..<answers.count {
        let to = Int(answers.path(place).remote.port) - 5000
        var span = MutableRawSpan(_unsafeBytes: answers.bytes(place))
        clients[to].receive(&span, path: NetworkPath(local: .any(port: 0), remote: Self.serverAddress), now: now)
        while clients[to].takeEvent() != nil {}
      }
      answers.removeAll()
    }
    return Double(spent) / Double(datagrams)
  }

  private static func clock() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
