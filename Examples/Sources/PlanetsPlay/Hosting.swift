import Planets
import PlanetsNet
import PlanetsTerminal
import Roamkey
import RoamkeyTerminal

/// A game that is hosted here: a server, and a task that moves it on.
final class Hosting: Sendable {
  let server: Server
  private let task: Task<Void, Never>

  /// More often than the game moves on, so that what comes is followed soon.
  private static let interval = Duration.milliseconds(20)
  /// How many may be there, those who watch included.
  private static let mostPlayers = 24

  /// - Parameter owner: the player who hosts, and may begin matches.
  init(_ options: Options, owner: PlayerID) async throws(Failure) {
    let key = try KeyChoice.of("keys/server.pem")
    server = try await Self.server(options, key)
    let settings = MatchSettings(options.setup)
    let (server, seed) = (server, options.setup.seed)
    task = Task.detached {
      var host = PlanetsHost(seed: seed, settings: settings, owner: owner)
      let clock = SuspendingClock()
      var next = clock.now
      while !Task.isCancelled {
        host.tick(server, now: clock.now)
        next = max(next + Self.interval, clock.now)
        try? await clock.sleep(until: next, tolerance: .milliseconds(2))
      }
    }
  }

  private static func server(_ options: Options, _ key: KeyChoice) async throws(Failure) -> Server {
    var configuration = RoamkeyConfiguration.planets
    configuration.maximumSessions = mostPlayers
    let name = String("\(options.setup.name)'s game".prefix(64))
    // Another port will do where nobody has said which, and it is taken: who looks nearby finds it all the same.
    for port in options.port == 0 ? [Int(Client.defaultPort), 0] : [options.port] {
      let secret = try key.load()
      do throws(RoamkeyError) {
        return try await Server(
          key: secret, application: PlanetsWire.application, port: port, name: name, configuration: configuration)
      } catch {
        guard error.code == .portInUse, port != 0, options.port == 0 else { throw Failure(error) }
      }
    }
    throw Failure(code: "portInUse", "no port is free")
  }

  func stop() async {
    task.cancel()
    await task.value
    await server.close()
  }
}

extension RoamkeyConfiguration {
  /// All of a frame in one packet.
  static var planets: RoamkeyConfiguration {
    var configuration = RoamkeyConfiguration()
    configuration.flushPolicy = .manual
    return configuration
  }
}

extension MatchSettings {
  init(_ setup: MatchSetup) {
    self.init(rules: setup.rules, bots: setup.bots, level: setup.level, seed: setup.seed)
  }
}
