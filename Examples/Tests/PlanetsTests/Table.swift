import Planets
import Roamkey
import RoamkeySimulator

@testable import PlanetsNet

/// A host and its guests on a simulated network, with bots at the guests' keys.
///
/// Every view that a guest shows is held against what the host made for it.
final class Table {
  final class Chair {
    let client: SimulatedClient
    var guest: PlanetsGuest
    /// Who plays; nil where nobody touches a key.
    var level: BotLevel?
    var news: [PlanetsGuest.News] = []
    var views = 0
    private var generator: SeededGenerator
    fileprivate var shownTick = -1000.0

    init(_ client: SimulatedClient, level: BotLevel?, isBehindRouter: Bool) {
      self.client = client
      self.level = level
      guest = PlanetsGuest(isBehindRouter: isBehindRouter)
      generator = SeededGenerator(seed: UInt64(client.number))
    }

    var view: View { guest.view }

    fileprivate func play() {
      guard let level else { return }
      for order in Bot.orders(level, guest.shown, using: &generator) { _ = try? guest.order(order) }
    }
  }

  let simulation: Simulation
  private(set) var host: PlanetsHost
  private(set) var chairs: [Chair] = []
  /// What did not agree, the first few.
  private(set) var faults: [String] = []
  /// What the host made for each player, by frame; the newest few hundred.
  private var made: [PlayerID: [Int: View]] = [:]

  static var configuration: RoamkeyConfiguration {
    var configuration = RoamkeyConfiguration()
    configuration.flushPolicy = .manual
    return configuration
  }

  init(
    seed: UInt64, _ settings: MatchSettings = MatchSettings(rules: Rules(pace: 4)),
    network: NetworkConditions = .perfect
  ) {
    simulation = Simulation(
      seed: seed, application: PlanetsWire.application, configuration: Self.configuration, network: network)
    host = PlanetsHost(seed: seed, settings: settings)
    simulation.every(.milliseconds(25)) { [unowned self] in
      guard $0.server.isRunning else { return }
      let before = host.frame
      host.tick($0.server, now: $0.time)
      if host.frame != before { note() }
    }
  }

  /// Somebody comes, and is in before the next one.
  @discardableResult
  func sit(
    _ name: String, _ level: BotLevel? = .medium, network: NetworkConditions = .broadband,
    behind router: SimulatedRouter? = nil
  ) -> Chair {
    let client = simulation.addClient(network: network, behind: router, name: name)
    let chair = Chair(client, level: level, isBehindRouter: router != nil)
    chairs.append(chair)
    simulation.every(.milliseconds(33), on: client) { [unowned self] _ in
      let before = chair.guest.view.frame
      chair.guest.tick(client, now: client.time)
      chair.news += chair.guest.takeNews()
      if chair.guest.view.frame != before { compare(chair) }
      look(chair)
      // Cut off for so long that it gave up: a person tries again.
      if case .failed = client.state { restart(chair, after: .seconds(1)) }
    }
    simulation.run(until: { self.host.people[client.id] != nil }, within: .seconds(10))
    return chair
  }

  /// The host's program ends, and another begins.
  func restartHost(after downtime: Duration) {
    made = [:]
    host = PlanetsHost(seed: host.nextSeed, settings: host.settings)
    simulation.restartServer(after: downtime)
  }

  /// A guest's program ends, and another begins.
  func restart(_ chair: Chair, after downtime: Duration) {
    chair.guest = PlanetsGuest()
    chair.shownTick = -1000
    simulation.restart(chair.client, after: downtime)
  }

  /// All say that they are ready, once they are in.
  func begin() -> Bool {
    let areIn = simulation.run(until: { self.chairs.allSatisfy { !$0.view.seats.isEmpty } }, within: .seconds(20))
    for chair in chairs { chair.guest.setReady(true) }
    return areIn && simulation.run(until: { self.host.phase == .playing }, within: .seconds(20))
  }

  /// Until a match is over and all have been told.
  func playToTheEnd(within limit: Duration = .seconds(600)) -> Bool {
    simulation.run(
      until: {
        if case .over = self.host.phase { self.chairs.allSatisfy { $0.view.phase == self.host.phase } } else { false }
      },
      within: limit)
  }

  private func note() {
    for player in simulation.server.players {
      made[player, default: [:]][host.frame] = host.view(of: player)
      made[player]?[host.frame - 400] = nil
    }
  }

  private func compare(_ chair: Chair) {
    chair.views += 1
    if made[chair.client.id]?[chair.view.frame] == chair.view { chair.play() } else { fault("another view", chair) }
  }

  /// What a screen would do with it.
  private func look(_ chair: Chair) {
    let tick = chair.guest.tick(at: chair.client.time)
    if case .playing = chair.view.phase {
      if tick < chair.shownTick { fault("time went back", chair) }
      chair.shownTick = tick
    } else {
      chair.shownTick = -1000
    }
  }

  private func fault(_ what: String, _ chair: Chair) {
    guard faults.count < 10 else { return }
    faults.append("\(what): client \(chair.client.number), frame \(chair.view.frame), tick \(chair.view.tick)")
  }
}
