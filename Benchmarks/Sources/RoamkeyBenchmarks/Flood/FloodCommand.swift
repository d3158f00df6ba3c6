internal import ArgumentParser
internal import Roamkey

/// The command for a server that is flooded while people play on it.
struct FloodCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flood",
    abstract: "Garbage, then Hellos from thousands of addresses, at a server on which people play.",
    discussion: """
      Delivery of the players' messages in quiet and under each flood, and the server's memory: server, players and \
      flood in a process each. Exit code 1 when a player was dropped, a message was lost, or the server's memory grew \
      by more than \(FloodOutcome.memoryLimit >> 20) MiB.
      """)

  @Option(help: "Players, who all send and are sent to.")
  var players = 50

  @Option(help: "Messages of 64 bytes a second, from each player and to each.")
  var messages = 20.0

  @Option(help: "Datagrams of the flood a second; what the sender cannot do is told.")
  var rate = 50_000

  @Option(help: "Addresses of this machine that the flood comes from.")
  var sources = 10_000

  @Option(help: "Seconds of each phase.")
  var seconds = 15

  @Option(help: "sealed or signed.")
  var policy = BulkCommand.Policy.signed

  @Option(help: "Seed of the flood. A random one by default.")
  var seed: UInt64?

  @Flag(help: "One JSON object instead of a table.")
  var json = false

  func validate() throws {
    guard (1...1000).contains(players) else { throw ValidationError("--players is 1 to 1000") }
    guard (1...1000).contains(messages) else { throw ValidationError("--messages is 1 to 1000 a second") }
    guard (1...10_000_000).contains(rate) else { throw ValidationError("--rate is 1 to 10000000 a second") }
    guard (1...1_000_000).contains(sources) else { throw ValidationError("--sources is 1 to 1000000") }
    guard (1...3600).contains(seconds) else { throw ValidationError("--seconds is 1 to 3600") }
  }

  func run() async throws {
    var run = FloodRun(seed: seed ?? .random(in: 1...999_999))
    (run.players, run.messages, run.rate, run.sources) = (players, messages, rate, sources)
    (run.phase, run.policy) = (.seconds(seconds), policy.signingPolicy)
    let machine = Console.machine
    Console.note("\(players) players, seed \(run.seed): \(FloodPhase.allCases.count) phases of \(seconds) s")
    let result = await Result.of { () throws(BenchmarkFailure) in try await run.run() }
    switch result {
    case .success(let outcome):
      let report = FloodReport(run: run, outcome: outcome, machine: machine)
      print(json ? report.json.description : report.text)
      guard !outcome.failures.isEmpty else { return }
      for failure in outcome.failures { Console.note("FAILED: \(failure)") }
    case .failure(let failure): Console.note("FAILED: \(failure)")
    }
    throw ExitCode.failure
  }
}

/// What happens to the server, one after the other.
enum FloodPhase: String, CaseIterable, Sendable {
  case quiet
  /// Bytes that mean nothing, and datagrams that begin as ours do.
  case garbage
  /// First datagrams of handshakes, each one well-formed, from many addresses.
  case hellos
  case quietAgain

  /// What the flood's process is told; nil where there is no flood.
  var kind: FloodKind? {
    switch self {
    case .quiet, .quietAgain: nil
    case .garbage: .garbage
    case .hellos: .hellos
    }
  }

  var name: String { self == .quietAgain ? "quiet again" : rawValue }
}
