internal import Roamkey

/// What came of a flood.
struct FloodOutcome: Sendable {
  struct Phase: Sendable {
    var phase: FloodPhase
    /// From the players to the server, and back.
    var up, down: FloodFigures
    /// Datagrams of the flood a second, as they were sent.
    var flood: Double
    /// Datagrams that found no room at the server's socket.
    var overruns: Int
    /// Of a core, by the server's process.
    var processor: Double
  }

  /// What the memory of the server may grow by, in bytes.
  static let memoryLimit = 32 << 20

  var phases: [Phase] = []
  /// Resident memory of the server's process with all its players, before the first phase, and at most later.
  var memoryBefore: Int
  var memoryPeak = 0
  var sentUp = 0, sentDown = 0
  var arrivedUp = 0, arrivedDown = 0
  /// Datagrams that the server has refused.
  var refused = 0
  /// What was not as promised, in the words of who has seen it.
  var broken: [String] = []

  init(memoryBefore: Int) { self.memoryBefore = memoryBefore }

  var growth: Int { max(0, memoryPeak - memoryBefore) }

  /// A figure beside the quiet one.
  func ratio(_ phase: Phase, _ direction: KeyPath<Phase, FloodFigures>) -> Double? {
    guard let quiet = phases.first?[keyPath: direction].p99, quiet > .zero else { return nil }
    return phase[keyPath: direction].p99 / quiet
  }

  var failures: [String] {
    var failures = broken
    if arrivedUp != sentUp { failures.append("\(arrivedUp) of \(sentUp) messages arrived at the server") }
    if arrivedDown != sentDown { failures.append("\(arrivedDown) of \(sentDown) messages arrived at the players") }
    if growth > Self.memoryLimit {
      failures.append("the server grew by \(growth) bytes, of \(Self.memoryLimit) allowed")
    }
    // Otherwise nothing was flooded.
    if refused == 0 { failures.append("the server has not seen the flood") }
    return failures
  }
}

/// The results, for people and for programs.
struct FloodReport {
  let run: FloodRun
  let outcome: FloodOutcome
  /// The machine, as it was at the start.
  let machine: String

  // MARK: For people

  var text: String {
    var rows = [["", "flood /s", "up: p50", "p99", "x", "max", "down: p50", "p99", "x", "max", "no room", "core"]]
    for phase in outcome.phases {
      rows.append(
        [phase.phase.name, Text.number(phase.flood, decimals: 0)]
          + cells(phase, \.up) + cells(phase, \.down)
          + ["\(phase.overruns)", "\(Text.number(phase.processor * 100, decimals: 0)) %"])
    }
    return """
      \(run.players) players, \(Text.setting(run.messages)) messages of \(TimedMessage.size) bytes a second from each \
      and to each, reliable and in order, \(run.policy == .everyPacket ? "signed" : "sealed")
      phases of \(Text.setting(run.phase.inSeconds)) s; the flood is \(run.rate) datagrams a second from \
      \(run.sources) addresses; seed \(run.seed); \(machine)
      milliseconds from `send` until the other app had it; x: p99 beside the quiet one

      \(Text.table(rows))

      arrived       \(outcome.arrivedUp) of \(outcome.sentUp) up, \(outcome.arrivedDown) of \(outcome.sentDown) down
      dropped       \(outcome.broken.isEmpty ? "nobody" : "see below"); \(outcome.refused) datagrams refused
      memory        \(mebibytes(outcome.memoryBefore)) MiB, at most \(mebibytes(outcome.memoryPeak)): \
      \(mebibytes(outcome.growth)) more
      """
  }

  private func cells(
    _ phase: FloodOutcome.Phase, _ direction: KeyPath<FloodOutcome.Phase, FloodFigures>
  ) -> [String] {
    let figures = phase[keyPath: direction]
    return [figures.p50, figures.p99].map { Text.number($0.inMilliseconds, decimals: 2) }
      + [
        Text.number(outcome.ratio(phase, direction), decimals: 2),
        Text.number(figures.maximum.inMilliseconds, decimals: 2),
      ]
  }

  private func mebibytes(_ bytes: Int) -> String { Text.number(Double(bytes) / Double(1 << 20), decimals: 2) }

  // MARK: For programs

  var json: JSON {
    .object([
      ("benchmark", .text("flood")),
      ("machine", .text(machine)),
      ("seed", .text(String(run.seed))),
      ("players", .integer(run.players)),
      ("messagesPerSecond", .number(run.messages)),
      ("sources", .integer(run.sources)),
      ("phases", .array(outcome.phases.map(json))),
      ("sentUp", .integer(outcome.sentUp)),
      ("arrivedUp", .integer(outcome.arrivedUp)),
      ("sentDown", .integer(outcome.sentDown)),
      ("arrivedDown", .integer(outcome.arrivedDown)),
      ("refused", .integer(outcome.refused)),
      ("memoryBeforeBytes", .integer(outcome.memoryBefore)),
      ("memoryMaximumBytes", .integer(outcome.memoryPeak)),
      ("failures", .array(outcome.failures.map { .text($0) })),
    ])
  }

  private func json(_ phase: FloodOutcome.Phase) -> JSON {
    .object([
      ("phase", .text(phase.phase.rawValue)),
      ("floodPerSecond", .number(phase.flood)),
      ("up", json(phase.up, outcome.ratio(phase, \.up))),
      ("down", json(phase.down, outcome.ratio(phase, \.down))),
      ("overruns", .integer(phase.overruns)),
      ("processor", .number(phase.processor)),
    ])
  }

  private func json(_ figures: FloodFigures, _ ratio: Double?) -> JSON {
    .object([
      ("messages", .integer(figures.count)),
      ("p50Milliseconds", .number(figures.p50.inMilliseconds)),
      ("p99Milliseconds", .number(figures.p99.inMilliseconds)),
      ("maximumMilliseconds", .number(figures.maximum.inMilliseconds)),
      ("ratio", .number(ratio)),
    ])
  }
}
