import RoamkeyCrypto
import RoamkeyEngine
import RoamkeyWire

extension FuzzTargets {
  /// Two honest engines and a network that does what an input wants: it loses, repeats, alters and delays, forwards from
  /// elsewhere, and moves and restarts the ends. At last it is honest, and what was promised has to hold.
  static let sessions = FuzzTarget(
    "sessions", longestInput: 800,
    milestones: [
      "joined", "delivered", "answered", "roamed", "rejoined", "altered", "forwarded", "repaired", "receipt", "expired",
      "closed", "retried", "offline", "signed", "promisesKept", "reset", "verifiedAhead",
    ]
  ) { input, reached in
    var world = SessionWorld(&input)
    var orders = 0
    while !input.isEmpty, orders < 200 {
      orders += 1
      world.run(&input)
    }
    world.settle()
    world.note(&reached)
  }
}

/// A server, a client, and what is under way between them in virtual time.
struct SessionWorld: ~Copyable {
  struct Flight {
    var bytes: [UInt8]
    /// Where the client is, or seems to be.
    var address: NetworkAddress
  }

  let setup: PeerSetup
  let isQuiet: Bool
  var server: FuzzEngine
  let client: FuzzEngine
  var now = Instant(nanoseconds: 1_000_000_000)
  let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)
  /// Where the client's router has it; and the client's own socket, which changes only where the client changes it.
  var clientAddress = NetworkAddress(ipv4: 198, 51, 100, 7, port: 5000)
  var clientSocket = NetworkAddress(ipv4: 10, 0, 0, 2, port: 5000)
  /// A second socket of the client, which leaves by another interface, and where that is seen.
  static let door = NetworkAddress(ipv4: 10, 0, 9, 2, port: 4100)
  static let doorAddress = NetworkAddress(ipv4: 198, 51, 100, 99, port: 4100)
  /// Somebody who never answers, in whose name datagrams are forwarded.
  let victim = NetworkAddress(ipv4: 203, 0, 113, 9, port: 9)
  var toServer: [Flight] = []
  var toClient: [Flight] = []
  var books = PeerBooks()
  let post = SessionPost()
  var serverRuns: UInt64 = 1
  var repaired = false
  /// Longer datagrams are lost.
  var carriedSize = maximumDatagramSize

  /// What is under way at most: beyond it the oldest are lost, as in any router.
  static let mostFlights = 96

  init(_ input: inout FuzzInput) {
    var setup = PeerSetup(&input)
    let bits = input.byte()
    if bits & 1 != 0 { setup.configuration.retryThreshold = 0 }
    isQuiet = bits & 2 != 0
    setup.configuration.isQuiet = isQuiet
    self.setup = setup
    var settings = ClientSettings(application: ScriptedHandshake.application)
    if bits & 6 != 0 { settings.pin = FuzzKeys.server }
    let endpoint = ClientEndpoint(
      key: FuzzKeys.make(.client), settings: settings, configuration: setup.configuration, entropy: .seeded(2))
    client = FuzzEngine(.client(endpoint), configuration: setup.configuration)
    server = Self.server(setup, run: 1)
    let post = post
    server.onEvent = { post.note($0, atServer: true) }
    client.onEvent = { post.note($0, atServer: false) }
    endpoint.connect(to: [serverAddress], now: now)
    flush()
    // Most of what can happen happens in a session; an input may still disturb its beginning.
    if bits & 8 == 0 { exchange() }
  }

  static func server(_ setup: PeerSetup, run: UInt64) -> FuzzEngine {
    var settings = ServerSettings(application: ScriptedHandshake.application)
    settings.signingPolicy = setup.policy
    settings.instance = BLAKE2b.hash("fuzz instance") { $0.update(1) }
    let endpoint = setup.server(settings, entropy: 10 + run)
    return FuzzEngine(.server(endpoint), configuration: setup.configuration)
  }

  // MARK: Datagrams

  mutating func flush() {
    var out: [Flight] = []
    let address = clientAddress
    client.flush(now: now) { out.append(Flight(bytes: $0, address: Self.source(of: $1, otherwise: address))) }
    toServer += out
    out = []
    server.flush(now: now) { out.append(Flight(bytes: $0, address: $1.remote)) }
    for flight in out where flight.address == victim { books.onSent(flight.bytes.count, to: victim) }
    toClient += out.filter { $0.address != victim }
    let size = carriedSize
    if size < maximumDatagramSize {
      toServer.removeAll { $0.bytes.count > size }
      toClient.removeAll { $0.bytes.count > size }
    }
    toServer.removeFirst(max(0, toServer.count - Self.mostFlights))
    toClient.removeFirst(max(0, toClient.count - Self.mostFlights))
  }

  /// Where the server sees what the client sends by a path.
  private static func source(of path: NetworkPath, otherwise main: NetworkAddress) -> NetworkAddress {
    path.local.port == door.port ? doorAddress : main
  }

  mutating func deliver(_ flight: Flight, toServer isToServer: Bool, isForged: Bool = false) {
    if isToServer {
      if flight.address == victim { books.onReceived(flight.bytes.count, from: victim) }
      let path = NetworkPath(local: serverAddress, remote: flight.address)
      server.receive(flight.bytes, path: path, isForged: isForged, now: now)
    } else if flight.address == clientAddress || flight.address == Self.doorAddress {
      let local = flight.address == clientAddress ? clientSocket : Self.door
      let path = NetworkPath(local: local, remote: serverAddress)
      client.receive(flight.bytes, path: path, isForged: isForged, now: now)
    }
    if isForged { post.altered = true }
  }

  /// To the server, in one batch.
  private mutating func deliverTogether(_ flights: [Flight]) {
    for flight in flights where flight.address == victim { books.onReceived(flight.bytes.count, from: victim) }
    server.receive(
      flights.map { ($0.bytes, NetworkPath(local: serverAddress, remote: $0.address)) }, now: now)
    server.drain()
  }

  /// Hands over all that is under way, and what follows, until nobody has anything to say.
  mutating func exchange() {
    var rounds = 0
    flush()
    while !(toServer.isEmpty && toClient.isEmpty) {
      rounds += 1
      precondition(rounds < 400, "two engines talk without end")
      let (up, down) = (toServer, toClient)
      (toServer, toClient) = ([], [])
      deliverTogether(up)
      for flight in down { deliver(flight, toServer: false) }
      flush()
    }
  }

  /// Time passes; what the engines send in between is under way.
  mutating func passTime(_ duration: Duration) {
    let end = now + duration
    var out: [Flight] = []
    let address = clientAddress
    client.pass(to: end, from: now) {
      out.append(Flight(bytes: $1, address: Self.source(of: $2, otherwise: address)))
    }
    toServer += out
    out = []
    server.pass(to: end, from: now) { out.append(Flight(bytes: $1, address: $2.remote)) }
    for flight in out where flight.address == victim { books.onSent(flight.bytes.count, to: victim) }
    toClient += out.filter { $0.address != victim }
    now = end
    flush()
  }

  // MARK: The end

  /// The network is honest again: what was promised comes about.
  mutating func settle() {
    for engine in [server, client] { engine.setResting(false, now: now) }
    // A minute, in larger steps after a while: timeouts may have been doubled up to their cap, and searches may be at
    // their slowest.
    for step in 0..<296 where !isSettled {
      for engine in [server, client] {
        engine.flushBundles(now: now)
        engine.consume(.max, now: now)
      }
      exchange()
      passTime(step < 200 ? .milliseconds(20) : .milliseconds(580))
    }
    if let statistics = client.statistics(now: now), statistics.bytesRetransmitted > 0 { repaired = true }
    post.check(isWhole: isWhole, isSettled: isSettled) {
      "client \(String(describing: client.statistics(now: now))), server \(String(describing: server.statistics(now: now)))"
    }
  }

  /// Receipts may still be awaited.
  private var isSettled: Bool {
    guard isWhole else { return true }
    let waiting = [client, server].map { $0.statistics(now: now)?.queuedMessages ?? 0 }
    return waiting == [0, 0] && client.hasJoined
  }

  /// Nothing has ended, failed or begun anew.
  private var isWhole: Bool { serverRuns == 1 && !post.hasLost && !post.hasClosed }

  func note(_ reached: inout Milestones) {
    let marks = [
      client.hasJoined, post.delivered[1] > 0, post.delivered[0] > 0, post.roamed, serverRuns > 1 && post.joins > 2,
      post.altered, post.forwarded, repaired, post.receipts > 0, post.expired > 0, post.hasClosed,
      setup.configuration.retryThreshold == 0 && client.hasJoined, post.offline, setup.isSigned && client.hasJoined,
      isWhole && isSettled && post.delivered[1] > 1, post.wasReset, server.hasLookedAhead,
    ]
    for (place, isReached) in marks.enumerated() where isReached { reached.reach(place) }
  }
}
