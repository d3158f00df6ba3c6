internal import ArgumentParser
internal import Glibc
internal import Logging
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey serve`
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run a room: what one player says goes to all the others.",
    discussion: """
      Runs until SIGINT or SIGTERM, which close all sessions properly. SIGUSR1 prints statistics, as the end does. \
      The lists of players are read again a second or two after they have changed, and at once on SIGHUP; who is in \
      and may no longer be is put out. A list with a mistake, or one that is gone, changes nothing: standard error \
      says the line. When its terminal is closed the room is, too.

      A server that was ended without a word and is started again on the same port tells its players so, and they \
      connect anew at once. They know it by its instance file, which stands beside the key file (server.instance) and \
      is made where it is missing. One server at a time has it: another one with the same key goes on without.
      """)

  @Option(
    help: ArgumentHelp("The server's key (default: \(KeyStore.server), made on first use).", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var key: String?

  @Option(
    help: ArgumentHelp("The passphrase of the key is the first line of this file.", valueName: "f"), completion: .file()
  )
  var passphraseFile: String?

  @Option(
    help: ArgumentHelp("The address and port to listen on; port 0 lets the system choose.", valueName: "host:port"))
  var listen = "[::]:7447"

  @Option(help: ArgumentHelp("What is played here; clients of another application are turned away.", valueName: "name"))
  var app = "roamkey/1"

  @Option(help: ArgumentHelp("The server's name, for people.", valueName: "text"))
  var name: String?

  @Option(
    help: ArgumentHelp("Only these may join: one player id a line, # begins a comment.", valueName: "file"),
    completion: .file())
  var allow: String?

  @Option(
    help: ArgumentHelp("These may not join: one player id a line, # begins a comment.", valueName: "file"),
    completion: .file())
  var deny: String?

  @Option(help: ArgumentHelp("Threads that carry datagrams, 1 to 16; not more than there are cores.", valueName: "n"))
  var threads = 1

  @Option(
    help: ArgumentHelp(
      "Keep what players send as evidence, in this folder (see verify). Tell them: what they say lies there.",
      valueName: "folder"), completion: .directory)
  var record: String?

  @Flag(help: "Seal packets, but do not sign each one.")
  var sealedOnly = false

  @Flag(help: "Send what a player says back to that player, too.")
  var echo = false

  @Flag(help: "Do not answer those who look for servers on the local network.")
  var noDiscovery = false

  @Flag(help: "Print events as JSON, one object a line. Somebody must read them: a full pipe holds up the room.")
  var json = false

  func validate() throws {
    if sealedOnly && record != nil {
      throw ValidationError("--sealed-only leaves nothing to --record: packets that are not signed prove nothing")
    }
  }

  func run() async throws {
    try await Failure.report(json: json) { () throws(Failure) in
      let signals = Signals([SIGINT, SIGTERM, SIGUSR1, SIGHUP])
      let hadTerminal = isatty(STDIN_FILENO) == 1
      // A terminal that was closed sends the same signal as somebody who wants the lists read again.
      var hasLostTerminal: Bool { hadTerminal && isatty(STDIN_FILENO) == 0 }
      let door = try AccessDoor(AccessFiles(allow: allow, deny: deny))
      let server = try await start(door.lists)
      let room = Room(server: server, echo: echo, json: json)
      await room.open()
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await room.run() }
        let watch = Task { await door.watch(server) }
        let recording = Task { await RecordingWatch.tell { server.recordingError } }
        defer { recording.cancel() }
        while let signal = await signals.next() {
          switch signal {
          case SIGHUP where !hasLostTerminal: door.readAgain(server)
          case SIGUSR1: await room.printStatistics()
          default:
            watch.cancel()
            await server.close()
            await group.waitForAll()
            await room.printStatistics()
            return
          }
        }
      }
    }
  }

  private func start(_ lists: AccessFiles.Lists) async throws(Failure) -> Server {
    let address = try ListenAddress.parse(listen)
    let key = try KeyStore.loadOrMake(key, default: KeyStore.server, passphraseFile: passphraseFile)
    var configuration = RoamkeyConfiguration()
    configuration.recording = record.map { Recording(folder: $0) }
    do throws(RoamkeyError) {
      let server = try await Server(
        key: key, application: app, listen: address, signingPolicy: sealedOnly ? .sealedOnly : .everyPacket, name: name,
        allow: lists.allowed, deny: lists.denied, threads: threads, discovery: noDiscovery ? .off : .localNetwork,
        configuration: configuration)
      if let problem = server.instanceFileError { Log.logger.warning("\(problem.description)") }
      if let problem = server.discoveryError {
        Log.logger.warning("nobody on the local network is answered: \(problem.description)")
      }
      return server
    } catch {
      throw Failure(error)
    }
  }
}

/// Puts the lists of players in force while a room runs.
///
/// A list that cannot be read leaves the old ones in force: a typo must not open the door.
private final class AccessDoor: Sendable {
  private let files: Locked<AccessFiles>

  init(_ files: AccessFiles) { self.files = Locked(files) }

  var lists: AccessFiles.Lists { files.withLock { $0.lists } }

  /// Looks at them until the task is cancelled.
  func watch(_ server: Server) async {
    guard !files.withLock({ $0.isEmpty }) else { return }
    while (try? await Task.sleep(for: AccessFiles.pause)) != nil {
      files.withLock { files in
        if let outcome = files.look() { Self.apply(outcome, to: server) }
      }
    }
  }

  func readAgain(_ server: Server) { files.withLock { Self.apply($0.readAgain(), to: server) } }

  private static func apply(_ outcome: AccessFiles.Outcome, to server: Server) {
    switch outcome {
    case .changed(let lists): server.updateAccess(allow: lists.allowed, deny: lists.denied)
    case .same: break
    case .failed(let sentence):
      Log.logger.error("the lists of players stay as they were: \(sentence)")
      return
    }
    Log.logger.info("the lists of players were read again")
  }
}

/// `HOST:PORT` of `--listen`.
enum ListenAddress {
  static func parse(_ text: String) throws(Failure) -> NetworkAddress {
    // `localhost` is what people write; other names would need a look-up, and mean an address of somebody else mostly.
    let text = text.hasPrefix("localhost") ? "127.0.0.1" + text.dropFirst("localhost".count) : text
    do throws(NetworkAddressError) {
      return try NetworkAddress(text, defaultPort: Client.defaultPort)
    } catch {
      throw Failure(.usage, code: "badAddress", "--listen \(Console.plain(text)): \(error.description)")
    }
  }
}
