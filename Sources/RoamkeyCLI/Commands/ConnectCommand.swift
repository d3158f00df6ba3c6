internal import ArgumentParser
internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey connect`
struct ConnectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect", abstract: "Join a room: each line of standard input is a message; what arrives is printed.",
    discussion: """
      Without a host it shows the servers of the local network, on a terminal: choose with the arrow keys and Enter. \
      With --server alone it joins the one there that has this key.

      What has a port, an address, or localhost is a host. A text with a dot, such as example.org, is looked up as a \
      host first, and on the local network if there is none; a plain word the other way round. Anything else, such as \
      "Ada's room", is the name of a server on the local network, in whatever case; it has two seconds to answer. \
      Where several have that name none is chosen, unless one has the key that the name had before.

      At the end of the input what is queued is delivered, and the session closed. SIGINT and SIGTERM close it at \
      once. The first time that a server is met without --server its key is remembered in known_servers beside the key \
      file, by its host or its name; another key there is refused from then on.

      A server that is not heard any more is waited for, for five minutes, and looked for: at the addresses that it \
      had, and at those that its name has now. Where it was started again there is a new session by itself, and \
      reliable lines that it has not confirmed are said again, before any new ones: it may see some of them twice.

      A line longer than a message may be (1 MiB) is not sent: standard error says so with its number, the other lines \
      go on, and the exit code is 1.
      """)

  @Argument(
    help: ArgumentHelp(
      "The server's host and port (without a port 7447), or its name on the local network.", valueName: "host:port|name"
    ))
  var host: String?

  @Option(
    name: .customLong("server"), help: ArgumentHelp("The only key that the server may have.", valueName: "id"),
    transform: { text in
      do { return try PlayerID(text) } catch { throw ValidationError("\(error)") }
    })
  var pin: PlayerID?

  @Option(
    help: ArgumentHelp("The player's key (default: \(KeyStore.player), made on first use).", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var key: String?

  @Option(
    help: ArgumentHelp(
      "Instead of --key: play with the key for --app that follows from this one (`roamkey key derive`).",
      valueName: "file"), completion: .file(extensions: ["pem"]))
  var root: String?

  @Option(
    help: ArgumentHelp("The passphrase of the key is the first line of this file.", valueName: "f"), completion: .file()
  )
  var passphraseFile: String?

  @Option(help: ArgumentHelp("What is played there.", valueName: "name"))
  var app = "roamkey/1"

  @Option(
    help: ArgumentHelp(
      """
      What is promised about lines: reliable (each once, in order), unordered (each once, as it comes), latest (only \
      ever newer) or unreliable (as it comes, if it comes).
      """, valueName: "mode"))
  var delivery = DeliveryMode.reliable

  @Option(
    help: ArgumentHelp(
      "Keep what the server sends as evidence, in this folder (see verify).", valueName: "folder"),
    completion: .directory)
  var record: String?

  @Flag(help: "Print events as JSON, one object a line.")
  var json = false

  func validate() throws {
    if key != nil && root != nil { throw ValidationError("--root is instead of --key: give one of them") }
  }

  func run() async throws {
    try await Failure.report(json: json) { () throws(Failure) in
      let signals = Signals([SIGINT, SIGTERM, SIGUSR1])
      guard host != nil || pin != nil || (Terminal.isThere && !json) else { throw Self.nowhere }
      let player = try player()
      let known = KnownServers(besideKeyFile: root ?? key ?? KeyStore.player)
      var finder = ServerFinder(pin: pin, known: known, application: app)
      finder.configuration.recording = record.map { Recording(folder: $0) }
      let client: Client
      if let host {
        client = try await finder.connect(player, to: host)
      } else if let pin {
        client = try await finder.connect(player, pin: pin)
      } else {
        guard let server = try await PickerSession(application: app, known: known).run(signals) else { return }
        client = try await finder.connect(player, to: server)
      }
      let watch = Task { [client] in await RecordingWatch.tell { client.recordingError } }
      defer { watch.cancel() }
      try await Conversation(client: client, delivery: delivery.delivery, json: json).run(signals)
    }
  }

  private func player() throws(Failure) -> PlayerKey {
    guard let root else {
      return try KeyStore.loadOrMake(key, default: KeyStore.player, passphraseFile: passphraseFile)
    }
    return try KeyStore.child(of: KeyStore.open(root, passphraseFile: passphraseFile).key, app)
  }

  private static let nowhere = Failure(
    .usage, code: "noServer",
    "say where to connect: `roamkey connect HOST:PORT`, or the name of a server that `roamkey servers` lists")
}
