/// The results of lossy delivery, for people and for programs.
struct LossyReport {
  let delivery: LossyDelivery
  let results: LossyResults
  /// The machine, as it was at the start.
  let machine: String

  private var scenario: LossyScenario { delivery.scenario }

  /// Targets are meant for the default settings; elsewhere they are not shown.
  private var hasTargets: Bool {
    let usual = LossyScenario(seed: 0)
    return scenario.messages == usual.messages && scenario.rate == usual.rate
      && scenario.conditions == usual.conditions
  }

  // MARK: For people

  var text: String {
    var parts = [introduction, figures]
    if hasTargets { parts.append(targets) }
    if results.contestants.contains(.enet) { parts.append(ratios) }
    return parts.joined(separator: "\n\n")
  }

  private var introduction: String {
    let seeds = results.runs.map { String($0.seed) }.joined(separator: ", ")
    let each =
      "\(Text.setting(scenario.conditions.delay.inMilliseconds)) ms and "
      + "\(Text.setting(scenario.conditions.loss * 100)) % loss each way"
    let order = delivery.isSequential ? "one after the other" : "all at once"
    let count = results.runs.count
    return """
      Lossy delivery: \(scenario.messages) messages of \(TimedMessage.size) bytes, reliable and ordered, \
      \(Text.setting(scenario.rate)) a second; \(each)
      \(count == 1 ? "1 run" : "medians of \(count) runs"), seed \(seeds); \(order); \(machine)
      """
  }

  private var figures: String {
    var rows = [[""] + LossyFigure.allCases.map(\.heading)]
    for contestant in results.contestants {
      rows.append(
        [contestant.title]
          + LossyFigure.allCases.map { Text.number(results.median($0, contestant), decimals: $0.decimals) })
    }
    return Text.table(rows)
  }

  private var targets: String {
    let figures = LossyFigure.allCases.filter { figure in Contestant.allCases.contains { $0.targets[figure] != nil } }
    var rows = [["Targets"] + figures.map(\.heading)]
    for contestant in results.contestants where !contestant.targets.isEmpty {
      rows.append(
        [contestant.title]
          + figures.map { figure in
            guard let target = contestant.targets[figure], let met = results.timesMet(figure, contestant) else {
              return ""
            }
            let count = results.runs.count
            let verdict = count == 1 ? (met == 1 ? "met" : "MISSED") : "met \(met)/\(count)"
            return "<= \(Text.number(target, decimals: 0)) \(verdict)"
          })
    }
    return Text.table(rows)
  }

  private var ratios: String {
    let figures = LossyFigure.allCases.filter(\.isCompared)
    var rows = [["Ratio to ENet"] + figures.map(\.heading).map { $0.replacingUnit }]
    for contestant in results.contestants where !contestant.targets.isEmpty {
      rows.append([contestant.title] + figures.map { Text.number(ratio($0, contestant), decimals: 2) })
    }
    return Text.table(rows)
  }

  private func ratio(_ figure: LossyFigure, _ contestant: Contestant) -> Double? {
    guard let own = results.median(figure, contestant), let other = results.median(figure, .enet), other > 0 else {
      return nil
    }
    return own / other
  }

  // MARK: For programs

  var json: JSON {
    .object([
      ("benchmark", .text("lossy")),
      ("machine", .text(machine)),
      ("sequential", .bool(delivery.isSequential)),
      ("messages", .integer(scenario.messages)),
      ("messageBytes", .integer(TimedMessage.size)),
      ("rate", .number(scenario.rate)),
      ("delayMs", .number(scenario.conditions.delay.inMilliseconds)),
      ("lossPercent", .number(scenario.conditions.loss * 100)),
      ("runs", .array(results.runs.map(run))),
      ("medians", .array(results.contestants.map(medians))),
      ("failures", .array(results.failures.map(JSON.text))),
    ])
  }

  private func run(_ run: LossyResults.Run) -> JSON {
    .object([
      ("seed", .text(String(run.seed))),
      (
        "contestants",
        .array(
          results.contestants.compactMap { contestant in
            guard let outcome = run.outcomes[contestant] else { return nil }
            var fields: [(String, JSON)] = [
              ("name", .text(contestant.rawValue)), ("title", .text(contestant.title)),
              ("sent", .integer(outcome.sent)), ("received", .integer(outcome.received)),
            ]
            for figure in LossyFigure.allCases {
              fields.append((figure.rawValue, .number(figure.value(of: outcome))))
            }
            if let failure = outcome.failure { fields.append(("failure", .text(failure.description))) }
            return .object(fields)
          })
      ),
    ])
  }

  private func medians(_ contestant: Contestant) -> JSON {
    var fields: [(String, JSON)] = [("name", .text(contestant.rawValue))]
    for figure in LossyFigure.allCases {
      var values: [(String, JSON)] = [("median", .number(results.median(figure, contestant)))]
      if hasTargets, let target = contestant.targets[figure], let met = results.timesMet(figure, contestant) {
        values.append(("target", .number(target)))
        values.append(("runsMet", .integer(met)))
      }
      if figure.isCompared { values.append(("ratioToEnet", .number(ratio(figure, contestant)))) }
      fields.append((figure.rawValue, .object(values)))
    }
    return .object(fields)
  }
}

extension String {
  /// A heading whose figures have no unit: `p50` for `p50 ms`.
  fileprivate var replacingUnit: String {
    for unit in [" ms", " kB"] where hasSuffix(unit) { return String(dropLast(unit.count)) }
    return self
  }
}
