internal import ArgumentParser
internal import Glibc

/// The command for how costs grow.
struct ScaleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale",
    abstract: "What a message costs, by the number of sessions and by its size: tables, and a plot on request.",
    discussion: "Exit code 1 when somebody has failed; a cost that grows too much is told, and no failure.")

  /// What the cost of a message may grow by from the fewest sessions to the most: caches are missed more often.
  static let growthLimit = 1.2

  @Option(help: "How many runs of each point; the figures are their medians.")
  var runs = 3

  @Flag(help: "Ten thousand sessions besides: it takes gigabytes of memory and some minutes.")
  var full = false

  @Flag(help: "One run, and less of everything.")
  var quick = false

  @Option(help: "Where to write a plot (SVG).")
  var svg: String?

  @Flag(help: "One JSON object instead of tables.")
  var json = false

  func validate() throws {
    guard (1...1000).contains(runs) else { throw ValidationError("--runs is 1 to 1000") }
  }

  func run() async throws {
    let machine = Console.machine
    var run = ScaleRun(runs: runs, isFull: full, isQuick: quick)
    Console.note("costs by sessions: one to two minutes")
    let sessions = await run.sessions()
    Console.note("costs by size: one minute")
    let series = [sessions, await run.sizes()]
    if json {
      let fields = series.map(\.json)
      print(
        JSON.object([
          ("benchmark", .text("scale")), ("machine", .text(machine)), ("series", .array(fields)),
          ("failures", .array(run.failures.map(JSON.text))),
        ]))
    } else {
      let checks = Self.checks(of: sessions)
      print((["Medians; \(machine)"] + series.map(\.table) + [checks]).joined(separator: "\n\n"))
    }
    if let svg { try write(Plot(series: series, note: "loopback; \(machine)").svg, to: svg) }
    for failure in run.failures { Console.note("FAILED: \(failure)") }
    if !run.failures.isEmpty { throw ExitCode.failure }
  }

  /// Whether a message costs the same however many sessions there are.
  static func checks(of sessions: Series) -> String {
    var rows = [["Growth from fewest to most sessions", "", "target", ""]]
    for competitor in sessions.lines.map(\.competitor) {
      guard let growth = sessions.growth(of: competitor) else { continue }
      var cells = [competitor.title, "\(Text.number(growth, decimals: 2)) x"]
      if competitor.isOurs, let verdict = Verdict(growth, limit: growthLimit, isRate: false) {
        cells += ["<= \(Text.setting(growthLimit)) x", verdict.words]
      }
      rows.append(cells)
    }
    return Text.table(rows)
  }

  private func write(_ text: String, to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw BenchmarkFailure.system(path) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard bytes.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
      throw BenchmarkFailure.system(path)
    }
  }
}
