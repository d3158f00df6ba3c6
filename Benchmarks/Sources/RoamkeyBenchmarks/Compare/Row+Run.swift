extension Row {
  /// All competitors once: one after the other, where they are not to disturb each other.
  /// - Parameter isQuick: less of what takes long.
  func run(isQuick: Bool, into results: inout CompareResults) async {
    guard let workload else {
      await runLossy(isQuick: isQuick, into: &results)
      return
    }
    guard isConcurrent else {
      for competitor in competitors {
        let choice = workload(competitor)
        note(await duel(competitor, choice), choice, of: competitor, in: &results)
      }
      return
    }
    await withTaskGroup(of: (Competitor, Result<Duel.Outcome, BenchmarkFailure>).self) { group in
      for competitor in competitors {
        group.addTask { (competitor, await duel(competitor, workload(competitor))) }
      }
      for await (competitor, result) in group { note(result, workload(competitor), of: competitor, in: &results) }
    }
  }

  private func duel(_ competitor: Competitor, _ choice: WorkloadChoice) async -> Result<Duel.Outcome, BenchmarkFailure>
  {
    await .of { () throws(BenchmarkFailure) in
      let outcome = try await Duel(competitor: competitor, workload: choice).run()
      if let problem = problem(outcome, competitor) { throw BenchmarkFailure(problem) }
      return outcome
    }
  }

  private func note(
    _ result: Result<Duel.Outcome, BenchmarkFailure>, _ choice: WorkloadChoice, of competitor: Competitor,
    in results: inout CompareResults
  ) {
    switch result {
    case .success(let outcome):
      for figure in figures {
        results.add(figure.value(outcome, choice), row: self, figure: figure, competitor: competitor)
      }
    case .failure(let failure): results.fail(failure, row: self, competitor: competitor)
    }
  }

  private func runLossy(isQuick: Bool, into results: inout CompareResults) async {
    var scenario = LossyScenario(seed: 0)
    if isQuick { scenario.messages = 300 }
    let contestants = competitors.compactMap { Contestant(rawValue: $0.rawValue) }
    let run = await LossyDelivery(contestants: contestants, scenario: scenario).run(seed: .random(in: 1...999_999))
    for competitor in competitors {
      guard let outcome = Contestant(rawValue: competitor.rawValue).flatMap({ run.outcomes[$0] }) else { continue }
      if let failure = outcome.failure {
        results.fail(failure, row: self, competitor: competitor)
        continue
      }
      for figure in figures {
        let value = LossyFigure(rawValue: figure.name)?.value(of: outcome)
        results.add(value, row: self, figure: figure, competitor: competitor)
      }
    }
  }
}
