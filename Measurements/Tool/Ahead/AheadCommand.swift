import Glibc
import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyUDP
import RoamkeyWire

/// What an idle thread is worth to a busy one of the same server (docs/decisions/0024-verifying-ahead.md).
///
/// Players send signed datagrams, one by one, which a shard takes in batches as a driver's ring brings them; alone, and
/// with the threads of drivers beside it that have nothing to do. All is in memory but the waking of those threads.
struct AheadCommand {
  private static let helpers = [1, 3]
  private static let rounds = 40
  private static let runs = 15

  func run() {
    print("a hot shard's signed datagrams: thousand a second, alone and with idle threads beside it")
    print("helpers   alone  helped   ratio   signatures verified elsewhere   allocations a datagram: alone, helped")
    for helpers in Self.helpers {
      guard let crew = HelperCrew(helpers) else { return Text.complain("no sockets for the helpers") }
      let (alone, helped) = (AheadCrowd(board: nil), AheadCrowd(board: crew.board))
      alone.play(Self.rounds)
      helped.play(Self.rounds)
      var pairs: [(alone: Double, helped: Double)] = []
      let (seen, elsewhere) = (helped.received, helped.verifiedElsewhere)
      let taken = [alone, helped].map(\.allocations)
      // In turn, so that what else the machine does meets both.
      for _ in 0..<Self.runs { pairs.append((alone.play(Self.rounds), helped.play(Self.rounds))) }
      let count = Double(helped.received - seen)
      let share = Double(helped.verifiedElsewhere - elsewhere) / count
      let allocations = zip([alone, helped], taken).map { Double($0.allocations - $1) / count }
      print(
        Text.right("\(helpers)", 7) + Text.right(Self.tenths(Self.median(pairs.map(\.alone)) / 1000), 8)
          + Text.right(Self.tenths(Self.median(pairs.map(\.helped)) / 1000), 8)
          + Text.right(Self.hundredths(Self.median(pairs.map { $0.helped / $0.alone })) + " x", 8)
          + Text.right("\(Int((share * 100).rounded())) %", 8) + Text.right(Self.hundredths(allocations[0]), 31)
          + Text.right(Self.hundredths(allocations[1]), 8))
      crew.stop()
    }
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
  private static func hundredths(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
  private static func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}

/// Drivers that have nothing to do.
private struct HelperCrew {
  private final class Idler: DatagramHandler {
    func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {}
    func handleTimeout(now: Instant) {}
    var nextTimeout: Instant? { nil }
    func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? { nil }
  }

  let board: HelpingThreads.Member
  private let drivers: [UDPDriver<Idler>]

  init?(_ count: Int) {
    do throws(UDPError) {
      var inboxes: [DatagramInbox] = []
      for _ in 0...count { inboxes.append(try DatagramInbox()) }
      let threads = HelpingThreads(inboxes)
      var drivers: [UDPDriver<Idler>] = []
      for i in 1...count {
        drivers.append(
          try UDPDriver(
            bind: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0), name: "helper-\(i)", inbox: inboxes[i],
            helper: threads.member(i), handler: Idler(), onTurn: { _, _ in }))
      }
      self.drivers = drivers
      board = threads.member(0)
    } catch { return nil }
  }

  func stop() { for driver in drivers { driver.stop() } }
}

/// A shard and its players, who all say something in each round.
private final class AheadCrowd {
  /// All sessions are one shard's; `@unchecked`, because a measurement asks from one thread.
  private final class Registry: ShardRegistry, @unchecked Sendable {
    private var last: UInt64 = 0

    func nextNumber() -> UInt64 {
      last += 1
      return last
    }

    func enter(_ player: PlayerID, prefix: UInt128, shard: Int, _ configuration: RoamkeyConfiguration) -> UInt64? {
      nextNumber()
    }

    func leave(_ player: PlayerID, number: UInt64) {}
  }

  private let server: ServerEndpoint
  private var clients: [ClientEndpoint] = []
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var batch = DatagramBatch()
  private var answers = DatagramBatch()
  /// What the server took from the heap to receive.
  private(set) var allocations = 0
  /// Who sent each datagram of the batch.
  private var origins: [Int] = []
  private let up = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 1, count: 64)).encoded()

  private static let players = 64
  /// What one call of a driver's ring brings.
  private static let batchSize = 32
  private static let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

  init(board: (any VerificationBoard)?) {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = Self.players
    configuration.maximumPacketSize = 1200
    let shard = ServerShard(
      index: 0, map: ShardMap(key: (1, 2), count: 1), clock: LocalClock(random: 5), registry: Registry(), board: board,
      handOver: { _, _, _ in })
    server = ServerEndpoint(
      key: .generate(), settings: ServerSettings(application: "measure/1"), configuration: configuration,
      entropy: .seeded(1), shard: shard)
    for i in 0..<Self.players {
      let client = ClientEndpoint(
        key: .generate(), settings: ClientSettings(application: "measure/1"), configuration: configuration,
        entropy: .seeded(UInt64(i + 2)))
      clients.append(client)
      client.connect(to: [Self.serverAddress], now: now)
      for _ in 0..<8 {
        take(from: i)
        hand()
      }
    }
  }

  var received: UInt64 { server.statistics.datagramsReceived }
  var verifiedElsewhere: UInt64 { server.statistics.signaturesVerifiedElsewhere }

  /// - Returns: datagrams that the server takes in a second.
  @discardableResult
  func play(_ rounds: Int) -> Double {
    let before = received
    var spent: UInt64 = 0
    for _ in 0..<rounds {
      now = now + .milliseconds(50)
      if let due = server.nextTimeout, due <= now { server.handleTimeout(now: now) }
      for i in clients.indices {
        try? clients[i].send(up, MessageOptions(delivery: .unreliable), now: now)
        if let due = clients[i].nextTimeout, due <= now { clients[i].handleTimeout(now: now) }
        take(from: i)
        if batch.count >= Self.batchSize { spent += hand() }
      }
      spent += hand()
    }
    return Double(received - before) / (Double(spent) / 1e9)
  }

  private func take(from i: Int) {
    clients[i].fill(&batch, now: now)
    while origins.count < batch.count { origins.append(i) }
  }

  /// The server takes the batch as a driver gives it to it, and says what it has to say.
  /// - Returns: nanoseconds that it took.
  @discardableResult
  private func hand() -> UInt64 {
    let start = Self.clock()
    allocations += Int(Phase.receive.count { receive() }.count)
    server.fill(&answers, now: now)
    let spent = Self.clock() - start
    for i in 0..<answers.count {
      let client = clients[Int(answers.path(i).remote.port) - 5000]
      var span = MutableRawSpan(_unsafeBytes: answers.bytes(i))
      client.receive(&span, path: NetworkPath(local: .any(port: 0), remote: Self.serverAddress), now: now)
      while client.takeEvent() != nil {}
    }
    answers.removeAll()
    batch.removeAll()
    origins.removeAll(keepingCapacity: true)
    return spent
  }

  private func receive() {
    let looksAhead = server.looksAhead
    if looksAhead {
      for i in 0..<batch.count { server.lookAhead(at: UnsafeRawBufferPointer(batch.bytes(i)).bytes) }
      server.beginBatch()
    }
    for i in 0..<batch.count {
      var span = MutableRawSpan(_unsafeBytes: batch.bytes(i))
      let remote = NetworkAddress(ipv4: 198, 51, 100, 7, port: UInt16(5000 + origins[i]))
      server.receive(&span, path: NetworkPath(local: Self.serverAddress, remote: remote), now: now)
    }
    if looksAhead { server.endBatch() }
    while server.takeEvent() != nil {}
  }

  private static func clock() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
