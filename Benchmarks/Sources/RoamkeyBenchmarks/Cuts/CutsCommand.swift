internal import ArgumentParser

/// The command for a network that is cut at random moments.
struct CutsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cuts",
    abstract: "A session whose network is cut wholly, again and again, while messages of all kinds flow both ways.",
    discussion: """
      Checked: every reliable message once, in order where that is promised; of `latest` only newer ones; one session; \
      offline and online in pairs. Exit code 1 when a promise is broken.
      """)

  @Option(help: "How long it runs.")
  var minutes = 10.0

  @Option(help: "How long each cut lasts, in seconds; up to 5 s longer, at random.")
  var cut = 60.0

  @Option(help: "How many cuts there are.")
  var cuts = 4

  @Option(help: "Datagrams lost between the cuts, in percent, each way.")
  var loss = 1.0

  @Option(help: "Delay in milliseconds, each way.")
  var delay = 25.0

  @Option(help: "sealed or signed.")
  var policy = BulkCommand.Policy.signed

  @Option(help: "Seed of when the network is cut, and of what is lost. A random one by default.")
  var seed: UInt64?

  @Flag(help: "One JSON object instead of tables.")
  var json = false

  func validate() throws {
    guard (0.1...1440).contains(minutes) else { throw ValidationError("--minutes is 0.1 to 1440") }
    guard (1...240).contains(cut) else { throw ValidationError("--cut is 1 to 240 seconds") }
    guard (1...1000).contains(cuts) else { throw ValidationError("--cuts is 1 to 1000") }
    guard (0...90).contains(loss) else { throw ValidationError("--loss is 0 to 90 percent") }
    guard (0...10_000).contains(delay) else { throw ValidationError("--delay is 0 to 10000 milliseconds") }
    guard schedule(seed: 0) != nil else {
      let pause = Text.setting(CutSchedule.pause.inSeconds)
      throw ValidationError("\(cuts) cuts of \(Text.setting(cut)) s, \(pause) s apart, do not fit into so short a run")
    }
  }

  private var length: Duration { .milliseconds(Int64(minutes * 60_000)) }

  private func schedule(seed: UInt64) -> CutSchedule? {
    CutSchedule(cuts: cuts, length: .milliseconds(Int64(cut * 1000)), in: length, seed: seed)
  }

  func run() async throws {
    let seed = seed ?? .random(in: 1...999_999)
    // Asked before, in `validate`.
    guard let schedule = schedule(seed: seed) else { throw ExitCode.validationFailure }
    var run = CutsRun(length: length, schedule: schedule, seed: seed)
    run.conditions = LinkConditions(delay: .microseconds(Int64(delay * 1000)), loss: loss / 100)
    run.policy = policy.signingPolicy
    let machine = Console.machine
    Console.note("\(Text.setting(minutes)) minutes, seed \(seed)")
    let result = await Result.of { () throws(BenchmarkFailure) in try await run.run() }
    switch result {
    case .success(let outcome):
      let report = CutsReport(run: run, outcome: outcome, machine: machine)
      print(json ? report.json.description : report.text)
      guard !outcome.failures.isEmpty else { return }
      for failure in outcome.failures { Console.note("FAILED: \(failure)") }
    case .failure(let failure): Console.note("FAILED: \(failure)")
    }
    throw ExitCode.failure
  }
}
