internal import ArgumentParser

/// The command for lossy delivery.
struct LossyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lossy",
    abstract: "A small reliable message at every tick through a network that loses some: Roamkey beside ENet.")

  @Option(help: "How many messages.")
  var messages = 1800

  @Option(help: "Messages a second.")
  var rate = 30.0

  @Option(help: "Datagrams lost, in percent, each way.")
  var loss = 5.0

  @Option(help: "Delay in milliseconds, each way.")
  var delay = 50.0

  @Option(help: "Seed of what is lost; the next run takes the next number. A random one by default.")
  var seed: UInt64?

  @Option(help: "How many runs; the figures are their medians then.")
  var runs = 1

  @Option(help: "Only these, by name: raw, enet, sealed, signed. May be repeated.")
  var only: [Contestant] = []

  @Flag(help: "One contestant after the other instead of all at once.")
  var sequential = false

  @Flag(help: "One JSON object instead of tables.")
  var json = false

  func validate() throws {
    guard (1...1_000_000).contains(messages) else { throw ValidationError("--messages is 1 to 1000000") }
    guard (0.1...10_000).contains(rate) else { throw ValidationError("--rate is 0.1 to 10000 a second") }
    guard (0...90).contains(loss) else { throw ValidationError("--loss is 0 to 90 percent") }
    guard (0...10_000).contains(delay) else { throw ValidationError("--delay is 0 to 10000 milliseconds") }
    guard (1...1000).contains(runs) else { throw ValidationError("--runs is 1 to 1000") }
  }

  func run() async throws {
    var scenario = LossyScenario(seed: 0)
    scenario.messages = messages
    scenario.rate = rate
    scenario.conditions = LinkConditions(delay: .microseconds(Int64(delay * 1000)), loss: loss / 100)
    let delivery = LossyDelivery(
      contestants: Contestant.allCases.filter { only.isEmpty || only.contains($0) }, scenario: scenario,
      isSequential: sequential)
    let first = seed ?? .random(in: 1...999_999)
    let machine = Console.machine
    var results = LossyResults()
    for index in 0..<runs {
      let seed = first &+ UInt64(index)
      let seconds = Double(messages) / rate * (sequential ? Double(delivery.contestants.count) : 1)
      Console.note("run \(index + 1) of \(runs), seed \(seed): about \(Int(seconds) + 2) s")
      results.runs.append(await delivery.run(seed: seed))
    }
    let report = LossyReport(delivery: delivery, results: results, machine: machine)
    print(json ? report.json.description : report.text)
    for failure in results.failures { Console.note("FAILED: \(failure)") }
    if !results.failures.isEmpty { throw ExitCode.failure }
  }
}

extension Contestant: ExpressibleByArgument {}
