import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// One world of chance, from its seed.
struct RandomStory {
  /// What happens to a player; some of it lasts for a while.
  private enum Disturbance: CaseIterable {
    case rebinds, moves, movesUnnoticed, movesBehindNAT, down, cutOff, cutOneWay, standsStill, slowApp, changes
  }

  let seed: UInt64
  var random: SeededRandom
  let world: SimulatedWorld
  var players: [SimulatedPlayer] = []
  private var up: [[[UInt8]]] = []
  private var down: [[[UInt8]]] = []
  /// Letters to the server and from it, of each player.
  private var mail: [[RandomMail]] = []
  /// Whose clock stood still for a time.
  private var hasStoppedClock: Set<Int> = []
  private var nats: [SimulatedNAT] = []
  var log: [String] = []
  /// Two damaged cookies are the end of a handshake, since a client takes two Retries only (PROTOCOL §1).
  private let canCorruptHandshakes: Bool
  private let smallestMTU: Int

  init(seed: UInt64) {
    self.seed = seed
    var random = SeededRandom(seed: seed &+ 0x5eed)
    var settings = ServerSettings(application: SimulatedWorld.application)
    // Without signatures a world costs a third: most of what is tried here does not depend on them.
    settings.signingPolicy = random.chance(0.75) ? .sealedOnly : .everyPacket
    let configuration = Self.configuration(&random)
    smallestMTU = configuration.packetSize
    var conditions = random.chance(0.3) ? Self.conditions(&random, smallestMTU: smallestMTU) : .perfect
    canCorruptHandshakes = configuration.retryThreshold > 0
    if !canCorruptHandshakes { conditions.corruption = 0 }
    world = SimulatedWorld(seed: seed, settings: settings, configuration: configuration, conditions: conditions)
    log.append("policy \(settings.signingPolicy)")
    self.random = random
  }

  private static func configuration(_ random: inout SeededRandom) -> RoamkeyConfiguration {
    var configuration = RoamkeyConfiguration()
    configuration.clientConnectionIDSize = random.chance(0.5) ? 8 : 0
    if random.chance(0.3) { configuration.keyUpdatePacketCount = UInt64.random(in: 5...100, using: &random) }
    // The credit covers the longest message, whatever is set.
    configuration.maximumMessageSize = 32_000
    if random.chance(0.3) { configuration.receiveCredit = Int.random(in: 20_000...200_000, using: &random) }
    if random.chance(0.3) { configuration.sendQueueLimit = Int.random(in: 5000...100_000, using: &random) }
    if random.chance(0.2) { configuration.retryThreshold = 0 }
    if random.chance(0.3) { configuration.packetSize = Int.random(in: 1200...1400, using: &random) }
    if random.chance(0.3) {
      configuration.keepAliveInterval = .milliseconds(Int.random(in: 500...5000, using: &random))
    }
    if random.chance(0.3) { configuration.maximumAckDelay = .milliseconds(Int.random(in: 0...50, using: &random)) }
    if random.chance(0.3) { configuration.ackElicitingThreshold = Int.random(in: 1...10, using: &random) }
    // Nobody gives up getting in: a Finish that is lost for ten seconds would be late otherwise.
    configuration.handshakeTimeout = .seconds(100)
    configuration.halfOpenLifetime = .seconds(100)
    return configuration
  }

  private mutating func conditions() -> NetworkConditions { Self.conditions(&random, smallestMTU: smallestMTU) }

  /// - Parameter smallestMTU: what packets have before anything is probed, and every network carries.
  private static func conditions(_ random: inout SeededRandom, smallestMTU: Int) -> NetworkConditions {
    var conditions = NetworkConditions(delay: random.duration(below: .milliseconds(150)))
    if random.chance(0.6) { conditions.jitter = random.duration(below: .milliseconds(150)) }
    if random.chance(0.6) { conditions.loss = Double(random.next() % 300) / 1000 }
    if random.chance(0.4) { conditions.duplication = Double(random.next() % 300) / 1000 }
    if random.chance(0.4) { conditions.corruption = Double(random.next() % 100) / 1000 }
    if random.chance(0.2) { conditions.bursts = .init(begin: 0.02, end: 0.2) }
    if random.chance(0.3) { conditions.keepsOrder = true }
    if random.chance(0.3) { conditions.mtu = Int.random(in: smallestMTU...1400, using: &random) }
    if random.chance(0.3) {
      conditions.reordering = Double(random.next() % 200) / 1000
      conditions.reorderingDelay = random.duration(below: .milliseconds(200))
    }
    if random.chance(0.3) {
      conditions.bandwidth = Int.random(in: 4000...80_000, using: &random)
      conditions.queue = random.chance(0.2) ? nil : Int.random(in: 2000...20_000, using: &random)
    }
    return conditions
  }

  /// A router of its own for whoever moves, or one that a household shares.
  private mutating func nat() -> SimulatedNAT {
    var behavior = NATBehavior(timeout: .seconds(Int.random(in: 2...60, using: &random)))
    behavior.isSymmetric = random.chance(0.2)
    var conditions = random.chance(0.2) ? conditions() : .perfect
    if !canCorruptHandshakes { conditions.corruption = 0 }
    nats.append(world.addNAT(behavior, conditions: conditions))
    log.append("NAT \(behavior), \(conditions)")
    return nats[nats.count - 1]
  }

  mutating func run() {
    let household = random.chance(0.3) ? nat() : nil
    for i in 0..<Int.random(in: 1...3, using: &random) { join(i, behind: random.chance(0.7) ? household : nil) }
    let (world, players) = (world, players)
    func areIn(_ world: SimulatedWorld) -> Bool {
      players.allSatisfy { $0.hasJoined && world.session(of: $0) != nil }
    }
    if !world.run(within: .seconds(60), until: areIn) {
      // Among thousands of worlds there are some where bad luck lasts for a minute.
      makeGood()
      world.run(within: .seconds(20), until: areIn)
    }
    guard areIn(world) else {
      Issue.record("seed \(seed): not all joined; \(players.map(\.host.events)) \(log)")
      return
    }
    for i in players.indices {
      talk(i)
      writeLetters(i)
      disturb(i)
    }
    if random.chance(0.1) {
      let (time, length) = (random.duration(below: .seconds(25)), random.duration(below: .seconds(25)))
      log.append("\(time): the server stands still")
      world.after(time) { $0.suspend($0.serverHost, for: length) }
    }
    world.run(for: .seconds(30))
    recover()
    check()
    if random.chance(0.3) { rest() }
    if random.chance(0.2) { restart() }
    end()
  }

  private mutating func join(_ index: Int, behind nat: SimulatedNAT?) {
    var conditions = conditions()
    if !canCorruptHandshakes { conditions.corruption = 0 }
    log.append("player \(index): \(conditions)\(nat == nil ? "" : ", behind NAT")")
    let player = world.addPlayer(conditions: conditions, behind: nat)
    if random.chance(0.5) {
      let offset = random.duration(below: .seconds(100_000))
      player.host.clock = SimulatedClock(offset: offset, drift: Int.random(in: -200...200, using: &random))
    }
    if random.chance(0.3) { player.host.socketBufferLimit = Int.random(in: 0...5000, using: &random) }
    players.append(player)
    world.connect(player)
  }

  /// Messages at random times of random sizes, both ways.
  private mutating func talk(_ index: Int) {
    let player = players[index]
    var sent: [[[UInt8]]] = [[], []]
    for direction in 0..<2 {
      var time = Duration.zero
      for number in 0..<Int.random(in: 0...150, using: &random) {
        let scale = [50, 300, 1500, 30_000]
        let size = Int.random(
          in: 8...scale[random.chance(0.03) ? 3 : Int.random(in: 0..<3, using: &random)], using: &random)
        let message = numberedMessage(number, size: size, salt: UInt64(2 * index + direction))
        sent[direction].append(message)
        if random.chance(0.5) { time += random.duration(below: .milliseconds(300)) }
        world.after(time) { direction == 0 ? $0.send(message, from: player) : $0.send([message], to: player) }
      }
    }
    up.append(sent[0])
    down.append(sent[1])
  }

  /// Messages of all other kinds, both ways.
  private mutating func writeLetters(_ index: Int) {
    let (world, player) = (world, players[index])
    player.host.process.keepsMessages = true
    world.serverHost.process.keepsMessages = true
    var both = [RandomMail(salt: UInt64(100 + 2 * index)), RandomMail(salt: UInt64(101 + 2 * index))]
    for direction in 0..<2 {
      let count = random.chance(0.7) ? Int.random(in: 0...100, using: &random) : 0
      both[direction].write(count, from: world.now, using: &random) { time, body, options, lifetime in
        world.after(time) { world in
          if direction == 0 {
            world.send(body, from: player, options, lifetime: lifetime)
          } else if let session = world.session(of: player) {
            world.send(body, to: session, options, lifetime: lifetime)
          }
        }
      }
    }
    mail.append(both)
  }

  /// What happens to a player's network in half a minute.
  private mutating func disturb(_ index: Int) {
    let player = players[index]
    for _ in 0..<Int.random(in: 0...6, using: &random) {
      let time = random.duration(below: .seconds(25))
      let length = random.duration(below: .seconds(25))
      let kind = Disturbance.allCases.randomElement(using: &random) ?? .moves
      let (isFirst, conditions) = (random.chance(0.5), conditions())
      let nat = kind == .movesBehindNAT ? nat() : nil
      if kind == .standsStill { hasStoppedClock.insert(index) }
      log.append("player \(index), \(time): \(kind)")
      world.after(time) { world in
        switch kind {
        case .rebinds: world.rebind(player)
        case .moves: world.move(player)
        case .movesUnnoticed: world.move(player, isNoticed: false)
        case .movesBehindNAT: world.move(player, isNoticed: isFirst, behind: nat)
        case .down:
          player.host.isUp = false
          world.after(length) { _ in player.host.isUp = true }
        case .cutOff: world.partition([player.host], for: length)
        case .cutOneWay: world.partition([player.host], isFirst ? .outbound : .inbound, for: length)
        case .standsStill: world.suspend(player.host, for: length, stopsClock: isFirst)
        case .slowApp:
          player.host.isReading = false
          world.after(length) { world in
            player.host.isReading = true
            world.consumeAll(player.host)
          }
        case .changes: world.setConditions(conditions, of: player.host)
        }
      }
    }
    if random.chance(0.3) { meddle(with: player) }
  }

  /// Somebody on the way repeats, damages and forwards.
  private func meddle(with player: SimulatedPlayer) {
    let world = world
    world.tap { [unowned world] datagram in
      guard datagram.source == player.host.outside || datagram.destination == player.host.outside,
        world.elapsed < .seconds(60), world.random.chance(0.1)
      else { return .pass }
      var bytes = datagram.bytes
      if world.random.chance(0.3) { bytes[Int.random(in: 0..<bytes.count, using: &world.random)] ^= 1 }
      let stranger = NetworkAddress(ipv4: 203, 0, 113, UInt8(player.index), port: 6666)
      world.forward(
        datagram, as: bytes, from: world.random.chance(0.5) ? stranger : nil,
        after: world.random.duration(below: .milliseconds(500)))
      return .pass
    }
  }

  private func makeGood() {
    world.heal()
    world.setConditions(.perfect, of: world.serverHost)
    for nat in nats {
      nat.behavior.timeout = .seconds(120)
      world.setConditions(up: .perfect, down: .perfect, of: nat)
    }
    for player in players { world.setConditions(.local, of: player.host) }
  }

  /// The network is good from now on.
  private func recover() {
    world.run(for: .seconds(25))
    makeGood()
    for player in players {
      player.host.isUp = true
      player.host.isReading = true
      world.consumeAll(player.host)
    }
    let (players, up, down) = (players, up, down)
    world.run(within: .seconds(120)) { world in
      players.indices.allSatisfy { i in
        players[i].inbox.count >= down[i].count && world.inbox(from: players[i]).count >= up[i].count
          && world.isDelivered(players[i])
      }
    }
    // A player who was offline when the network came back, and has nothing to say, asks at intervals.
    world.run(for: .seconds(40))
  }

  /// What is wrong with the letters of a player.
  private mutating func mailProblems(_ index: Int) -> [String] {
    let player = players[index]
    guard let session = world.session(of: player) else { return ["no session"] }
    let own = SessionHandle(rawValue: 1)
    let isSteady = !hasStoppedClock.contains(index)
    return mail[index][0].problems(
      delivered: world.serverHost.process.messages[session] ?? [], receipts: player.host.receipts(of: own),
      clocks: .init(receiver: world.serverHost.clock, areSteady: isSteady))
      + mail[index][1].problems(
        delivered: player.host.process.messages[own] ?? [], receipts: world.serverHost.receipts(of: session),
        clocks: .init(receiver: player.host.clock, areSteady: isSteady))
  }

  private mutating func check() {
    for (i, player) in players.enumerated() {
      let problems = mailProblems(i)
      #expect(problems == [], "seed \(seed), player \(i); \(log)")
      let upward = difference(world.inbox(from: player), up[i])
      let downward = difference(player.inbox, down[i])
      #expect(upward == nil, "seed \(seed), player \(i) to server; \(log)")
      #expect(downward == nil, "seed \(seed), server to player \(i); \(log)")
      #expect(world.isDelivered(player), "seed \(seed), player \(i) is not acknowledged; \(log)")
      #expect(player.host.joinedCount == 1, "seed \(seed), player \(i); \(log)")
      #expect(player.host.offlineCount == player.host.onlineCount, "seed \(seed), player \(i) is offline; \(log)")
      #expect(player.host.ends.isEmpty, "seed \(seed), player \(i); \(log)")
      // Where the server sees the player now is where it is, and both know it.
      if let last = world.serverHost.lastMove(of: world.session(of: player)) {
        #expect(last == player.host.outside, "seed \(seed), player \(i); \(log)")
      }
      if let last = player.host.moves.last {
        #expect(last.to == player.host.outside, "seed \(seed), player \(i); \(log)")
      }
    }
    #expect(world.serverHost.joinedCount == players.count, "seed \(seed); \(log)")
    #expect(world.serverHost.ends.isEmpty, "seed \(seed); \(log)")
    #expect(world.violations == [], "seed \(seed); \(log)")
  }

  /// Who rests is left alone, and is there when it is needed again.
  private func rest() {
    let (world, player) = (world, players[0])
    player.client.setResting(true, now: world.time(of: player.host))
    world.touch(player.host)
    world.run(for: .seconds(30))
    let before = player.host.traffic
    world.run(for: .seconds(600))
    #expect(player.host.traffic == before, "seed \(seed): a resting player is not left alone; \(log)")
    // It speaks first: a router has long forgotten the way back.
    let word = numberedMessage(0, size: 50, salt: 99)
    world.send(word, from: player)
    world.run(for: .seconds(5))
    #expect(world.inbox(from: player).last == word, "seed \(seed): it does not wake; \(log)")
    #expect(player.host.offlineCount == player.host.onlineCount && player.host.ends.isEmpty, "seed \(seed); \(log)")
  }

  private func end() {
    for player in players { world.close(player, afterDelivery: true) }
    world.run(for: .seconds(20))
    #expect(players.allSatisfy { $0.client.isIdle && $0.host.ends == [.closed] }, "seed \(seed); \(log)")
    let ends = world.serverHost.ends
    #expect(world.server.isIdle && ends.allSatisfy { $0 == .closed || $0 == .replaced }, "seed \(seed); \(log)")
    #expect(world.violations == [], "seed \(seed); \(log)")
  }
}

extension SimulatedHost {
  /// What became of messages with receipts.
  func receipts(of session: SessionHandle) -> [(number: UInt64, outcome: DeliveryOutcome)] {
    events.compactMap { event in
      guard case .receipt(session, let number, let outcome) = event else { return nil }
      return (number, outcome)
    }
  }

  /// Where a session's peer last moved to.
  func lastMove(of session: SessionHandle?) -> NetworkAddress? {
    for case .roamed(let moved, let change) in events.reversed() where moved == session { return change.to }
    return nil
  }
}
