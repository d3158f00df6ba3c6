/// Lossy delivery: a small reliable message at every tick through a network that loses some.
struct LossyDelivery: Sendable {
  var contestants: [Contestant]
  /// `seed` and `offset` are set for each run.
  var scenario: LossyScenario
  /// One contestant after the other, where a machine is too small for all at once.
  var isSequential = false

  func run(seed: UInt64) async -> LossyResults.Run {
    var outcomes: [Contestant: LossyOutcome] = [:]
    if isSequential {
      for contestant in contestants { outcomes[contestant] = await contestant.run(scenario(seed, offset: 0)) }
    } else {
      await withTaskGroup(of: (Contestant, LossyOutcome).self) { group in
        for (index, contestant) in contestants.enumerated() {
          // Half of the interval is enough for all of them: with the default delay the other half is when their
          // datagrams leave the relay.
          let offset = Double(index) / Double(2 * contestants.count)
          group.addTask { (contestant, await contestant.run(scenario(seed, offset: offset))) }
        }
        for await (contestant, outcome) in group { outcomes[contestant] = outcome }
      }
    }
    return LossyResults.Run(seed: seed, outcomes: outcomes)
  }

  private func scenario(_ seed: UInt64, offset: Double) -> LossyScenario {
    var scenario = scenario
    scenario.seed = seed
    scenario.offset = offset
    return scenario
  }
}
