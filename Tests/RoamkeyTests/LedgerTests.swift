import RoamkeyEngine
import RoamkeyWire
import Testing

@testable import Roamkey

/// Credit for what the app has taken always gets back to the sender.
struct LedgerTests {
  private let first = SessionHandle(rawValue: 1)
  private let second = SessionHandle(rawValue: 2)

  private func credit(_ handle: SessionHandle, _ bytes: Int, channel: UInt8 = 0) -> Credit {
    Credit(account: .init(handle: handle, stream: .init(channel: channel, delivery: .reliableOrdered)), bytes: bytes)
  }

  /// A ledger whose loop is to hear of no credit so far, of which some is noted.
  private func ledger() -> Ledger {
    var ledger = Ledger(RoamkeyConfiguration())
    ledger.open(first, longest: 1000)
    ledger.open(second, longest: 1000)
    let calls = ledger.giveBack(credit(first, 100), isLast: false)
    #expect(!calls, "little, and more waits to be taken")
    return ledger
  }

  private func expectCredit(_ ledger: inout Ledger) {
    var work = Ledger.Work()
    ledger.take(&work)
    #expect(work.credits == [credit(first, 100).account: 100])
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
    let calls = ledger.giveBack(credit(second, 50), isLast: true)
    #expect(calls)
    expectCredit(&ledger)
  }

  @Test func creditGoesBackToWhereItCameFrom() {
    var ledger = ledger()
    _ = ledger.giveBack(credit(first, 20, channel: 7), isLast: false)
    _ = ledger.giveBack(credit(second, 3), isLast: false)
    _ = ledger.giveBack(credit(first, 1), isLast: true)
    var work = Ledger.Work()
    ledger.take(&work)
    #expect(
      work.credits == [
        credit(first, 0).account: 101, credit(first, 0, channel: 7).account: 20, credit(second, 0).account: 3,
      ])
  }

  @Test func whoHasLeftIsOwedNothing() {
    var ledger = ledger()
    _ = ledger.giveBack(credit(first, 20, channel: 7), isLast: false)
    _ = ledger.giveBack(credit(second, 3), isLast: false)
    ledger.close(first)
    var work = Ledger.Work()
    ledger.take(&work)
    #expect(work.credits == [credit(second, 0).account: 3])
  }

  // MARK: Queues

  private func message(_ size: Int, _ options: SendOptions = .init()) throws -> EncodedMessage {
    try Message([UInt8](repeating: 0, count: size)).encoded(options, at: .init(nanoseconds: 0), time: nil)
  }

  @Test(arguments: Delivery.allCases) func everyModeIsCountedUntilTheEngineHasSentIt(_ delivery: Delivery) throws {
    var ledger = Ledger(RoamkeyConfiguration())
    ledger.open(first, longest: 1000)
    try ledger.send(message(99, .init(delivery: delivery, channel: 3)), to: first)
    let cost = 100 + MessageContent.creditOverhead
    #expect(ledger.queuedBytes(of: first) == cost)
    var work = Ledger.Work()
    ledger.take(&work)
    #expect(work.messages.map(\.options.delivery) == [delivery])
    #expect(ledger.queuedBytes(of: first) == cost, "the engine has it now")
    try ledger.send(message(99), to: first)
    ledger.correct { _ in 0 }
    #expect(ledger.queuedBytes(of: first) == cost, "the second one waits here")
    ledger.take(&work)
    ledger.correct { _ in 0 }
    #expect(ledger.queuedBytes(of: first) == 0)
  }

  @Test func ofARefusedMessageNothingIsTaken() throws {
    var configuration = RoamkeyConfiguration()
    configuration.sendQueueLimit = 300
    var ledger = Ledger(configuration)
    ledger.open(first, longest: 400)
    try ledger.send(message(200), to: first)
    let before = ledger.queuedBytes(of: first)
    for (size, error) in [(200, SendError.queueFull(limit: 300)), (401, .tooLarge(size: 401, limit: 400))] {
      #expect(throws: error) { try ledger.send(message(size, .init(delivery: .latest)), to: first) }
    }
    #expect(throws: SendError.notConnected) { try ledger.send(message(1), to: second) }
    #expect(ledger.queuedBytes(of: first) == before)
    var work = Ledger.Work()
    ledger.take(&work)
    #expect(work.messages.count == 1)
  }

  @Test func whatWaitsForAFlushWakesNobody() throws {
    for policy in [FlushPolicy.atOnce, .after(.milliseconds(5)), .manual] {
      var configuration = RoamkeyConfiguration()
      configuration.flushPolicy = policy
      var ledger = Ledger(configuration)
      ledger.open(first, longest: 1000)
      try ledger.send(message(1), to: first)
      let calls = [Priority.low, .normal, .high].map { ledger.callForMessage($0) }
      #expect(calls == [policy != .manual, false, false], "once is enough")
      let callsForImmediate = ledger.callForMessage(.immediate)
      #expect(callsForImmediate == (policy == .manual))
      let callsForCredit = ledger.call()
      #expect(!callsForCredit, "it was called already")
      var work = Ledger.Work()
      ledger.take(&work)
      #expect(work.messages.count == 1)
    }
  }

  // MARK: Rests

  private func rests(_ ledger: inout Ledger) -> [SessionHandle: Bool] {
    var work = Ledger.Work()
    ledger.take(&work)
    return work.rests
  }

  @Test func aRestIsEndedByMessagesThatFollowIt() throws {
    var ledger = ledger()
    let message = try Message("x").encoded(.init(), at: .init(nanoseconds: 0), time: nil)
    ledger.setResting(true, of: first)
    ledger.setResting(true, of: second)
    try ledger.send(message, to: first)
    #expect(rests(&ledger) == [second: true])
    try ledger.send(message, to: first)
    ledger.setResting(true, of: first)
    #expect(rests(&ledger) == [first: true])
    ledger.setResting(true, of: first)
    ledger.setResting(false, of: first)
    #expect(rests(&ledger) == [first: false])
    #expect(rests(&ledger).isEmpty, "it is told once")
  }

  @Test func whoHasLeftDoesNotRest() {
    var ledger = ledger()
    ledger.setResting(true, of: first)
    ledger.close(first)
    ledger.setResting(true, of: first)
    #expect(rests(&ledger).isEmpty)
  }
}
