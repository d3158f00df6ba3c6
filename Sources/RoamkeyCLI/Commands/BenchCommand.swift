internal import ArgumentParser
internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey bench`
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure how fast messages go: over loopback, or between two machines.",
    discussion: """
      Without arguments over loopback, with a server in a process of its own. Between two machines: \
      `roamkey bench --listen` on one, and what it prints on the other. Measured is the way from the client to the \
      server; change places for the other way.

      The stories, in this order: \(BenchStory.allCases.map(\.rawValue).joined(separator: ", ")). A server that does \
      not answer any more ends the command with exit code 1.
      """)

  @Argument(
    help: ArgumentHelp(
      """
      The bench server's host and port. With --listen the address and port to listen on, or the port alone; port 0 \
      lets the system choose. Default: 7447.
      """, valueName: "host:port"))
  var host: String?

  @Flag(help: "Be the server that the other machine measures, until SIGINT or SIGTERM.")
  var listen = false

  @Option(
    help: ArgumentHelp("The only key that the server may have.", valueName: "id"),
    transform: { text in
      do { return try PlayerID(text) } catch { throw ValidationError("\(error)") }
    })
  var pin: PlayerID?

  @Option(
    help: ArgumentHelp(
      """
      signed: every packet is; sealed: sealed only; both: one after the other, for which a server takes the next port \
      as well. Default: what the server has; over loopback both; with --listen signed.
      """))
  var policy: BenchPolicy?

  @Option(help: ArgumentHelp("How long each story takes, 0.1 to 60.", valueName: "n"))
  var seconds: Double?

  @Option(help: ArgumentHelp("This story alone; may be said more than once.", valueName: "story"))
  var only: [BenchStory] = []

  @Option(
    help: ArgumentHelp("With --listen: the server's key; else one that is forgotten.", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var key: String?

  @Option(
    help: ArgumentHelp("The passphrase of the key is the first line of this file.", valueName: "f"), completion: .file()
  )
  var passphraseFile: String?

  @Flag(help: "Print a line of JSON for each story.")
  var json = false

  /// For the server of a measurement over loopback: says `ADDRESS ID`, and ends with its standard input.
  @Flag(help: .private)
  var untilInputEnds = false

  static let shortest = 0.1
  static let longest = 60.0

  func validate() throws {
    if let seconds, !(Self.shortest...Self.longest).contains(seconds) {
      throw ValidationError("--seconds \(seconds): give a number from \(Self.shortest) to \(Self.longest)")
    }
    if listen {
      if pin != nil { throw ValidationError("--pin is for who measures; give --listen its key with --key") }
      if seconds != nil || !only.isEmpty {
        throw ValidationError("--seconds and --only are for who measures: say them on the other machine")
      }
    } else {
      if key != nil { throw ValidationError("--key is the server's: it goes with --listen") }
      if host == nil, pin != nil { throw ValidationError("--pin needs a host, whose key it is") }
    }
    if passphraseFile != nil, key == nil { throw ValidationError("--passphrase-file needs --key") }
  }

  /// What is to be measured.
  var settings: BenchSettings {
    var settings = BenchSettings()
    if let seconds { settings.duration = .seconds(seconds) }
    if !only.isEmpty { settings.stories = BenchStory.allCases.filter { only.contains($0) } }
    settings.policy = policy
    return settings
  }

  func run() async throws {
    try await Failure.report(json: json) { () throws(Failure) in
      if listen { try await serve() } else { try await measure() }
    }
  }

  // MARK: Measuring

  private func measure() async throws(Failure) {
    let signals = Signals([SIGINT, SIGTERM])
    let child = host == nil ? try BenchChild(policy ?? .both) : nil
    let result = await withTaskGroup(of: Result<Void, Failure>?.self) { group in
      group.addTask { await Result.of { () throws(Failure) in try await measure(child) } }
      group.addTask {
        // Nobody else cancels this one than the end of the other.
        _ = await signals.next()
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      // The sessions are closed properly before this returns.
      await group.waitForAll()
      return first ?? .failure(.benchInterrupted)
    }
    await child?.end()
    try result.get()
  }

  private func measure(_ child: BenchChild?) async throws(Failure) {
    let settings = settings
    let target = child?.target ?? BenchTarget(server: host ?? "", pin: pin)
    let runner = BenchRunner(
      target: target, settings: settings, progress: BenchProgress(isOn: isatty(STDERR_FILENO) == 1))
    var printer = BenchPrinter(json: json, settings: settings, isAlone: child != nil)
    try await runner.run(
      began: { address, id throws(Failure) in try printer.began(address, id, isPinned: target.pin != nil) },
      each: { result throws(Failure) in try printer.show(result) })
    try printer.ended()
  }

  // MARK: Being measured

  private func serve() async throws(Failure) {
    // The terminal's interrupt reaches a child as well; it ends when who measures has closed its session.
    let signals = untilInputEnds ? nil : Signals([SIGINT, SIGTERM])
    if untilInputEnds {
      signal(SIGINT, SIG_IGN)
      signal(SIGTERM, SIG_IGN)
    }
    let address = try Self.address(host)
    let serverKey =
      try key.map { path throws(Failure) in
        try KeyStore.loadOrMake(path, default: KeyStore.server, passphraseFile: passphraseFile)
      } ?? .generate()
    let host = try await BenchHost(
      key: serverKey, listen: address, policy: policy ?? .signed,
      voice: untilInputEnds ? .silent : json ? .programs : .people)
    if untilInputEnds { try Console.answer("\(host.address) \(host.id)") }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await host.run() }
      if let signals { _ = await signals.next() } else { await Self.waitForEndOfInput() }
      await host.close()
    }
  }

  private static func waitForEndOfInput() async {
    let lines = LineSource(descriptor: STDIN_FILENO, maximumLength: 0)
    while await lines.next() != nil {}
  }

  /// Where to listen: an address, a port of all addresses, or the default port of all.
  static func address(_ text: String?) throws(Failure) -> NetworkAddress {
    guard let text else { return .any(port: Client.defaultPort) }
    if text.allSatisfy({ $0.isASCII && $0.isNumber }) {
      guard let port = UInt16(text) else {
        throw Failure(.usage, code: "badPort", "--listen \(text): a port is a number from 0 to 65535")
      }
      return .any(port: port)
    }
    return try ListenAddress.parse(text)
  }
}
