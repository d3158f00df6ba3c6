internal import ArgumentParser
internal import Roamkey

/// The command for a reader that stands still.
struct StalledCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stalled",
    abstract:
      "A server that sends as fast as it may to a client whose app does not read: the memory of both processes.",
    discussion: "Exit code 1 when either grew by more than its limits and an allowance, or something did not arrive.")

  @Option(help: "How long the client's app stands still, in seconds.")
  var seconds = 30

  @Option(help: "How much the server wants to send, in MiB.")
  var mebibytes = 64

  @Option(help: "Messages of the state a second.")
  var rate = 30.0

  @Option(help: "Seed of what is sent. A random one by default.")
  var seed: UInt64?

  @Flag(help: "One JSON object instead of a table.")
  var json = false

  func validate() throws {
    guard (1...86_400).contains(seconds) else { throw ValidationError("--seconds is 1 to 86400") }
    guard (16...4096).contains(mebibytes) else { throw ValidationError("--mebibytes is 16 to 4096") }
    guard (0.1...10_000).contains(rate) else { throw ValidationError("--rate is 0.1 to 10000 a second") }
  }

  func run() async throws {
    var run = StalledRun(seed: seed ?? .random(in: 1...999_999))
    run.messages = mebibytes << 20 / BulkPattern.size
    run.stall = .seconds(seconds)
    run.rate = rate
    let machine = Console.machine
    Console.note("\(mebibytes) MiB, seed \(run.seed): \(seconds) s, and what the rest takes")
    let result = await Result.of { () throws(BenchmarkFailure) in try await run.run() }
    switch result {
    case .success(let outcome):
      let report = StalledReport(run: run, outcome: outcome, machine: machine)
      print(json ? report.json.description : report.text)
      guard !outcome.failures.isEmpty else { return }
      for failure in outcome.failures { Console.note("FAILED: \(failure)") }
    case .failure(let failure): Console.note("FAILED: \(failure)")
    }
    throw ExitCode.failure
  }
}
