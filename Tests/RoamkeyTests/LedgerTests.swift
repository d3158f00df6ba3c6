import RoamkeyEngine
import Testing

@testable import Roamkey

/// Credit for what the app has taken always gets back to the sender.
struct LedgerTests {
  private let first = SessionHandle(rawValue: 1)
  private let second = SessionHandle(rawValue: 2)

  /// A ledger whose loop is to hear of no credit so far, of which some is noted.
  private func ledger() -> Ledger {
    var ledger = Ledger(RoamkeyConfiguration())
    ledger.open(first, longest: 1000)
    ledger.open(second, longest: 1000)
    let calls = ledger.giveBack(Credit(handle: first, bytes: 100), isLast: false)
    #expect(!calls, "little, and more waits to be taken")
    return ledger
  }

  private func expectCredit(_ ledger: inout Ledger) {
    var work = Ledger.Work()
    ledger.take(&work)
    #expect(work.credits == [first: 100])
    let calls = ledger.giveBack(nil, isLast: true)
    #expect(!calls, "nothing is withheld any more")
  }

  @Test func theLastEventIsNoMessage() {
    var ledger = ledger()
    let calls = ledger.giveBack(nil, isLast: true)
    #expect(calls)
    expectCredit(&ledger)
  }

  @Test func theLastMessageIsOfSomebodyWhoLeft() {
    var ledger = ledger()
    ledger.close(second)
    let calls = ledger.giveBack(Credit(handle: second, bytes: 50), isLast: true)
    #expect(calls)
    expectCredit(&ledger)
  }
}
