/// How many instructions each kind of work may take: what it took when the file was written, and a little more.
package struct InstructionBudgets: Sendable, Equatable {
  /// Whose figures they are: another compiler, or another kind of processor, has others.
  package struct Origin: Sendable, Equatable {
    package var processor: String
    package var compiler: String

    package init(processor: String, compiler: String) {
      self.processor = processor
      self.compiler = compiler
    }
  }

  /// One kind of work, such as `sealed-latest-64-up send`.
  package typealias Name = String

  package enum Finding: Sendable, Equatable {
    /// More than the budget and its slack.
    case beyond(Name, count: Int, budget: Int)
    /// So much less that the budget would not notice if half of it was lost again. No fault.
    case below(Name, count: Int, budget: Int)
    /// Nothing was counted.
    case nothing(Name)
    /// The file says nothing of it.
    case unknown(Name)
    /// The file speaks of what was not counted.
    case missing(Name)

    package var isFault: Bool { if case .below = self { false } else { true } }
  }

  package struct Malformed: Error, Equatable {
    package var line: String

    package init(line: String) { self.line = line }
  }

  package var origin: Origin
  package var counts: [Name: Int]

  /// In percent: a change that costs less is not worth a failure, and a new version of a library may.
  package static let slack = 15

  package init(origin: Origin, counts: [Name: Int]) {
    self.origin = origin
    self.counts = counts
  }

  // MARK: As text

  private static let introduction = """
    # Instructions of our own code and of Swift's runtime, a unit of each kind of work. `make counts` counts them, and
    # fails above these and \(slack) %; `make counts-renew` writes this file. See docs/decisions/0022-counts.md.
    """

  /// Lines of `case phase count`, in order; the first says whose they are.
  package var text: String {
    let lines = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return ([Self.introduction, "from \(origin.processor) \(origin.compiler)"] + lines).joined(separator: "\n") + "\n"
  }

  package init(_ text: String) throws(Malformed) {
    var origin: Origin?
    var counts: [Name: Int] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ").map(String.init)
      guard words.count == 3 else { throw Malformed(line: String(line)) }
      if words[0] == "from", origin == nil {
        origin = Origin(processor: words[1], compiler: words[2])
      } else if let count = Int(words[2]), count > 0, counts["\(words[0]) \(words[1])"] == nil {
        counts["\(words[0]) \(words[1])"] = count
      } else {
        throw Malformed(line: String(line))
      }
    }
    guard let origin else { throw Malformed(line: "from") }
    self.init(origin: origin, counts: counts)
  }

  // MARK: Judging

  /// What is to be said of counts, in the order of their names.
  package func judge(_ measured: [Name: Int]) -> [Finding] {
    let unmeasured = counts.keys.filter { measured[$0] == nil }.sorted().map(Finding.missing)
    return measured.sorted { $0.key < $1.key }.compactMap { name, count in
      guard count > 0 else { return .nothing(name) }
      guard let budget = counts[name] else { return .unknown(name) }
      if count * 100 > budget * (100 + Self.slack) { return .beyond(name, count: count, budget: budget) }
      if count * 100 < budget * (100 - Self.slack) { return .below(name, count: count, budget: budget) }
      return nil
    } + unmeasured
  }
}
