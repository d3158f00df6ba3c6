/// A row of the comparison: one thing that all do, and the figures that come of it.
struct Row: Sendable {
  /// Whether one run says all there is, or takes too long to be repeated.
  var isOnce = false
  /// Whether all competitors may do it at once, since none of them keeps the machine busy.
  var isConcurrent = false
  /// The letter by which it is asked for.
  var letter: Character
  var title: String
  var figures: [RowFigure]
  var competitors: [Competitor]
  /// What a competitor does; nil where it is lossy delivery, which has all of them in one process.
  var workload: (@Sendable (Competitor) -> WorkloadChoice)?
  /// Why the figures of a run say nothing; nil where they do.
  var problem: @Sendable (Duel.Outcome, Competitor) -> String? = { _, _ in nil }
}

/// How much is done.
struct RowOptions: Sendable {
  /// Clients in play, and where every packet is signed.
  var clients = 500
  var signedClients = 200
  /// Clients that connect at once.
  var newcomers = 1000
  /// How long a crowd plays, in seconds.
  var playSeconds = 5.0
  /// All other times are multiplied by this.
  var scale = 1.0
}

/// One figure of a row.
struct RowFigure: Sendable {
  /// For programs: unique in its row.
  var name: String
  /// For people, unit included.
  var heading: String
  var decimals: Int
  /// Whether more is better.
  var isRate = false
  /// Whether it is put in proportion to others'.
  var isCompared = true
  /// What is to be reached.
  var targets: [Competitor: Target] = [:]
  /// nil where it says nothing.
  var value: @Sendable (Duel.Outcome, WorkloadChoice) -> Double?
}

/// What a figure is to reach.
enum Target: Sendable, Equatable {
  /// Whatever others do.
  case fixed(Double)
  /// So many times what another one reaches in the same run.
  case times(Double, Competitor)
  /// What another one reaches in the same run, and so much more.
  case above(Competitor, by: Double)

  /// The limit itself, where the others' figures are known.
  func limit(_ others: (Competitor) -> Double?) -> Double? {
    switch self {
    case .fixed(let value): value
    case .times(let factor, let other): others(other).map { $0 * factor }
    case .above(let other, let more): others(other).map { $0 + more }
    }
  }

  var words: String {
    switch self {
    case .fixed(let value): Text.setting(value)
    case .times(let factor, let other): "\(Text.setting(factor)) x \(other.title)"
    case .above(let other, let more): "\(other.title) + \(Text.setting(more))"
    }
  }
}

/// How a figure stands to its target.
struct Verdict: Sendable, Equatable {
  var isMet: Bool
  /// How far from the limit, as a share of it; above zero is better than asked.
  var margin: Double

  /// - Parameter isRate: whether more is better.
  init?(_ value: Double, limit: Double, isRate: Bool) {
    guard limit > 0, value.isFinite else { return nil }
    margin = isRate ? value / limit - 1 : 1 - value / limit
    isMet = margin >= 0
  }

  var words: String {
    isMet ? "met" : "MISSED by \(Text.number(-margin * 100, decimals: 0)) %"
  }
}
