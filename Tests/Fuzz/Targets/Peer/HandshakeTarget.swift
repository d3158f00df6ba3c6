import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

extension FuzzTargets {
  /// Handshakes with peers that sign whatever TLVs an input brings, and with forgers: at a server, and at a client.
  static let handshakes = FuzzTarget(
    "handshakes", longestInput: 900,
    milestones: [
      "welcomed", "joined", "refused", "retried", "held", "badFinish", "quiet", "clientJoined", "clientRefused",
      "doubt", "clientRetry", "failed", "heard",
    ]
  ) { input, reached in
    let bits = input.byte()
    if bits & 1 == 0 {
      var world = HandshakeAtServer(bits)
      var orders = 0
      while !input.isEmpty, orders < 40 {
        orders += 1
        world.run(&input, &reached)
      }
    } else {
      var world = HandshakeAtClient(bits)
      var orders = 0
      while !input.isEmpty, orders < 40 {
        orders += 1
        world.run(&input, &reached)
      }
    }
  }

  /// TLVs that would do, with those of the input behind them or in their place.
  fileprivate static func tlvs(
    _ input: inout FuzzInput, server: ConnectionID, source: ConnectionID, policy: SigningPolicy
  ) -> [UInt8] {
    let bits = input.byte()
    let own = input.counted()
    guard bits & 1 == 0 else { return own }
    var parameters = HandshakeParameters(
      application: bits & 2 == 0 ? ScriptedHandshake.application : "other/1", signingPolicy: policy,
      clientConnectionID: source, serverConnectionID: server)
    if bits & 4 != 0 { parameters.displayName = "Ada" }
    return parameters.encoded() + own
  }
}

/// A server, and clients that come to it one after the other.
private struct HandshakeAtServer: ~Copyable {
  private let engine: FuzzEngine
  private let endpoint: ServerEndpoint
  private let policy: SigningPolicy
  private let source: ConnectionID
  private var handshake: ScriptedHandshake
  private var hello: [UInt8]
  private var serverID: ConnectionID?
  private var finish: [UInt8]?
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var books = PeerBooks()
  private let local = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

  init(_ bits: UInt8) {
    var configuration = RoamkeyConfiguration()
    configuration.isQuiet = bits & 2 != 0
    if bits & 4 != 0 { configuration.retryThreshold = 0 }
    if bits & 8 != 0 { configuration.maximumSessions = 0 }
    policy = bits & 16 == 0 ? .sealedOnly : .everyPacket
    source = bits & 32 == 0 ? ConnectionID() : ConnectionID(9)
    var settings = ServerSettings(application: ScriptedHandshake.application)
    settings.signingPolicy = policy
    if bits & 64 != 0 { settings.access.denied = [FuzzKeys.client] }
    if bits & 128 != 0 { settings.access.allowed = [] }
    endpoint = ServerEndpoint(
      key: FuzzKeys.make(.server), settings: settings, configuration: configuration, entropy: .seeded(3))
    engine = FuzzEngine(.server(endpoint), configuration: configuration)
    handshake = ScriptedHandshake(.client, source: source)
    hello = handshake.hello()
  }

  private func address(_ number: UInt8) -> NetworkAddress {
    NetworkAddress(ipv4: 198, 51, 100, 7 + number & 1, port: 5000)
  }

  mutating func run(_ input: inout FuzzInput, _ reached: inout Milestones) {
    let order = input.byte()
    let from = address(order >> 7)
    switch order & 7 {
    case 0: deliver(hello, from: from, &reached)
    case 1: deliver(altered(hello, &input), from: from, &reached)
    case 2: sayFinish(&input, from: from, &reached)
    case 3:
      guard let finish else { return }
      deliver(order & 8 == 0 ? finish : altered(finish, &input), from: from, &reached)
    case 4:
      // A packet that comes before its Finish.
      guard let id = serverID?.bytes else { return }
      deliver([0] + id + input.counted() + [UInt8](repeating: 1, count: 20), from: from, &reached)
      reached.reach(4)
    case 5:
      now = now + .milliseconds(Int64(input.byte()) * 100)
      engine.pass(to: now, from: now) { _, _, _ in }
    case 6: begin()
    default: deliver(input.counted(), from: from, &reached)
    }
    if endpoint.statistics.refusals > 0 { reached.reach(2) }
    if endpoint.statistics.retriesSent > 0 { reached.reach(3) }
    if endpoint.statistics[.badHandshake] > 0 { reached.reach(5) }
    if endpoint.statistics[.quiet] > 0 { reached.reach(6) }
    if engine.hasJoined { reached.reach(1) }
  }

  /// The same player once more.
  private mutating func begin() {
    handshake = ScriptedHandshake(.client, source: source)
    hello = handshake.hello()
    (serverID, finish) = (nil, nil)
  }

  private mutating func deliver(_ datagram: [UInt8], from: NetworkAddress, _ reached: inout Milestones) {
    books.onReceived(datagram.count, from: from)
    engine.receive(datagram, path: NetworkPath(local: local, remote: from), now: now)
    var answers: [([UInt8], NetworkAddress)] = []
    engine.flush(now: now) { answers.append(($0, $1.remote)) }
    for (answer, to) in answers {
      // Whoever has finished a handshake from there is there.
      if engine.hasJoined { books.prove(to) }
      books.onSent(answer.count, to: to)
      take(answer, &reached)
    }
  }

  private mutating func take(_ answer: [UInt8], _ reached: inout Milestones) {
    guard let header = try? LongHeader(answer.span.bytes) else { return }
    switch HandshakeKind(rawValue: header.firstByte) {
    case .welcome:
      guard serverID == nil, let parameters = handshake.read(welcome: answer) else { return }
      serverID = parameters.serverConnectionID
      reached.reach(0)
    case .retry:
      guard let cookie = try? RetryDatagram.read(answer.span.bytes, header) else {
        preconditionFailure("a Retry that is none")
      }
      let prefix = HelloDatagram.prefix(
        destination: ScriptedHandshake.destination, source: source, cookie: cookie, mac: nil)
      hello.replaceSubrange(..<prefix.count, with: prefix)
    case .hello, .finish, nil: break
    }
  }

  private mutating func sayFinish(
    _ input: inout FuzzInput, from: NetworkAddress, _ reached: inout Milestones
  ) {
    guard finish == nil, let serverID else { return }
    let tlvs = FuzzTargets.tlvs(&input, server: serverID, source: source, policy: policy)
    let datagram = handshake.finish(to: serverID, tlvs: tlvs)
    finish = datagram
    let isRight = try? HandshakeParameters(tlvs.span.bytes)
    let joinedBefore = engine.hasJoined
    deliver(datagram, from: from, &reached)
    if isRight == nil { precondition(engine.hasJoined == joinedBefore, "TLVs that are none let somebody in") }
  }
}

/// A client, and a server that it has asked.
private struct HandshakeAtClient: ~Copyable {
  private let engine: FuzzEngine
  private let facts = ClientFacts()
  private let header: LongHeader?
  private var handshake: ScriptedHandshake?
  private let hello: [UInt8]
  private var welcome: [UInt8]?
  private var now = Instant(nanoseconds: 1_000_000_000)
  private let home = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
  private let policy: SigningPolicy

  init(_ bits: UInt8) {
    var configuration = RoamkeyConfiguration()
    if bits & 2 != 0 { configuration.clientConnectionIDSize = 8 }
    var settings = ClientSettings(application: ScriptedHandshake.application)
    if bits & 4 != 0 { settings.pin = FuzzKeys.server }
    policy = bits & 16 == 0 ? .sealedOnly : .everyPacket
    if bits & 8 != 0 { settings.requiredPolicy = .everyPacket }
    let endpoint = ClientEndpoint(
      key: FuzzKeys.make(.client), settings: settings, configuration: configuration, entropy: .seeded(4))
    engine = FuzzEngine(.client(endpoint), configuration: configuration)
    let facts = facts
    engine.onEvent = { facts.note($0) }
    endpoint.connect(to: [home], now: now)
    var first: [UInt8] = []
    engine.flush(now: now) { bytes, _ in first = bytes }
    hello = first
    header = try? LongHeader(first.span.bytes)
  }

  mutating func run(_ input: inout FuzzInput, _ reached: inout Milestones) {
    guard let header else { preconditionFailure("a Hello has a header") }
    let order = input.byte()
    switch order & 7 {
    case 0: sayWelcome(&input, header, as: order & 8 == 0 ? .server : .client, &reached)
    case 1:
      guard let welcome else { return }
      deliver(order & 8 == 0 ? welcome : altered(welcome, &input), &reached)
    case 2:
      deliver(
        LongHeader.write(
          firstByte: HandshakeKind.retry.rawValue, version: header.version, destination: header.source,
          source: header.destination) + input.take(20), &reached)
      reached.reach(10)
    case 3:
      let begin = LongHeader.write(
        firstByte: 0x80 | order, version: 0, destination: header.source, source: header.destination)
      deliver(begin + input.counted(), &reached)
    case 4: deliver(input.counted(), &reached)
    case 5: passTime(.milliseconds(Int64(input.byte()) * 50), &reached)
    default: deliver(altered(hello, &input), &reached)
    }
  }

  private mutating func sayWelcome(
    _ input: inout FuzzInput, _ header: LongHeader, as signer: FuzzKeys.Role, _ reached: inout Milestones
  ) {
    var fresh = ScriptedHandshake(.server, destination: header.destination, source: header.source)
    guard fresh.read(hello: hello) else { preconditionFailure("a Hello cannot be read") }
    let tlvs = FuzzTargets.tlvs(
      &input, server: ScriptedHandshake.serverID, source: header.source, policy: policy)
    let datagram = fresh.welcome(tlvs: tlvs, as: signer)
    handshake = consume fresh
    welcome = datagram
    deliver(datagram, &reached)
  }

  private mutating func deliver(_ datagram: [UInt8], _ reached: inout Milestones) {
    engine.receive(datagram, path: NetworkPath(local: .any(port: 0), remote: home), now: now)
    flush(&reached)
  }

  private mutating func passTime(_ duration: Duration, _ reached: inout Milestones) {
    engine.pass(to: now + duration, from: now) { _, _, _ in }
    now = now + duration
    flush(&reached)
    if facts.failure == .unsupportedVersion { reached.reach(9) }
    if facts.failure != nil { reached.reach(11) }
  }

  private mutating func flush(_ reached: inout Milestones) {
    var sent: [[UInt8]] = []
    engine.flush(now: now) { bytes, _ in sent.append(bytes) }
    for datagram in sent {
      guard let header = try? LongHeader(datagram.span.bytes) else { continue }
      if header.firstByte == HandshakeKind.finish.rawValue { reached.reach(7) }
      if header.firstByte == HandshakeKind.hello.rawValue {
        reached.reach(12)
        precondition(datagram.count == HelloDatagram.size, "a Hello has its size")
      }
    }
    switch facts.failure {
    case .wrongApplication, .wrongSigningPolicy: reached.reach(8)
    case .noAnswer, .wrongServer, .unsupportedVersion, .refused, .closed, nil: break
    }
  }
}

/// What a client was told.
private final class ClientFacts {
  var failure: ConnectError?

  func note(_ event: EngineEvent) {
    guard case .connectFailed(let error) = event else { return }
    precondition(failure == nil, "an attempt fails twice")
    failure = error
  }
}

/// A copy with one bit of it changed.
private func altered(_ datagram: [UInt8], _ input: inout FuzzInput) -> [UInt8] {
  var copy = datagram
  copy[input.int16() % copy.count] ^= UInt8(1) << (input.byte() & 7)
  return copy
}
