internal import ArgumentParser

/// The command that compares.
struct CompareCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Roamkey beside raw UDP, ENet and DTLS, in one run: rows of figures, ratios and targets.",
    discussion: "Exit code 1 when somebody has failed; targets that are missed are told, and no failure.")

  @Option(help: "How many runs; the figures are their medians.")
  var runs = 3

  @Option(help: "Only these rows, by letter, such as A,C.")
  var rows = ""

  @Option(
    help: "Only these, by name: raw, gso, enet, dtls, sealed, signed, sealed-polled, signed-polled. May be repeated.")
  var only: [Competitor] = []

  @Option(help: "Clients of row E.")
  var clients = 500

  @Option(help: "The same where every packet is signed.")
  var signedClients = 200

  @Flag(help: "One run, and less of everything.")
  var quick = false

  @Flag(help: "One JSON object instead of tables.")
  var json = false

  func validate() throws {
    guard (1...1000).contains(runs) else { throw ValidationError("--runs is 1 to 1000") }
    guard (1...4000).contains(clients), (1...4000).contains(signedClients) else {
      throw ValidationError("--clients and --signed-clients are 1 to 4000")
    }
    let letters = Row.all(options).map(\.letter)
    guard wanted.allSatisfy(letters.contains) else {
      throw ValidationError("--rows are of \(letters.map(String.init).joined(separator: ","))")
    }
  }

  private var wanted: [Character] {
    rows.uppercased().filter { $0 != "," && $0 != " " }.map { $0 }
  }

  private var options: RowOptions {
    var options = RowOptions(clients: clients, signedClients: signedClients)
    if quick { (options.scale, options.playSeconds) = (0.3, 2) }
    return options
  }

  func run() async throws {
    let machine = Console.machine
    let count = quick ? 1 : runs
    var chosen = Row.all(options).filter { wanted.isEmpty || wanted.contains($0.letter) }
    if !only.isEmpty {
      for index in chosen.indices { chosen[index].competitors.removeAll { !only.contains($0) } }
    }
    var results = CompareResults()
    for run in 0..<count {
      for row in chosen where !row.isOnce || run == 0 {
        Console.note("run \(run + 1) of \(count), row \(row.letter): \(row.title)")
        await row.run(isQuick: quick, into: &results)
      }
    }
    let report = CompareReport(rows: chosen, results: results, runs: count, machine: machine)
    print(json ? report.json.description : report.text)
    for failure in results.failures { Console.note("FAILED: \(failure)") }
    if !results.failures.isEmpty { throw ExitCode.failure }
  }
}
