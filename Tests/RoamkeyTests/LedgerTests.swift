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
    try Message([UInt8](repeating: 0, count: size)).encoded(options, author: nil, at: .init(nanoseconds: 0), time: nil)
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

  // MARK: One session in the place of another

  private func texts(_ messages: [Ledger.Outgoing]) -> [Int] { messages.map { $0.content.count } }

  @Test func aLostSessionGivesBackWhatWaitsAndOwesNothing() throws {
    var ledger = ledger()
    for size in [10, 20] { try ledger.send(message(size), to: first) }
    try ledger.send(message(30), to: second)
    var work = Ledger.Work()
    ledger.take(&work)
    for size in [40, 50] { try ledger.send(message(size), to: first) }
    ledger.setResting(true, of: first)
    let waiting = ledger.suspend(first)
    #expect(texts(waiting) == [41, 51], "what the loop has taken is the engine's to tell")
    #expect(ledger.queuedBytes(of: first) == 0 && ledger.queuedBytes(of: second) > 0)
    // Credit and rests of the lost session mean nothing to the next one.
    _ = ledger.giveBack(credit(first, 5), isLast: true)
    work.removeAll()
    ledger.take(&work)
    #expect(work.messages.isEmpty && work.credits.isEmpty && work.rests.isEmpty)
    // The engine's count is no longer this session's.
    ledger.correct { _ in 1000 }
    #expect(ledger.queuedBytes(of: first) == 0)
  }

  @Test func whatWaitsIsForTheNextSession() throws {
    let third = SessionHandle(rawValue: 3)
    var ledger = ledger()
    _ = ledger.suspend(first)
    for size in [10, 900, 20] { try ledger.send(message(size), to: first) }
    try ledger.send(message(7), to: second)
    let tooLong = ledger.resume(first, as: third, longest: 100)
    #expect(texts(tooLong) == [901], "what the server takes no more is given back")
    #expect(ledger.queuedBytes(of: first) == 0)
    #expect(ledger.queuedBytes(of: third) == 11 + 21 + 2 * MessageContent.creditOverhead)
    #expect(throws: SendError.notConnected) { try ledger.send(message(1), to: first) }
    #expect(throws: SendError.tooLarge(size: 101, limit: 100)) { try ledger.send(message(101), to: third) }
    var work = Ledger.Work()
    ledger.take(&work)
    #expect(texts(work.messages.filter { $0.handle == third }) == [11, 21])
    #expect(texts(work.messages.filter { $0.handle == second }) == [8])
    ledger.correct { _ in 0 }
    #expect(ledger.queuedBytes(of: third) == 0)
    let calls = ledger.giveBack(credit(third, 9), isLast: true)
    #expect(calls, "the new one has credit of its own")
  }

  @Test func withoutASessionOnlyWhatMattersWaits() throws {
    var ledger = ledger()
    _ = ledger.suspend(first)
    for round in 1...3 {
      try ledger.send(message(round, .init(delivery: .latest)), to: first)
      try ledger.send(message(10 + round, .init(delivery: .latest, channel: 1)), to: first)
      try ledger.send(message(20 + round, .init(delivery: .unreliable)), to: first)
      try ledger.send(message(30 + round, .init(delivery: .latest, receipt: 1)), to: first)
      try ledger.send(message(40 + round, .init(delivery: .unreliable, receipt: 2)), to: first)
    }
    let cost = ledger.queuedBytes(of: first)
    let waiting = ledger.resume(first, as: second, longest: 0)
    #expect(texts(waiting).sorted() == [14, 32, 33, 34, 42, 43, 44], "a newer one takes an older one's place")
    #expect(cost == texts(waiting).reduce(0, +) + 7 * MessageContent.creditOverhead)
  }

  // MARK: Rests

  private func rests(_ ledger: inout Ledger) -> [SessionHandle: Bool] {
    var work = Ledger.Work()
    ledger.take(&work)
    return work.rests
  }

  @Test func aRestIsEndedByMessagesThatFollowIt() throws {
    var ledger = ledger()
    let message = try Message("x").encoded(.init(), author: nil, at: .init(nanoseconds: 0), time: nil)
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
