internal import ArgumentParser
internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey servers`
struct ServersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "servers", abstract: "List the servers of the local network.",
    discussion: """
      Asks everybody on the links of this machine, and lists those who answer with their own signature. Whoever is \
      further away is not asked: connect to those by name or address.

      On a terminal, and without --wait and --json, the list stays and follows what changes: the arrow keys choose, \
      Enter joins, as roamkey connect does.
      """)

  @Option(
    help: ArgumentHelp("How long to look before the list is printed, in seconds (default: 2).", valueName: "seconds"))
  var wait: Double?

  @Option(help: ArgumentHelp("Only servers on which this is played.", valueName: "name"))
  var app: String?

  @Flag(help: "Print what is found and lost as JSON, one object a line, while it happens.")
  var json = false

  func validate() throws {
    if let wait, !(wait >= 0 && wait <= 1e9) {
      throw ValidationError("--wait takes a number of seconds, 0 or more")
    }
  }

  func run() async throws {
    try await Failure.report(json: json) { () throws(Failure) in
      if wait == nil, !json, Terminal.isThere { try await pick() } else { try await list() }
    }
  }

  private func pick() async throws(Failure) {
    let signals = Signals([SIGINT, SIGTERM, SIGUSR1])
    let player = try KeyStore.loadOrMake(nil, default: KeyStore.player, passphraseFile: nil)
    let known = KnownServers(besideKeyFile: KeyStore.player)
    guard let server = try await PickerSession(application: app, known: known).run(signals) else { return }
    let finder = ServerFinder(pin: nil, known: known, application: server.application)
    let client = try await finder.connect(player, to: server)
    try await Conversation(client: client, delivery: .reliableOrdered, json: false).run(signals)
  }

  private func list() async throws(Failure) {
    let browser: ServerBrowser
    do throws(RoamkeyError) {
      browser = try ServerBrowser(for: app)
    } catch {
      throw Failure(error)
    }
    let printer = EventPrinter(isOn: json)
    await withDeadline(.seconds(wait ?? 2)) { await Self.follow(browser, printer) }
    browser.stop()
    printer.stats(browser.statistics)
    if !json { for line in Self.table(browser.servers) { try Console.answer(line) } }
  }

  /// Prints each change, until it is told to stop.
  private static func follow(_ browser: ServerBrowser, _ printer: EventPrinter) async {
    var known: [PlayerID: FoundServer] = [:]
    for await servers in browser.changes {
      for server in servers where known[server.id] != server { printer.found(server) }
      let current = Dictionary(uniqueKeysWithValues: servers.map { ($0.id, $0) })
      for id in known.keys where current[id] == nil { printer.lost(id) }
      known = current
    }
  }

  private static func table(_ servers: [FoundServer]) -> [String] {
    guard !servers.isEmpty else { return ["no server has answered on the local network"] }
    let header = ["NAME", "APPLICATION", "PLAYERS", "PING", "ADDRESS", "SERVER"]
    let rows =
      [header]
      + servers.map { server in
        [
          server.name.map(Console.label) ?? "-", Console.label(server.application),
          "\(server.players)/\(server.capacity)", server.roundTrip.map { "\(tenths($0)) ms" } ?? "-",
          server.address.description, server.id.description,
        ]
      }
    let widths = header.indices.map { column in rows.map { DisplayWidth.of($0[column]) }.max() ?? 0 }
    return rows.map { row in
      row.indices.map { column in
        column == row.indices.last ? row[column] : DisplayWidth.fill(row[column], to: widths[column] + 2)
      }.joined()
    }
  }

  /// Milliseconds with one place after the point.
  private static func tenths(_ duration: Duration) -> Double { (duration / .microseconds(100)).rounded() / 10 }
}

extension EventPrinter {
  /// New, or changed.
  fileprivate func found(_ server: FoundServer) {
    print(
      "found",
      [
        ("server", .text(server.id.description)), ("name", .text(server.name ?? "")),
        ("application", .text(server.application)), ("address", .text(server.address.description)),
        ("players", .number(UInt64(server.players))), ("capacity", .number(UInt64(server.capacity))),
      ] + (server.roundTrip.map { [("ping", .seconds($0))] } ?? []))
  }

  fileprivate func stats(_ statistics: DiscoveryStatistics) {
    let drops = statistics.drops.sorted { $0.key < $1.key }.map { ($0.key, JSONLine.Value.number($0.value)) }
    print(
      "stats",
      [
        ("sent", .number(statistics.sent)), ("received", .number(statistics.received)), ("drops", .object(drops)),
      ])
  }

  fileprivate func lost(_ server: PlayerID) { print("lost", [("server", .text(server.description))]) }
}
