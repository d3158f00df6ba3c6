import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// One world of chance in which everybody roams: players and server change networks, knowingly or not, routers forget,
/// interfaces die, servers are killed and come back, and somebody on the way sends copies from elsewhere. From its
/// seed.
struct RandomRoaming {
  /// What happens; some of it lasts for a while.
  enum Event: CaseIterable {
    case moves, movesUnnoticed, movesBehindNAT, routerMoves, routerForgets
    case dies, goes, prefersAnother, plugsIn, standsStill
    case serverMoves, serverMovesUnnoticed, serverMovesBehindNAT, serverDies, serverGoes, serverPlugsIn, serverRestarts
    case conditions, forwarder, cut
  }

  let seed: UInt64
  var random: SeededRandom
  let world: SimulatedWorld
  var players: [SimulatedPlayer] = []
  var forwarders: [Forwarder] = []
  /// What each player said, and what the server said to each in each session of each of its processes.
  var said: [Int] = []
  var answers: [[SessionKey: Int]] = []
  var log: [String] = []
  /// Whether there is IPv6 as well as IPv4: the server has both then.
  private let hasBothFamilies: Bool
  /// Whether the server is killed now and then.
  private let restarts: Bool
  private let isLossy: Bool

  /// A session of one of the server's processes.
  struct SessionKey: Hashable {
    let process: Int
    let session: SessionHandle
  }

  init(seed: UInt64) {
    self.seed = seed
    var random = SeededRandom(seed: seed &+ 0x0a_0000)
    var settings = ServerSettings(application: SimulatedWorld.application)
    // Signatures cost most of the time, and hardly anything that is tried here depends on them.
    settings.signingPolicy = random.chance(0.9) ? .sealedOnly : .everyPacket
    hasBothFamilies = random.chance(0.4)
    restarts = random.chance(0.3)
    isLossy = random.chance(0.6)
    var configuration = RoamkeyConfiguration()
    configuration.clientConnectionIDSize = random.chance(0.3) ? 8 : 0
    if random.chance(0.2) { configuration.keyUpdatePacketCount = UInt64.random(in: 5...100, using: &random) }
    if random.chance(0.2) {
      configuration.keepAliveInterval = .milliseconds(Int.random(in: 500...5000, using: &random))
    }
    // Nobody gives up getting in, and nobody for being away for as long as a story lasts.
    configuration.handshakeTimeout = .seconds(100)
    configuration.halfOpenLifetime = .seconds(100)
    world = SimulatedWorld(
      seed: seed, settings: settings, configuration: configuration,
      families: hasBothFamilies ? .both : .ipv4)
    self.random = random
  }

  // MARK: The story

  /// - Parameter count: how many things happen.
  mutating func run(events count: Int) {
    let delay = random.duration(below: .seconds(2))
    let lookup = random.duration(below: .milliseconds(300))
    world.nameServer = NameServer(delay: lookup) { $0.serverAddresses }
    for index in 0..<(random.chance(0.7) ? 1 : 3) { join(index) }
    let players = players
    let areIn = world.run(within: .seconds(60)) { world in
      players.allSatisfy { $0.hasJoined && world.session(of: $0) != nil }
    }
    guard areIn else {
      Issue.record("seed \(seed): not all joined; \(players.map(\.host.events)) \(log)")
      return
    }
    let talk = RoamingTalk(world, players)
    talk.begin()
    world.run(for: delay)
    var time = Duration.zero
    for _ in 0..<count {
      time += random.duration(below: random.chance(0.2) ? .milliseconds(100) : .milliseconds(2500))
      plan(at: time)
    }
    world.run(for: time + .seconds(1))
    recover(talk)
    (said, answers) = (talk.said, talk.answers)
    check()
  }

  private mutating func join(_ index: Int) {
    let nat = random.chance(0.5) ? world.addNAT(behavior()) : nil
    let conditions = conditions()
    log.append("player \(index): \(conditions)\(nat == nil ? "" : ", behind NAT")")
    let player = world.addPlayer(conditions: conditions, behind: nat, families: families())
    players.append(player)
    forwarders.append(
      world.addForwarder(to: player, at: NetworkAddress(ipv4: 203, 0, 113, UInt8(60 + index), port: 6666)))
    let known = world.serverAddresses.filter { player.host.interface.outside($0.family) != nil }
    world.connect(player, to: random.chance(0.5) ? known : world.serverAddresses)
  }

  // MARK: Chances

  private mutating func conditions() -> NetworkConditions {
    var conditions = NetworkConditions(delay: random.duration(below: .milliseconds(120)))
    guard isLossy else { return conditions }
    if random.chance(0.6) { conditions.jitter = random.duration(below: .milliseconds(60)) }
    if random.chance(0.6) { conditions.loss = Double(random.next() % 200) / 1000 }
    if random.chance(0.3) { conditions.duplication = Double(random.next() % 200) / 1000 }
    if random.chance(0.3) { conditions.corruption = Double(random.next() % 50) / 1000 }
    if random.chance(0.2) { conditions.bursts = .init(begin: 0.02, end: 0.2) }
    if random.chance(0.3) {
      conditions.reordering = Double(random.next() % 200) / 1000
      conditions.reorderingDelay = random.duration(below: .milliseconds(100))
    }
    if random.chance(0.2) { conditions.mtu = Int.random(in: 1200...1400, using: &random) }
    if random.chance(0.1) { conditions.bandwidth = Int.random(in: 20_000...80_000, using: &random) }
    return conditions
  }

  private mutating func behavior() -> NATBehavior {
    NATBehavior(
      timeout: .seconds(Int.random(in: 5...60, using: &random)), isSymmetric: random.chance(0.2))
  }

  private mutating func families() -> AddressFamilies {
    hasBothFamilies ? AddressFamilies.allCases.randomElement(using: &random) ?? .both : .ipv4
  }

  /// The server keeps both families where there are both: whoever has one reaches it.
  private var serverFamilies: AddressFamilies { hasBothFamilies ? .both : .ipv4 }

  // MARK: What happens

  private mutating func plan(at time: Duration) {
    let event = Event.allCases.randomElement(using: &random) ?? .moves
    let player = players.randomElement(using: &random) ?? players[0]
    let length = random.duration(below: random.chance(0.8) ? .seconds(4) : .seconds(20))
    log.append("\(time): \(event) \(player.index), \(length)")
    switch event {
    case .moves, .movesUnnoticed, .movesBehindNAT, .routerMoves, .routerForgets:
      planMove(event, of: player, at: time)
    case .dies, .goes, .prefersAnother, .plugsIn, .standsStill:
      planInterface(event, of: player.host, families(), at: time, for: length)
    case .serverMoves, .serverMovesUnnoticed, .serverMovesBehindNAT, .serverRestarts:
      planServer(event, at: time, for: length)
    case .serverDies: planInterface(.dies, of: world.serverHost, serverFamilies, at: time, for: length)
    case .serverGoes: planInterface(.goes, of: world.serverHost, serverFamilies, at: time, for: length)
    case .serverPlugsIn: planInterface(.plugsIn, of: world.serverHost, serverFamilies, at: time, for: length)
    case .conditions:
      let conditions = conditions()
      world.after(time) { $0.setConditions(conditions, of: player.host) }
    case .forwarder: planForwarder(of: player, at: time, for: length)
    case .cut:
      let direction = [CutDirection.both, .inbound, .outbound].randomElement(using: &random) ?? .both
      world.after(time) { $0.partition([player.host], direction, for: length) }
    }
  }

  private mutating func planMove(_ event: Event, of player: SimulatedPlayer, at time: Duration) {
    let (families, behavior) = (families(), behavior())
    // Now and then back to where it was.
    let place = random.chance(0.2) ? Int.random(in: 0...2, using: &random) : nil
    world.after(time) { world in
      let interface = player.host.interface
      switch event {
      case .moves: world.move(interface, toPlace: place, families)
      case .movesUnnoticed: world.move(interface, isNoticed: false, families)
      case .movesBehindNAT: world.move(interface, behind: world.addNAT(behavior), families)
      case .routerMoves: world.move(interface, isNoticed: false, behind: world.addNAT(behavior), families)
      default: world.rebind(player)
      }
    }
  }

  /// The same for players and the server.
  private mutating func planInterface(
    _ event: Event, of host: SimulatedHost, _ families: AddressFamilies, at time: Duration, for length: Duration
  ) {
    let conditions = host.name == "server" ? .perfect : conditions()
    let (isFirst, number) = (random.chance(0.5), random.next())
    world.after(time) { world in
      let interface = host.interfaces[Int(number % UInt64(host.interfaces.count))]
      switch event {
      case .dies:
        let used = isFirst ? host.interface : interface
        if used.state == .up { used.state = .silent }
        world.after(length) { _ in if used.state == .silent { used.state = .up } }
      case .goes:
        let used = isFirst ? host.interface : interface
        world.set(used, .down)
        world.after(length) { world in
          if isFirst { world.connect(used, families) }
          world.set(used, .up)
        }
      case .prefersAnother: world.prefer(interface)
      case .plugsIn:
        guard host.interfaces.count < 3 else { return world.set(interface, .up) }
        world.connect(world.addInterface(to: host, conditions: conditions), families)
        if isFirst { world.notice(host) }
      default: world.suspend(host, for: length, stopsClock: isFirst)
      }
    }
  }

  private mutating func planServer(_ event: Event, at time: Duration, for length: Duration) {
    let (families, behavior, restarts) = (serverFamilies, behavior(), restarts)
    let downtime = min(length, .seconds(5))
    world.after(time) { world in
      if event == .serverRestarts, !restarts { return }
      switch event {
      case .serverMoves: world.moveServer(families)
      case .serverMovesUnnoticed: world.moveServer(isNoticed: false, families)
      case .serverMovesBehindNAT:
        world.moveServer(behind: world.addNAT(behavior), families)
        // Else nobody who has moved as well could ever reach it.
        world.openPort(of: world.serverHost)
      default: world.restartServer(after: downtime)
      }
    }
  }

  private mutating func planForwarder(of player: SimulatedPlayer, at time: Duration, for length: Duration) {
    let forwarder = forwarders[player.index]
    let (carriesBack, isDownToo, share) = (random.chance(0.5), random.chance(0.5), Double(random.next() % 100) / 100)
    let takes = random.chance(0.2)
    world.after(time) { world in
      var chances = SeededRandom(seed: world.random.next())
      let choice: (Datagram) -> Forwarder.Choice = { _ in
        chances.chance(share) ? (takes ? .takes : .copies) : .ignores
      }
      forwarder.carriesBack = carriesBack
      forwarder.upward = choice
      if isDownToo { forwarder.downward = choice }
      world.after(length) { _ in Self.calm(forwarder) }
    }
  }

  private static func calm(_ forwarder: Forwarder) {
    forwarder.upward = { _ in .ignores }
    forwarder.downward = { _ in .ignores }
    forwarder.carriesBack = false
  }

  // MARK: The end

  /// Everybody has a network from now on, and nothing more happens to it.
  private mutating func recover(_ talk: RoamingTalk) {
    world.run(for: .seconds(21))
    world.heal()
    for forwarder in forwarders { Self.calm(forwarder) }
    for host in players.map(\.host) + [world.serverHost] {
      for interface in host.interfaces {
        world.setConditions(up: .local, down: .local, of: interface)
        if interface.state == .silent { interface.state = .up }
      }
      if host.interface.state == .down { world.set(host.interface, .up) }
    }
    talk.isTalking = false
    let start = world.elapsed
    let (players, world) = (players, world)
    world.run(within: .seconds(90)) { world in
      players.allSatisfy { player in
        world.isDelivered(player) && player.client.sessionStatistics(now: world.time(of: player.host)) != nil
      }
    }
    log.append("recovered after \(world.elapsed - start)")
    world.run(for: .seconds(12))
  }
}
