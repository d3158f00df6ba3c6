import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

extension FuzzTargets {
  /// A peer that holds good keys against an engine, server or client: an input is a list of orders. What it says is
  /// sealed and signed as it should be, so that all of it gets in.
  static let peer = FuzzTarget(
    "peer", longestInput: 1200,
    milestones: [
      "joined", "delivered", "answered", "violation", "closed", "validated", "keyRenewed", "rested", "acknowledged",
      "asClient", "asServer", "signed", "forged", "credit", "timedOut", "verifiedAhead",
    ]
  ) { input, reached in
    let setup = PeerSetup(&input)
    guard var world = PeerWorld(setup) else { preconditionFailure("no session with a peer that keeps to the rules") }
    reached.reach(0)
    reached.reach(setup.engineIsServer ? 10 : 9)
    if setup.isSigned { reached.reach(11) }
    var orders = 0
    while !input.isEmpty, orders < 150, !world.isOver {
      orders += 1
      world.run(&input)
    }
    world.finish()
    world.note(&reached)
  }
}

/// What a world of one engine and one peer is like.
struct PeerSetup {
  let engineIsServer: Bool
  let isSigned: Bool
  let hasClientID: Bool
  /// The server is one of several threads, and the others verify for it.
  let isShard: Bool
  var configuration = RoamkeyConfiguration()

  init(_ input: inout FuzzInput) {
    let bits = input.byte()
    engineIsServer = bits & 1 == 0
    isSigned = bits & 2 != 0
    hasClientID = bits & 4 != 0
    if hasClientID { configuration.clientConnectionIDSize = 8 }
    if bits & 8 != 0 {
      configuration.maximumMessageSize = 2000
      configuration.receiveCredit = 4000
      configuration.channelReceiveCredit = 2200
      configuration.partialMessageLimit = 4
      configuration.sendQueueLimit = 20_000
    }
    if bits & 16 != 0 { configuration.keyUpdatePacketCount = 4 }
    if bits & 32 != 0 { configuration.flushPolicy = .manual }
    if bits & 64 != 0 { configuration.keepAliveInterval = .milliseconds(200) }
    isShard = bits & 128 != 0
    if isShard { configuration.maximumPacketSize = 1200 }
  }

  /// A server of this kind.
  func server(_ settings: ServerSettings, entropy: UInt64) -> ServerEndpoint {
    ServerEndpoint(
      key: FuzzKeys.make(.server), settings: settings, configuration: configuration, entropy: .seeded(entropy),
      shard: isShard ? FuzzShard.make() : nil)
  }

  var policy: SigningPolicy { isSigned ? .everyPacket : .sealedOnly }
  var source: ConnectionID { hasClientID ? ConnectionID(0x0c0c_0c0c_0c0c_0c0c) : ConnectionID() }
}

/// One engine, one peer, and their datagrams in virtual time.
struct PeerWorld: ~Copyable {
  let setup: PeerSetup
  let engine: FuzzEngine
  var peer: ScriptedPeer
  var now = Instant(nanoseconds: 1_000_000_000)
  var home = NetworkAddress(ipv4: 198, 51, 100, 7, port: 5000)
  var history: [[UInt8]] = []
  var books = PeerBooks()
  var facts = PeerFacts()
  var nextSequence: [StreamID: UInt64] = [:]
  var nextID: UInt64 = 1
  let local = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

  init?(_ setup: PeerSetup) {
    self.setup = setup
    guard let opened = PeerOpening(setup, home: home, local: local, now: now).open() else { return nil }
    engine = opened.engine
    peer = opened.peer
    books.prove(home)
    // The first word makes a client know that it is in.
    say([FrameType.ping], from: home)
    let facts = facts
    engine.onEvent = { facts.note($0) }
    passTime(.milliseconds(20))
  }

  var isOver: Bool { facts.hasLeft && engine.isIdle }

  // MARK: Datagrams

  mutating func say(_ frames: [UInt8], from address: NetworkAddress, _ oddity: ScriptedPeer.Oddity = .init()) {
    let packet = peer.packet(frames, oddity)
    if history.count < 32 { history.append(packet) }
    deliver(packet, from: address)
  }

  mutating func deliver(_ datagram: [UInt8], from address: NetworkAddress, isForged: Bool = false) {
    books.onReceived(datagram.count, from: address)
    engine.receive(datagram, path: NetworkPath(local: local, remote: address), isForged: isForged, now: now)
    if isForged { facts.forged = true }
    flush()
  }

  mutating func flush() {
    var out: [([UInt8], NetworkAddress)] = []
    engine.flush(now: now) { out.append(($0, $1.remote)) }
    take(out)
  }

  mutating func passTime(_ duration: Duration) {
    let end = now + duration
    var out: [([UInt8], NetworkAddress)] = []
    engine.pass(to: end, from: now) { out.append(($1, $2.remote)) }
    now = end
    take(out)
    flush()
  }

  private mutating func take(_ datagrams: [([UInt8], NetworkAddress)]) {
    for (bytes, address) in datagrams {
      if setup.engineIsServer { books.onSent(bytes.count, to: address) }
      guard let frames = peer.read(bytes, at: address) else { continue }
      facts.framesRead += frames
    }
  }

  /// At the end time passes, and whatever is owed is paid or given up.
  mutating func finish() {
    if engine.isIdle { return }
    for _ in 0..<4 { passTime(.seconds(2)) }
  }

  func note(_ reached: inout Milestones) {
    let marks = [
      (1, facts.delivered > 0), (2, facts.framesRead > 8), (3, facts.hadViolation), (4, facts.wasClosed),
      (5, facts.roamed > 0), (6, peer.phase > 0), (7, facts.rested), (8, facts.acknowledged), (12, facts.forged),
      (13, facts.gaveCredit), (14, facts.timedOut), (15, engine.hasLookedAhead),
    ]
    for (place, isReached) in marks where isReached { reached.reach(place) }
  }
}

/// What has come about.
final class PeerFacts {
  var delivered = 0
  var roamed = 0
  var framesRead = 0
  var hadViolation = false
  var wasClosed = false
  var timedOut = false
  var hasLeft = false
  var rested = false
  var acknowledged = false
  var forged = false
  var gaveCredit = false

  func note(_ event: EngineEvent) {
    switch event {
    case .message: delivered += 1
    case .roamed: roamed += 1
    case .left(_, let reason):
      hasLeft = true
      switch reason {
      case .violation: hadViolation = true
      case .timedOut: timedOut = true
      case .closed, .kicked, .replaced, .shutdown, .tooSlow, .notReadmitted: wasClosed = true
      }
    case .joined, .offline, .online, .receipt, .connectFailed, .searching, .reset: break
    }
  }
}

/// PROTOCOL §5.2: no more than three times to an address that nobody has proved to be at.
struct PeerBooks {
  private var accounts: [NetworkAddress: (received: Int, sent: Int, isProven: Bool)] = [:]

  mutating func prove(_ address: NetworkAddress) { accounts[address, default: (0, 0, false)].isProven = true }

  mutating func onReceived(_ count: Int, from address: NetworkAddress) {
    accounts[address, default: (0, 0, false)].received += count
  }

  mutating func onSent(_ count: Int, to address: NetworkAddress) {
    var account = accounts[address] ?? (0, 0, false)
    account.sent += count
    accounts[address] = account
    precondition(
      account.isProven || account.sent <= 3 * account.received,
      "\(account.sent) bytes to \(address), which sent \(account.received)")
  }
}
