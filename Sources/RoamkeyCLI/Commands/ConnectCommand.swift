internal import ArgumentParser
internal import Glibc
internal import Roamkey

/// `roamkey connect`
struct ConnectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "connect", abstract: "Join a room: each line of standard input is a message; what arrives is printed.",
    discussion: """
      At the end of the input what is queued is delivered, and the session closed. SIGINT and SIGTERM close it at \
      once. The first time that a server is met without --server its key is remembered in known_servers beside the key \
      file; another key at that address is refused from then on.

      A server that is not heard any more is waited for, for five minutes, and looked for: at the addresses that it \
      had, and at those that its name has now. Where it was started again there is a new session by itself, and \
      reliable lines that it has not confirmed are said again, before any new ones: it may see some of them twice.

      A line longer than a message may be (1 MiB) is not sent: standard error says so with its number, the other lines \
      go on, and the exit code is 1.
      """)

  @Argument(help: ArgumentHelp("The server's host and port; without a port 7447.", valueName: "host:port|name"))
  var host: String

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

  @Flag(help: "Print events as JSON, one object a line.")
  var json = false

  func run() async throws {
    try await Failure.report(json: json) { () throws(Failure) in
      let signals = Signals([SIGINT, SIGTERM, SIGUSR1])
      let player = try KeyStore.loadOrMake(key, default: KeyStore.player, passphraseFile: passphraseFile)
      let client = try await ServerFinder(
        host: host, pin: pin, known: KnownServers(besideKeyFile: key ?? KeyStore.player), application: app
      ).connect(player)
      try await Conversation(client: client, delivery: delivery.delivery, json: json).run(signals)
    }
  }
}
