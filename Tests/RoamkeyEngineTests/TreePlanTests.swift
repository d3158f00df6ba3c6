import Testing

@testable import RoamkeyEngine

/// When packets share a signature, and how many (docs/decisions/0018-trees.md).
struct TreePlanTests {
  private func depth(_ packets: Int..., room: Int = 64) -> Int {
    var plan = TreePlan()
    for count in packets { plan.add(count) }
    return plan.depth(room: room)
  }

  @Test func whatIsLoneStaysAlone() {
    #expect(depth() == 0 && depth(0) == 0 && depth(1) == 0)
    #expect(depth(1, 1) == 0 && depth(1, 1, 1) == 0 && depth(1, 0, 1, 0, 1) == 0)
  }

  @Test("to one peer each verification is saved as well")
  func burst() {
    #expect((2...16).map { depth($0) } == [1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4])
    #expect(depth(1000) == 4)
  }

  @Test("a tick to many players saves signatures alone, so the path is short")
  func tick() {
    #expect(depth(1, 1, 1, 1) == 2)
    #expect(depth(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) == 2)
  }

  @Test func aMixture() {
    #expect(depth(1, 15) == 4)
    // The burst comes only behind the packets that a shallow tree holds.
    #expect(depth(1, 1, 1, 1, 12) > 2)
  }

  @Test func noDeeperThanTheBatchHasRoom() {
    #expect(depth(16, room: 1) == 0 && depth(16, room: 2) == 1 && depth(16, room: 4) == 2 && depth(16, room: 16) == 4)
  }

  @Test func negativeAndHugeCounts() {
    var plan = TreePlan()
    plan.add(-1)
    #expect(plan.count == 0)
    plan.add(.max)
    #expect(plan.count == TreePlan.limit && plan.isFull)
  }
}
