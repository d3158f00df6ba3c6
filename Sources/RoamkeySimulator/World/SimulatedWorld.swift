package import RoamkeyCrypto
package import RoamkeyEngine
package import RoamkeyWire

/// A server, players, and the network between them, in virtual time: nothing sleeps, no clock is read, and all that
/// happens follows from the seed.
///
/// The world also watches: `violations` lists what no run may ever do, whatever the network did to it.
package final class SimulatedWorld {
  enum Occurrence {
    case arrival(Datagram)
    case action((SimulatedWorld) -> Void)
  }

  package let seed: UInt64
  package let server: ServerEndpoint
  package let serverHost: SimulatedHost
  package private(set) var players: [SimulatedPlayer] = []
  package let configuration: RoamkeyConfiguration
  package internal(set) var now: Instant
  /// Where the world's chances come from; scenarios may draw from it as well.
  package var random: SeededRandom

  /// What must not happen and did; every scenario expects it to be empty.
  package internal(set) var violations: [String] = []
  /// Datagrams that reached an address nobody holds, such as the old one of somebody who moved.
  package internal(set) var strayDatagrams = 0

  var hosts: [SimulatedHost]
  var hostsByAddress: [NetworkAddress: SimulatedHost] = [:]
  var queue = EventQueue<Occurrence>()
  var taps: [(Datagram) -> TapVerdict] = []
  var listeners: [NetworkAddress: (Datagram) -> Void] = [:]
  var trace = Trace()
  var ledger = AmplificationLedger()

  static let start = Instant(nanoseconds: 1_000_000_000)
  package static let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

  /// - Parameter conditions: of the server's access; good by default, so that a player's own conditions count.
  package init(
    seed: UInt64, settings: ServerSettings = ServerSettings(application: SimulatedWorld.application),
    configuration: RoamkeyConfiguration = RoamkeyConfiguration(), conditions: NetworkConditions = .perfect
  ) {
    self.seed = seed
    self.configuration = configuration
    random = SeededRandom(seed: seed)
    now = Self.start
    var entropy = Entropy.seeded(random.next())
    server = ServerEndpoint(
      key: PlayerKey(seed: entropy.secret()), settings: settings, configuration: configuration, entropy: entropy)
    serverHost = SimulatedHost(name: "server", endpoint: server, address: Self.serverAddress, conditions: conditions)
    hosts = [serverHost]
    hostsByAddress[Self.serverAddress] = serverHost
  }

  /// What servers and players of a world run unless they say otherwise.
  package static let application = "scenario/1"

  /// Time since the world began.
  package var elapsed: Duration { now - Self.start }

  /// A fingerprint of every datagram and event so far: two runs of a seed have the same.
  package var traceHash: UInt64 { trace.hash }

  /// Whether it was told of a violation that ends every loop.
  var isStuck: Bool { hosts.contains { $0.isStuck } }

  // MARK: Players

  /// Adds a player, who is not connected yet.
  /// - Parameters:
  ///   - identity: players with the same number are the same person; a new one by default.
  ///   - configuration: the server's by default.
  @discardableResult
  package func addPlayer(
    identity: UInt64? = nil, settings: ClientSettings? = nil, configuration: RoamkeyConfiguration? = nil,
    conditions: NetworkConditions = .perfect
  ) -> SimulatedPlayer {
    let index = players.count
    var identityEntropy = Entropy.seeded(identity ?? UInt64(index) &+ 1_000_000)
    var settings = settings ?? ClientSettings(application: Self.application)
    settings.pin = settings.pin ?? server.id
    let client = ClientEndpoint(
      key: PlayerKey(seed: identityEntropy.secret()), settings: settings,
      configuration: configuration ?? self.configuration, entropy: .seeded(random.next()))
    let host = SimulatedHost(
      name: "player \(index)", endpoint: client, address: Self.address(player: index, place: 0),
      conditions: conditions)
    let player = SimulatedPlayer(index: index, host: host, client: client)
    players.append(player)
    hosts.append(host)
    hostsByAddress[host.outside] = host
    return player
  }

  /// A player's address at the n-th place it goes to: each place is another network.
  static func address(player: Int, place: Int) -> NetworkAddress {
    NetworkAddress(
      ipv4: 10, UInt8(truncatingIfNeeded: player), UInt8(truncatingIfNeeded: place >> 8),
      UInt8(truncatingIfNeeded: place), port: 40_000)
  }

  // MARK: What apps do

  /// Starts the handshake of a player.
  package func connect(_ player: SimulatedPlayer, to addresses: [NetworkAddress] = [serverAddress]) {
    player.client.connect(to: addresses, now: now)
    touch(player.host)
  }

  /// A player's app sends; what the engine's queue has no room for waits with the app.
  package func send(_ body: [UInt8], from player: SimulatedPlayer) {
    player.host.enqueue(Self.content(body), to: SessionHandle(rawValue: 1))
    touch(player.host)
  }

  /// The server's app sends to a session.
  package func send(_ body: [UInt8], to session: SessionHandle) {
    serverHost.enqueue(Self.content(body), to: session)
    touch(serverHost)
  }

  private static func content(_ body: [UInt8]) -> [UInt8] {
    MessageContent(format: .bytes, action: "", body: body).encoded()
  }

  /// A player's app closes its session.
  package func close(_ player: SimulatedPlayer, afterDelivery: Bool) {
    player.host.pump(now: now)
    player.client.close(afterDelivery: afterDelivery, now: now)
    touch(player.host)
  }

  /// The server's app ends a session.
  package func close(_ session: SessionHandle, code: CloseCode, reason: String = "") {
    server.close(session, code: code, reason: reason, now: now)
    touch(serverHost)
  }

  /// The server stops.
  package func shutdown() {
    server.shutdown(now: now)
    touch(serverHost)
  }

  /// A slow app takes all that has arrived.
  package func consumeAll(_ host: SimulatedHost) {
    host.takeUnread(now: now)
    touch(host)
  }

  func touch(_ host: SimulatedHost) { host.isTouched = true }
}

/// A player of a world.
package final class SimulatedPlayer {
  package let index: Int
  package let host: SimulatedHost
  package let client: ClientEndpoint
  /// How often it went to another network, and how often its NAT gave it another port.
  var place = 0
  var rebindings = 0

  init(index: Int, host: SimulatedHost, client: ClientEndpoint) {
    self.index = index
    self.host = host
    self.client = client
  }

  package var id: PlayerID { client.id }

  /// The bodies of the messages that it got.
  package var inbox: [[UInt8]] { host.inbox[SessionHandle(rawValue: 1)] ?? [] }
}
