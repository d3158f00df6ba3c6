import Foundation
import MeasurementBudgets
import Testing

@Suite struct InstructionBudgetsTests {
  private let budgets = InstructionBudgets(
    origin: .init(processor: "x86_64", compiler: "6.3"), counts: ["a send": 1000, "a receive": 200])

  @Test("what takes a little more or less than before is no finding")
  func within() {
    #expect(budgets.judge(["a send": 1150, "a receive": 170]) == [])
    #expect(budgets.judge(["a send": 1000, "a receive": 230]) == [])
  }

  @Test("what takes more, is new, is gone, or does nothing is a fault; what takes far less is told")
  func findings() {
    #expect(
      budgets.judge(["a send": 1151, "a receive": 200]) == [.beyond("a send", count: 1151, budget: 1000)])
    #expect(budgets.judge(["a send": 849, "a receive": 200]) == [.below("a send", count: 849, budget: 1000)])
    #expect(budgets.judge(["a send": 1000]) == [.missing("a receive")])
    #expect(budgets.judge(["a send": 0, "a receive": 200]) == [.nothing("a send")])
    #expect(budgets.judge(["a send": 1000, "a receive": 200, "b send": 5]) == [.unknown("b send")])
    let faults = budgets.judge(["a send": 2000, "b send": 1, "c send": 0])
    #expect(faults.count == 4 && faults.allSatisfy(\.isFault))
    #expect(!InstructionBudgets.Finding.below("a", count: 1, budget: 2).isFault)
  }

  @Test func whatIsWrittenIsRead() throws {
    #expect(try InstructionBudgets(budgets.text) == budgets)
  }

  @Test(
    "a line that is none, a count of nothing and a name that stands there twice are refused",
    arguments: [
      "a send many", "a send 0", "a send -1", "a send", "a send 1000 2", "a receive 3", "from x86_64 6.3",
    ])
  func malformed(_ line: String) {
    #expect(throws: InstructionBudgets.Malformed(line: line)) { try InstructionBudgets(budgets.text + line + "\n") }
    #expect(throws: InstructionBudgets.Malformed.self) { try InstructionBudgets("a send 1\n") }
  }

  @Test("the file of the tree can be read, and covers both policies, all modes and both ways")
  func ours() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Measurements/instructions.txt").path
    let ours = try InstructionBudgets(String(contentsOfFile: path, encoding: .utf8))
    for policy in ["sealed", "signed"] {
      for delivery in ["reliableOrdered", "reliableUnordered", "latest", "unreliable"] {
        for work in ["64-up", "64-down", "65536-up", "65536-down"] {
          for phase in ["send", "receive", "acknowledge"] {
            #expect(ours.counts["\(policy)-\(delivery)-\(work) \(phase)"] != nil)
          }
        }
      }
    }
  }
}
