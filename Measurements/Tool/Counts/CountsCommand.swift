import MeasurementBudgets

/// `counts`: what the hot path takes from the heap, and how many instructions it has, against budgets.
struct CountsCommand {
  var isQuiet = false
  var renews = false
  var budgets = "Measurements/instructions.txt"

  private struct Row {
    let counted: CountedCase
    let units: Int
    let figures: [Phase: CountedRun.Figures]

    func allocations(_ phase: Phase) -> Double { Double(figures[phase]?.allocations ?? 0) / Double(units) }
  }

  /// - Returns: whether everything was within its budget.
  func run() -> Bool {
    guard AllocationCheck.isActive else {
      print("counts: this build cannot count allocations (a sanitizer, or no glibc): nothing is counted")
      return true
    }
    guard AllocationCheck.passes() else {
      Text.complain("the counter does not count")
      return false
    }
    var isGood = true
    let rows = CountedCase.all.compactMap { counted in
      let row = count(counted)
      isGood = isGood && row != nil
      return row
    }
    for row in rows { isGood = judge(row) && isGood }
    let instructions = countInstructions()
    if !isQuiet { printTable(rows, instructions ?? [:]) }
    if let instructions { isGood = judge(instructions) && isGood } else { isGood = isGood && !renews }
    if isGood {
      print("counts: \(rows.count) kinds of work take no more from the heap than their budgets\(told(instructions))")
    }
    return isGood
  }

  private func told(_ instructions: [String: Int]?) -> String {
    instructions.map { ", and no more instructions (\($0.count) figures)" } ?? ""
  }

  // MARK: Allocations

  private static let rounds = 200

  private func count(_ counted: CountedCase) -> Row? {
    var run = CountedRun(counted, warmUp: counted.warmUp)
    run.count(rounds: Self.rounds)
    if let problem = run.problem() {
      Text.complain("\(counted.name): \(problem)")
      return nil
    }
    return Row(counted: counted, units: run.units, figures: run.figures)
  }

  private func judge(_ row: Row) -> Bool {
    var isGood = true
    for phase in row.counted.phases {
      let (count, budget) = (row.allocations(phase), row.counted.allocationBudget(phase))
      guard count > budget + CountedCase.allocationSlack else { continue }
      isGood = false
      Text.complain(
        "\(row.counted.name), \(phase): \(Text.number(count, digits: 2)) allocations a \(row.counted.unit), "
          + "\(Text.number(budget, digits: 1)) are allowed")
    }
    return isGood
  }

  // MARK: Instructions

  /// Nil where they cannot be counted, which is said.
  private func countInstructions() -> [String: Int]? {
    do throws(Valgrind.Failure) {
      return try Valgrind.count()
    } catch {
      switch error {
      case .missing: print("counts: instructions are not counted: there is no valgrind (Debian's package valgrind)")
      case .failed(let reason): print("counts: instructions are not counted: valgrind does not run: \(reason)")
      }
      return nil
    }
  }

  private func judge(_ instructions: [String: Int]) -> Bool {
    let origin = InstructionBudgets.Origin.here
    if renews {
      guard Text.write(InstructionBudgets(origin: origin, counts: instructions).text, to: budgets) else {
        Text.complain("\(budgets) cannot be written")
        return false
      }
      return true
    }
    guard let text = Text.contents(of: budgets), let known = try? InstructionBudgets(text) else {
      Text.complain("\(budgets) is not there or malformed: type `make counts-renew`")
      return false
    }
    guard known.origin == origin else {
      print(
        "counts: instructions are not judged: \(budgets) is from \(known.origin.processor) and Swift "
          + "\(known.origin.compiler), this is \(origin.processor) and Swift \(origin.compiler)")
      return true
    }
    let findings = known.judge(instructions)
    for finding in findings { tell(finding) }
    return !findings.contains(where: \.isFault)
  }

  private func tell(_ finding: InstructionBudgets.Finding) {
    switch finding {
    case .beyond(let name, let count, let budget):
      Text.complain(
        "\(name): \(count) instructions, the budget is \(budget) and \(InstructionBudgets.slack) %; "
          + "if that is meant, type `make counts-renew`")
    case .below(let name, let count, let budget):
      print("counts: \(name): \(count) instructions, far below \(budget): `make counts-renew` keeps it so")
    case .nothing(let name): Text.complain("\(name): no instruction was counted")
    case .unknown(let name): Text.complain("\(name) has no budget: type `make counts-renew`")
    case .missing(let name): Text.complain("\(name) has a budget and was not counted")
    }
  }

  // MARK: The table

  private func printTable(_ rows: [Row], _ instructions: [String: Int]) {
    let width = (rows.map(\.counted.name.count).max() ?? 0) + 2
    let phases = Phase.allCases
    print(
      Text.left("a unit of each kind of work", width) + "unit    "
        + phases.map { Text.right($0 == .acknowledge ? "ack" : "\($0)", 8) }.joined()
        + phases.map { Text.right($0 == .acknowledge ? "ack" : "\($0)", 9) }.joined())
    print(Text.left("", width) + "           allocations                     instructions")
    for row in rows {
      let heap = phases.map { phase in
        Text.right(row.counted.phases.contains(phase) ? Text.number(row.allocations(phase), digits: 2) : "-", 8)
      }
      let work = phases.map { phase in
        Text.right(instructions["\(row.counted.name) \(phase)"].map(String.init) ?? "-", 9)
      }
      print(Text.left(row.counted.name, width) + Text.left(row.counted.unit, 8) + heap.joined() + work.joined())
    }
  }
}

/// `phases`: the work alone, to be run under callgrind, and in which order its phases came.
struct PhasesCommand {
  func run() -> Bool {
    for counted in CountedCase.all {
      var run = CountedRun(counted, warmUp: counted.briefWarmUp)
      run.count(rounds: counted.briefRounds)
      if let problem = run.problem() {
        Text.complain("\(counted.name): \(problem)")
        return false
      }
      let phases = (0..<counted.briefRounds).flatMap { _ in counted.phases.map(\.rawValue) }
      print("\(counted.name) \(run.units) \(phases.joined(separator: " "))")
    }
    return true
  }
}
