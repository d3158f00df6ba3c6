internal import ArgumentParser
internal import Roamkey

/// The command for a transfer beside a game.
struct BulkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bulk",
    abstract: "Large messages from server to client, and a game's state beside them in the same session.")

  enum Policy: String, CaseIterable, ExpressibleByArgument {
    case sealed, signed

    var signingPolicy: SigningPolicy {
      switch self {
      case .sealed: .sealedOnly
      case .signed: .everyPacket
      }
    }
  }

  @Option(help: "How much to transfer, in MiB.")
  var mebibytes = 64

  @Option(help: "Messages of the state a second.")
  var rate = 30.0

  @Option(help: "Datagrams lost, in percent, each way.")
  var loss = 1.0

  @Option(help: "Delay in milliseconds, each way.")
  var delay = 25.0

  @Option(help: "Bandwidth in Mbit/s of UDP payload, each way; without limit by default.")
  var bandwidth: Double?

  @Option(help: "How much may wait for the bandwidth, in KiB.")
  var queue = 256

  @Option(help: "sealed or signed.")
  var policy = Policy.signed

  @Option(help: "Seed of what is lost. A random one by default.")
  var seed: UInt64?

  @Option(help: "When to give up, in seconds.")
  var limit = 600

  @Flag(help: "One JSON object instead of text.")
  var json = false

  func validate() throws {
    guard (1...4096).contains(mebibytes) else { throw ValidationError("--mebibytes is 1 to 4096") }
    guard (0.1...10_000).contains(rate) else { throw ValidationError("--rate is 0.1 to 10000 a second") }
    guard (0...90).contains(loss) else { throw ValidationError("--loss is 0 to 90 percent") }
    guard (0...10_000).contains(delay) else { throw ValidationError("--delay is 0 to 10000 milliseconds") }
    guard bandwidth.map({ (0.01...100_000).contains($0) }) ?? true else {
      throw ValidationError("--bandwidth is 0.01 to 100000 Mbit/s")
    }
    guard (2...1_048_576).contains(queue) else { throw ValidationError("--queue is 2 to 1048576 KiB") }
    guard (1...86_400).contains(limit) else { throw ValidationError("--limit is 1 to 86400 seconds") }
  }

  func run() async throws {
    var transfer = BulkTransfer(seed: seed ?? .random(in: 1...999_999))
    transfer.messages = mebibytes << 20 / BulkPattern.size
    transfer.rate = rate
    transfer.conditions = LinkConditions(
      delay: .microseconds(Int64(delay * 1000)), loss: loss / 100, bandwidth: bandwidth.map { $0 * 1e6 / 8 },
      queueLimit: queue << 10)
    transfer.policy = policy.signingPolicy
    transfer.limit = .seconds(limit)
    let machine = Console.machine
    Console.note("\(mebibytes) MiB, seed \(transfer.seed): at most \(limit) s")
    let result = await Result.of { () throws(BenchmarkFailure) in try await transfer.run() }
    switch result {
    case .success(let outcome):
      let report = BulkReport(transfer: transfer, outcome: outcome, machine: machine)
      print(json ? report.json.description : report.text)
      guard let failure = outcome.failure else { return }
      Console.note("FAILED: \(failure)")
    case .failure(let failure): Console.note("FAILED: \(failure)")
    }
    throw ExitCode.failure
  }
}
