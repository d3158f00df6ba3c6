public import Roamkey
public import RoamkeyEngine
import RoamkeyWire

/// A game's own code on a simulated network: a server, clients and what lies between them, in virtual time and from a
/// seed.
///
/// Nothing sleeps and no clock is read: an hour takes as long as its work. Two runs with the same seed, and with a game
/// that draws its chances from ``random``, asks for no other time than ``now`` and ``time``, and sends in no order that
/// a `Set` or `Dictionary` happens to have, are the same to the last bit; ``fingerprint`` tells.
///
///     let simulation = Simulation(seed: 7)
///     let client = simulation.addClient(network: .mobile)
///     simulation.every(.milliseconds(33)) { game.tick($0.server, now: $0.time) }
///     simulation.run(for: .seconds(60))
///
/// It is for one thread, and so are its clients, server and routers.
public final class Simulation {
  /// What all chances of it follow from.
  public let seed: UInt64
  /// The server. It is there from the beginning.
  public let server: SimulatedServer
  /// The clients, in the order in which they were added.
  public private(set) var clients: [SimulatedClient] = []
  /// Chances for the game, from the seed. The network has its own: who draws here changes nothing there.
  public var random: SeededRandom
  let world: SimulatedWorld
  private let application: String

  /// - Parameters:
  ///   - seed: another one, other chances.
  ///   - application: name and version of what is played, 1 to 255 bytes.
  ///   - name: what the server is called, at most 64 bytes without control characters; none by default.
  ///   - configuration: of the server, and of clients that are given none of their own.
  ///   - network: how the server's line treats datagrams, each way; perfect, so that a client's own line counts.
  public init(
    seed: UInt64, application: String = "simulation/1", name: String? = nil,
    configuration: RoamkeyConfiguration = .init(),
    network: NetworkConditions = .perfect
  ) {
    precondition((1...255).contains(application.utf8.count), "an application is named by 1 to 255 bytes")
    Self.check(name)
    var settings = ServerSettings(application: application)
    settings.displayName = name
    self.seed = seed
    self.application = application
    random = SeededRandom(seed: ~seed)
    world = SimulatedWorld(
      seed: seed, settings: settings, configuration: configuration, conditions: network)
    server = SimulatedServer(in: world)
  }

  private static func check(_ name: String?) {
    guard let name else { return }
    precondition(name.utf8.count <= 64 && DisplayText.isClean(name), "a name has at most 64 clean bytes")
  }

  deinit {
    // What is still to be done may hold clients, and they the world.
    world.queue = EventQueue()
  }

  /// Adds a player on a machine of its own, with a key of its own, who connects at once; it takes a round trip or two.
  /// - Parameters:
  ///   - network: how its line treats datagrams, each way.
  ///   - router: the one that it is behind; none by default.
  ///   - name: what the player is called, at most 64 bytes without control characters; none by default.
  ///   - pinned: the only server that it accepts; the one that is there by default.
  ///   - configuration: its own limits and timers; the server's by default.
  @discardableResult
  public func addClient(
    network: NetworkConditions = .broadband, behind router: SimulatedRouter? = nil, name: String? = nil,
    pinned: PlayerID? = nil, configuration: RoamkeyConfiguration? = nil
  ) -> SimulatedClient {
    var settings = ClientSettings(application: application)
    settings.displayName = name
    settings.pin = pinned
    Self.check(name)
    let player = world.addPlayer(
      settings: settings, configuration: configuration, conditions: network, behind: router?.nat)
    let client = SimulatedClient(player, in: world, configuration: configuration ?? world.configuration)
    clients.append(client)
    world.connect(player)
    return client
  }

  // MARK: Time

  /// The time since the simulation began.
  public var now: Duration { world.elapsed }

  /// The same as a moment, for code that takes its time as an argument, and for `age(at:)` of messages. `age` and
  /// `sentAt` without an argument are of no use here: they compare with the machine's own clock.
  public var time: GameTime { GameTime(world.now) }

  /// Lets time pass.
  public func run(for duration: Duration) { world.run(for: duration) }

  /// Lets time pass until something is so. It is asked whenever something has happened on the network.
  /// - Returns: whether it came to be so within `limit`.
  @discardableResult
  public func run(until condition: () -> Bool, within limit: Duration) -> Bool {
    world.run(within: limit) { _ in condition() }
  }

  /// Does something once, so much later; at once, when the simulation runs, for a duration that is not positive.
  public func after(_ duration: Duration, _ body: @escaping (Simulation) -> Void) {
    // Weak: the world holds what is to be done, and the simulation the world.
    world.after(max(.zero, duration)) { [weak self] _ in
      if let self { body(self) }
    }
  }

  /// Does something again and again: a game's tick. The first time is after one interval.
  /// - Parameters:
  ///   - interval: above zero.
  ///   - client: whose tick it is: while its process does not run, nothing is done.
  ///   - body: what is done.
  public func every(
    _ interval: Duration, on client: SimulatedClient? = nil, _ body: @escaping (Simulation) -> Void
  ) {
    precondition(interval > .zero, "a tick takes time")
    after(interval) { simulation in
      if client?.isRunning ?? true { body(simulation) }
      simulation.every(interval, on: client, body)
    }
  }

  // MARK: What is to be checked

  /// A number that follows from every datagram and event so far: two runs of a seed have the same.
  public var fingerprint: UInt64 { world.traceHash }

  /// Datagrams that cuts have stopped so far.
  public var datagramsCut: Int { world.cutDatagrams }

  /// What no run may do, whatever its network did, and this one did: faults of Roamkey, the first 20. A test expects
  /// none.
  public var violations: [String] { world.violations }
}
