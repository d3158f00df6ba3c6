import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// A game that goes on while the network is gone again and again, with messages of every kind both ways, each held
/// against its promise at the moment at which it arrives. The apps do nothing about the network.
final class DeadNetworkStory {
  /// What is sent, each in a channel of its own.
  enum Kind: Int, CaseIterable {
    case moves, chat, loot, state, effects, offers

    var delivery: Delivery {
      switch self {
      case .moves, .chat: .reliableOrdered
      case .loot, .offers: .reliableUnordered
      case .state: .latest
      case .effects: .unreliable
      }
    }

    /// In tenths of a second, in a game of usual pace.
    var period: Int {
      switch self {
      case .moves, .state: 1
      case .chat: 15
      case .loot: 7
      case .effects: 4
      case .offers: 5
      }
    }

    /// What is not delivered by then is not worth it any more.
    var lifetime: Duration? { self == .offers ? .seconds(5) : nil }

    var mustArrive: Bool { delivery.isReliable && lifetime == nil }

    func options(at now: Instant) -> MessageOptions {
      MessageOptions(delivery: delivery, channel: UInt8(rawValue), expires: lifetime.map { now + $0 })
    }
  }

  /// One way.
  final class Direction {
    let name: String
    private let salt: UInt64
    private(set) var sentAt: [Kind: [Duration]] = [:]
    private(set) var arrived: [Kind: Set<Int>] = [:]
    private var last: [Kind: Int] = [:]
    /// When anything arrived.
    private(set) var arrivals: [Duration] = []
    private var read = 0
    /// Promises that were broken.
    private(set) var failures: [String] = []

    init(_ name: String, salt: UInt64) { (self.name, self.salt) = (name, salt) }

    func next(_ kind: Kind, at time: Duration) -> [UInt8] {
      let number = sentAt[kind, default: []].count
      sentAt[kind, default: []].append(time)
      return message(kind, number)
    }

    private func message(_ kind: Kind, _ number: Int) -> [UInt8] {
      numberedMessage(kind.rawValue << 40 | number, size: 40, salt: salt)
    }

    /// Looks at what is new among all that arrived.
    func look(_ delivered: [SimulatedProcess.Delivered], at time: Duration) {
      look(delivered[read...].map(\.message.content.body), at: time)
      read = delivered.count
    }

    func look(_ bodies: [[UInt8]], at time: Duration) {
      for body in bodies { take(body, at: time) }
    }

    private func take(_ body: [UInt8], at time: Duration) {
      arrivals.append(time)
      let value = body.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      let number = value & (1 << 40 - 1)
      guard let kind = Kind(rawValue: value >> 40), number < sentAt[kind, default: []].count,
        body == message(kind, number)
      else { return fail("something arrived that nobody sent", time) }
      if !arrived[kind, default: []].insert(number).inserted { fail("\(kind) \(number) arrived twice", time) }
      let previous = last[kind] ?? -1
      switch kind.delivery {
      case .reliableOrdered: if number != previous + 1 { fail("\(kind) \(number) after \(previous)", time) }
      case .latest: if number <= previous { fail("\(kind) \(number) after \(previous)", time) }
      case .reliableUnordered, .unreliable: break
      }
      last[kind] = number
      // Nothing of it leaves once it has expired; what left before may still be under way.
      if let lifetime = kind.lifetime, let sent = sentAt[kind]?[number] {
        if time - sent > lifetime + DeadNetworkStory.longestTrip { fail("\(kind) \(number) had expired", time) }
      }
    }

    private func fail(_ what: String, _ time: Duration) {
      if failures.count < 20 { failures.append("\(time): \(what)") }
    }

    var isComplete: Bool {
      Kind.allCases.allSatisfy { !$0.mustArrive || arrived[$0]?.count == sentAt[$0]?.count }
    }
  }

  static let longestTrip: Duration = .milliseconds(50)
  private static let conditions = NetworkConditions(loss: 0.02, delay: .milliseconds(20), jitter: .milliseconds(20))

  let world: SimulatedWorld
  let player: SimulatedPlayer
  let up = Direction("to the server", salt: 1)
  let down = Direction("to the player", salt: 2)
  /// Bytes in a queue of the engine, and messages that found no room in it.
  private(set) var deepestQueue = 0
  private(set) var mostWaiting = 0
  /// When the network was cut and when it was mended.
  private(set) var cuts: [(start: Duration, end: Duration)] = []

  init(seed: UInt64, configuration: RoamkeyConfiguration = .init()) {
    var settings = ServerSettings(application: SimulatedWorld.application)
    // What is tried here does not depend on signatures.
    settings.signingPolicy = .sealedOnly
    (world, player) = SimulatedWorld.joined(
      seed: seed, conditions: Self.conditions, configuration: configuration, settings: settings)
    player.host.process.keepsMessages = true
    world.serverHost.process.keepsMessages = true
  }

  /// Both sides talk for so long.
  /// - Parameter pace: how many times slower than usual.
  func talk(for length: Duration, pace: Int = 1) {
    let ticks = Int(length / .milliseconds(100))
    for tick in 0..<ticks {
      let kinds = Kind.allCases.filter { tick.isMultiple(of: $0.period * pace) }
      guard !kinds.isEmpty else { continue }
      world.after(.milliseconds(100) * tick) { [self] world in
        for kind in kinds {
          world.send(up.next(kind, at: world.elapsed), from: player, kind.options(at: world.now))
          if let session = world.session(of: player) {
            world.send(down.next(kind, at: world.elapsed), to: session, kind.options(at: world.now))
          }
        }
      }
    }
  }

  /// Cuts everything off, so long from now.
  func cut(after offset: Duration, for length: Duration) {
    let start = world.elapsed + offset
    cuts.append((start, start + length))
    world.after(offset) { $0.partitionAll(for: length) }
  }

  func run(for length: Duration) {
    world.run(within: length) { [self] _ in
      look()
      return false
    }
  }

  /// Lets what is left arrive.
  func finish(within limit: Duration) {
    world.run(within: limit) { [self] world in
      look()
      return up.isComplete && down.isComplete && world.isDelivered(player)
    }
    // What comes twice comes a little later.
    run(for: .seconds(5))
  }

  private func look() {
    if let session = world.session(of: player) {
      up.look(world.serverHost.process.messages[session] ?? [], at: world.elapsed)
    }
    down.look(player.host.process.messages[SessionHandle(rawValue: 1)] ?? [], at: world.elapsed)
    let serverQueue = world.session(of: player).map { world.server.queuedBytes(of: $0) } ?? 0
    deepestQueue = max(deepestQueue, player.client.queuedBytes, serverQueue)
    mostWaiting = max(mostWaiting, player.host.waitingMessages, world.serverHost.waitingMessages)
  }
}
