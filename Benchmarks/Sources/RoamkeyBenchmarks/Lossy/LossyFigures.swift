/// Who takes part in lossy delivery.
enum Contestant: String, CaseIterable, Sendable {
  case raw, enet, sealed, signed

  var title: String {
    switch self {
    case .raw: "raw UDP"
    case .enet: "ENet \(EnetHost.version)"
    case .sealed: "Roamkey sealed"
    case .signed: "Roamkey signed"
    }
  }

  func run(_ scenario: LossyScenario) async -> LossyOutcome {
    let result = await Result.of { () throws(BenchmarkFailure) in
      switch self {
      case .raw: try await RawPeer.run(scenario)
      case .enet: try await EnetPeer.run(scenario)
      case .sealed: try await RoamkeyPeer.run(scenario, .sealedOnly)
      case .signed: try await RoamkeyPeer.run(scenario, .everyPacket)
      }
    }
    switch result {
    case .success(let outcome): return outcome
    case .failure(let failure): return LossyOutcome(failure: failure)
    }
  }

  /// What is to be reached in the default settings, as upper limits.
  var targets: [LossyFigure: Double] {
    switch self {
    case .raw, .enet: [:]
    case .sealed: [.p50: 51, .p90: 60, .p99: 90, .maximum: 200, .bytesUp: 330]
    case .signed: [.p50: 51, .p90: 60, .p99: 90, .maximum: 200, .bytesUp: 450]
    }
  }
}

/// What is measured of a contestant in one run.
enum LossyFigure: String, CaseIterable, Sendable {
  case p50, p90, p99, maximum
  case bytesUp, datagramsUp, bytesDown, datagramsDown
  case lostUp, relayP50, relayP99

  /// Unit included.
  var heading: String {
    switch self {
    case .p50: "p50 ms"
    case .p90: "p90 ms"
    case .p99: "p99 ms"
    case .maximum: "max ms"
    case .bytesUp: "up kB"
    case .datagramsUp: "datagrams"
    case .bytesDown: "down kB"
    case .datagramsDown: "datagrams"
    case .lostUp: "lost %"
    case .relayP50: "relay p50 us"
    case .relayP99: "p99 us"
    }
  }

  var decimals: Int {
    switch self {
    case .p50, .p90, .p99, .maximum: 2
    case .bytesUp, .bytesDown, .lostUp: 1
    case .datagramsUp, .datagramsDown, .relayP50, .relayP99: 0
    }
  }

  /// Whether it is put in proportion to ENet's.
  var isCompared: Bool {
    switch self {
    case .p50, .p90, .p99, .maximum, .bytesUp, .datagramsUp, .bytesDown, .datagramsDown: true
    case .lostUp, .relayP50, .relayP99: false
    }
  }

  /// nil where nothing arrived.
  func value(of outcome: LossyOutcome) -> Double? {
    let ages = outcome.percentiles
    let relay = outcome.relay
    switch self {
    case .p50: return ages[50]?.inMilliseconds
    case .p90: return ages[90]?.inMilliseconds
    case .p99: return ages[99]?.inMilliseconds
    case .maximum: return ages.maximum?.inMilliseconds
    // A kilobyte has 1000 bytes.
    case .bytesUp: return Double(relay.up.bytes) / 1000
    case .datagramsUp: return Double(relay.up.datagrams)
    case .bytesDown: return Double(relay.down.bytes) / 1000
    case .datagramsDown: return Double(relay.down.datagrams)
    case .lostUp: return relay.up.datagrams > 0 ? 100 * Double(relay.up.lost) / Double(relay.up.datagrams) : nil
    case .relayP50: return relay.lateness[50]?.inMicroseconds
    case .relayP99: return relay.lateness[99]?.inMicroseconds
    }
  }
}

/// All runs of a call.
struct LossyResults: Sendable {
  struct Run: Sendable {
    var seed: UInt64
    var outcomes: [Contestant: LossyOutcome]
  }

  var runs: [Run] = []

  /// What went wrong, in sentences; figures count for nothing then.
  var failures: [String] {
    runs.flatMap { run in
      Contestant.allCases.compactMap { contestant in
        run.outcomes[contestant]?.failure.map { "\(contestant.title), seed \(run.seed): \($0)" }
      }
    }
  }

  /// Those who took part, in order.
  var contestants: [Contestant] { Contestant.allCases.filter { runs.first?.outcomes[$0] != nil } }

  func values(_ figure: LossyFigure, _ contestant: Contestant) -> [Double] {
    runs.compactMap { run in
      guard let outcome = run.outcomes[contestant], outcome.failure == nil else { return nil }
      return figure.value(of: outcome)
    }
  }

  func median(_ figure: LossyFigure, _ contestant: Contestant) -> Double? {
    RoamkeyBenchmarks.median(values(figure, contestant))
  }

  /// In how many runs a contestant stayed within its target; nil where it has none.
  func timesMet(_ figure: LossyFigure, _ contestant: Contestant) -> Int? {
    guard let target = contestant.targets[figure] else { return nil }
    return values(figure, contestant).count { $0 <= target }
  }
}
