import Foundation
import Testing

@testable import RoamkeyBenchmarks

/// Everybody once, briefly.
@Suite(.serialized) struct ContestantTests {
  private func delivery(_ contestants: [Contestant], loss: Double, delay: Duration) -> LossyDelivery {
    var scenario = LossyScenario(seed: 0)
    scenario.messages = 50
    scenario.rate = 100
    scenario.conditions = LinkConditions(delay: delay, loss: loss)
    return LossyDelivery(contestants: contestants, scenario: scenario)
  }

  @Test(arguments: Contestant.allCases)
  func withoutLoss(_ contestant: Contestant) async throws {
    let run = await delivery([contestant], loss: 0, delay: .milliseconds(10)).run(seed: 1)
    let outcome = try #require(run.outcomes[contestant])
    #expect(outcome.failure == nil)
    #expect(outcome.received == 50)
    #expect(try #require(outcome.percentiles[0]) >= .milliseconds(10))
    #expect(outcome.relay.up.datagrams >= 50)
    #expect(outcome.relay.up.bytes >= 50 * TimedMessage.size)
  }

  @Test func allAtOnceUnderLoss() async throws {
    let delivery = delivery(Contestant.allCases, loss: 0.1, delay: .milliseconds(10))
    let results = LossyResults(runs: [await delivery.run(seed: 3), await delivery.run(seed: 4)])
    #expect(results.failures == [])
    #expect(results.contestants == Contestant.allCases)
    for run in results.runs {
      for contestant in Contestant.allCases where contestant != .raw {
        #expect(run.outcomes[contestant]?.received == 50)
      }
      let raw = try #require(run.outcomes[.raw])
      #expect(raw.received == 50 - raw.relay.up.lost)
    }
    let report = LossyReport(delivery: delivery, results: results, machine: "\"a machine\"")
    #expect(report.text.contains("medians of 2 runs"))
    let object = try JSONSerialization.jsonObject(with: Data(report.json.description.utf8))
    let fields = try #require(object as? [String: Any])
    #expect(fields["machine"] as? String == "\"a machine\"")
    #expect((fields["runs"] as? [Any])?.count == 2)
    #expect((fields["medians"] as? [Any])?.count == Contestant.allCases.count)
  }

  /// Nobody answers: there are no figures then, and the reason is told.
  @Test func aDeadNetworkIsAFailure() async {
    let outcome = await Contestant.sealed.run(delivery([.sealed], loss: 1, delay: .zero).scenario)
    #expect(outcome.failure != nil)
    #expect(outcome.received == 0)
    let results = LossyResults(runs: [LossyResults.Run(seed: 1, outcomes: [.sealed: outcome])])
    #expect(results.failures.count == 1)
    #expect(results.median(.p50, .sealed) == nil)
    #expect(results.timesMet(.p50, .sealed) == 0)
  }
}
