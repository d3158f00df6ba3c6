import RoamkeyCrypto
package import RoamkeyEngine
package import RoamkeyWire

/// A server, players, and the network between them, in virtual time: nothing sleeps, no clock is read, and all that
/// happens follows from the seed.
///
/// The world also watches: `violations` lists what no run may ever do, whatever the network did to it.
package final class SimulatedWorld {
  enum Occurrence {
    case flight(Flight)
    case wake(SimulatedHost)
    case action((SimulatedWorld) -> Void)
  }

  package let seed: UInt64
  /// The endpoint of the server's process that runs now, or was started last.
  package internal(set) var server: ServerEndpoint
  package let serverHost: SimulatedHost
  package private(set) var players: [SimulatedPlayer] = []
  package let configuration: RoamkeyConfiguration
  package internal(set) var now: Instant
  /// Where the world's chances come from; scenarios may draw from it as well.
  package var random: SeededRandom

  // MARK: What is counted

  /// What must not happen and did; every scenario expects it to be empty.
  package internal(set) var violations: [String] = []
  /// Datagrams that reached an address nobody holds, such as the old one of somebody who moved.
  package internal(set) var strayDatagrams = 0
  /// Datagrams that a cut stopped.
  package internal(set) var cutDatagrams = 0
  var trace = Trace()
  var ledger = AmplificationLedger()

  // MARK: The network

  /// By the addresses that others see, and for those behind a NAT by their own.
  var attachmentsByIP: [UInt128: Attachment] = [:]
  var attachmentsByInside: [UInt128: Attachment] = [:]
  var natsByIP: [UInt128: SimulatedNAT] = [:]
  var taps: [(Datagram) -> TapVerdict] = []
  /// Those who see what is handed to the server's process.
  var arrivals: [(Datagram) -> Void] = []
  var listeners: [NetworkAddress: (Datagram) -> Void] = [:]
  var cuts: [NetworkCut] = []
  var cutCount = 0
  /// What a name server says of the server's name; nil: there is none.
  package var nameServer: NameServer?

  // MARK: The loop

  var queue = EventQueue<Occurrence>()
  /// Hosts to which something happened, and hosts whose timers may be due; both in order.
  var touched: [SimulatedHost] = []
  var due: [SimulatedHost] = []
  /// A violation was found that would keep the world from ever moving on.
  var isStuck = false
  /// Used by every host in turn.
  var batch = DatagramBatch()
  var reported: [EngineEvent] = []

  let serverSeed: UInt64
  var serverSettings: ServerSettings

  static let start = Instant(nanoseconds: 1_000_000_000)
  package static let serverAddress = NetworkAddress(ipv4: 192, 0, 2, 1, port: 7447)

  /// - Parameters:
  ///   - conditions: of the server's access; good by default, so that a player's own conditions count.
  ///   - families: of the server's addresses.
  package init(
    seed: UInt64, settings: ServerSettings = ServerSettings(application: SimulatedWorld.application),
    configuration: RoamkeyConfiguration = RoamkeyConfiguration(), conditions: NetworkConditions = .perfect,
    families: AddressFamilies = .ipv4
  ) {
    self.seed = seed
    self.configuration = configuration
    random = SeededRandom(seed: seed)
    now = Self.start
    serverSeed = random.next()
    serverSettings = settings
    serverSettings.instance = settings.instance ?? Self.instance(seed)
    server = ServerEndpoint(
      key: Self.serverKey(serverSeed), settings: serverSettings, configuration: configuration,
      entropy: .seeded(random.next()))
    serverHost = SimulatedHost(
      name: "server", index: 0, process: SimulatedProcess(server), port: Self.serverAddress.port, renewsPort: false)
    connect(addInterface(to: serverHost, conditions: conditions), toPlace: 0, families)
    touch(serverHost)
  }

  static func serverKey(_ seed: UInt64) -> PlayerKey {
    var entropy = Entropy.seeded(seed)
    return PlayerKey(seed: entropy.secret())
  }

  /// What tells one place at which a server runs from another.
  static func instance(_ seed: UInt64) -> Digest {
    var random = SeededRandom(seed: seed ^ 0x1257_a0ce)
    return Digest(random.bytes(Digest.size))
  }

  /// What servers and players of a world run unless they say otherwise.
  package static let application = "scenario/1"

  /// Time since the world began.
  package var elapsed: Duration { now - Self.start }

  /// A fingerprint of every datagram and event so far: two runs of a seed have the same.
  package var traceHash: UInt64 { trace.hash }

  // MARK: Players

  /// Adds a player, who is not connected yet.
  /// - Parameters:
  ///   - identity: players with the same number are the same person; a new one by default.
  ///   - configuration: the server's by default.
  ///   - nat: the NAT that the player is behind. By default it has a public address, which `rebind` can change all the
  ///     same.
  ///   - families: of its addresses; with IPv6 no NAT is in between.
  @discardableResult
  package func addPlayer(
    identity: UInt64? = nil, settings: ClientSettings? = nil, configuration: RoamkeyConfiguration? = nil,
    conditions: NetworkConditions = .perfect, behind nat: SimulatedNAT? = nil, families: AddressFamilies = .ipv4
  ) -> SimulatedPlayer {
    let index = players.count
    var settings = settings ?? ClientSettings(application: Self.application)
    settings.pin = settings.pin ?? server.id
    let origin = SimulatedPlayer.Origin(
      identity: identity ?? UInt64(index) &+ 1_000_000, settings: settings,
      configuration: configuration ?? self.configuration)
    let client = origin.endpoint(.seeded(random.next()))
    let host = SimulatedHost(
      name: "player \(index)", index: index + 1, process: SimulatedProcess(client), port: 40_000, renewsPort: true)
    connect(addInterface(to: host, conditions: conditions), toPlace: 0, behind: nat, families)
    let player = SimulatedPlayer(index: index, host: host, client: client, origin: origin)
    players.append(player)
    return player
  }

  package func touch(_ host: SimulatedHost) {
    guard !host.isTouched else { return }
    host.isTouched = true
    touched.append(host)
  }
}
