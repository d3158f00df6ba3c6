internal import ArgumentParser
internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey record`
struct RecordCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "Join a room and say nothing: what the server sends is kept as evidence.",
    discussion: """
      Runs until SIGINT or SIGTERM, or until the server ends the session. Then, and at SIGUSR1, it prints the files: \
      roamkey verify checks them. What everybody in the room says lies in them: tell the others.

      It is a player like any other, and finds its server as connect does. What the server passes on is proven to come \
      from the server; who wrote it is the server's word.
      """)

  @Argument(
    help: ArgumentHelp(
      "The server's host and port (without a port 7447), or its name on the local network.", valueName: "host:port|name"
    ))
  var host: String

  @Option(
    help: ArgumentHelp("Where the files go: a folder that is made, or is yours alone.", valueName: "folder"),
    completion: .directory)
  var out: String

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

  @Flag(help: "Print events as JSON, one object a line.")
  var json = false

  func run() async throws {
    try await Failure.report(json: json) { () throws(Failure) in
      let signals = Signals([SIGINT, SIGTERM, SIGUSR1])
      let player = try KeyStore.loadOrMake(key, default: KeyStore.player, passphraseFile: passphraseFile)
      let known = KnownServers(besideKeyFile: key ?? KeyStore.player)
      var finder = ServerFinder(pin: pin, known: known, application: app)
      finder.configuration.recording = Recording(folder: out)
      let client = try await finder.connect(player, to: host)
      let printer = EventPrinter(isOn: json)
      printer.connected(client.serverID, address: client.serverAddress)
      if !json { Console.note("recording what \(client.serverID.short) at \(client.serverAddress) sends") }
      let reason = await listen(to: client, signals)
      _ = await client.close(afterDelivery: false)
      try await show(client)
      if let reason, reason != .closed, reason != .shutdown {
        throw Failure(code: "disconnected", "the session ended: \(reason.words)")
      }
    }
  }

  /// - Returns: how the session ended; nil where a signal came.
  private func listen(to client: Client, _ signals: Signals) async -> EndReason? {
    await withTaskGroup(of: EndReason??.self) { group in
      // Whoever takes nothing would be sent nothing more.
      group.addTask {
        for await event in client.events { if case .disconnected(let reason) = event { return reason } }
        return .some(nil)
      }
      group.addTask {
        while let signal = await signals.next() {
          guard signal == SIGUSR1 else { return .some(nil) }
          try? await show(client)
        }
        return nil
      }
      group.addTask {
        await RecordingWatch.failure(of: { client.recordingError }) == nil ? nil : .some(nil)
      }
      var end: EndReason??
      while end == nil, let next = await group.next() { end = next }
      group.cancelAll()
      return end ?? nil
    }
  }

  private func show(_ client: Client) async throws(Failure) {
    do throws(RoamkeyError) {
      let printer = EventPrinter(isOn: json)
      for path in try await client.exportEvidence() {
        if json { printer.print("part", [("file", .text(path))]) } else { try? Console.answer(path) }
      }
    } catch {
      throw Failure(error)
    }
  }
}

/// Looks whether recording goes on.
enum RecordingWatch {
  /// Returns why it has stopped; nil when the task is cancelled.
  static func failure(of error: @Sendable () -> RoamkeyError?) async -> RoamkeyError? {
    while !Task.isCancelled {
      if let error = error() { return error }
      try? await Task.sleep(for: .seconds(1))
    }
    return nil
  }

  /// Tells it on standard error, once.
  static func tell(_ error: @Sendable () -> RoamkeyError?) async {
    if let error = await failure(of: error) { Log.logger.error("\(error.description)") }
  }
}
