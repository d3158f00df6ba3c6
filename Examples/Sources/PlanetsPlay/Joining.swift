import PlanetsNet
import PlanetsTerminal
import Roamkey
import RoamkeyTerminal
import Synchronization

/// The way into somebody else's game.
struct Joining {
  /// Where to.
  enum Goal: Sendable {
    /// A host's address, or a name.
    case text(String)
    /// Whoever has the key that was given.
    case pin(PlayerID)
    case found(FoundServer)
  }

  let options: Options
  let key: KeyChoice
  let known: KnownServers

  init(_ options: Options) throws(Failure) {
    self.options = options
    key = try KeyChoice.of(options.keyFile)
    known = KnownServers(besideKeyFile: key.path)
  }

  /// Connects: under the key that was given, or the one that the host had before.
  /// - Returns: the session, and what there is to say about the host's key.
  func connect(to goal: Goal) async throws(Failure) -> (client: Client, notes: [String]) {
    let notes = Notes()
    var finder = ServerFinder(pin: options.pin, known: known, application: PlanetsWire.application)
    finder.name = options.setup.name
    finder.configuration = .planets
    finder.onNote = { note in notes.lines.withLock { $0.append(note) } }
    let client: Client
    do throws(Failure) {
      switch goal {
      case .text(let text): client = try await finder.connect(try key.load(), to: text)
      case .pin(let pin): client = try await finder.connect(try key.load(), pin: pin)
      case .found(let server): client = try await finder.connect(try key.load(), to: server)
      }
    } catch {
      // Which of several servers is meant is told by lines before the failure.
      let lines = notes.lines.withLock { $0 }
      throw Failure(error.kind, code: error.code, (lines + [error.sentence]).joined(separator: "\n"))
    }
    return (client, notes.lines.withLock { $0 })
  }

  /// The host's own way in.
  func connect(to server: Server) async throws(Failure) -> Client {
    let key = try key.load()
    do throws(RoamkeyError) {
      return try await Client(key: key, joining: server, name: options.setup.name, configuration: .planets)
    } catch {
      throw Failure(error)
    }
  }

  private final class Notes: Sendable {
    let lines = Mutex<[String]>([])
  }
}

extension LobbyScreen.Place {
  init(_ client: Client, address: String) {
    self.init(
      name: client.serverName, fingerprint: client.serverID.fingerprint, id: client.serverID.description,
      address: address)
  }
}
