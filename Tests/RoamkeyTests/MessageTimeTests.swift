import Testing

@testable import Roamkey
@testable import RoamkeyEngine
@testable import RoamkeyUDP

/// How old a message says that it is.
struct MessageTimeTests {
  private func received(sentAt: Int64, receivedAt: Int64, error: Duration? = nil) -> Message {
    Message(
      InboundMessage(
        stream: .init(channel: 1, delivery: .unreliable), sequence: 3,
        content: .init(format: .text, action: "", body: []), credit: 0, receivedAt: .init(nanoseconds: receivedAt),
        sentAt: .init(nanoseconds: sentAt), sentAtError: error), sender: nil)
  }

  /// The engine's time and the app's are one clock.
  @Test func theAppsClockIsTheEngines() {
    for _ in 0..<10 {
      let before = SuspendingClock.now
      let instant = SuspendingClock.Instant(Instant.current)
      let after = SuspendingClock.now
      // The clock that `now` reads may be a coarser reading of the same: some ms are allowed.
      #expect(instant >= before.advanced(by: .milliseconds(-5)))
      #expect(instant <= after.advanced(by: .milliseconds(5)))
    }
  }

  @Test func agesAreCountedFromWhenItWasSent() {
    let now = Instant.current.nanoseconds
    let message = received(
      sentAt: now - 3_000_000_000, receivedAt: now - 1_000_000_000, error: .milliseconds(4))
    #expect(message.ageOnArrival == .seconds(2))
    #expect(message.ageError == .milliseconds(4))
    #expect(message.age >= .seconds(3) && message.age < .seconds(60))
    #expect(message.age(at: SuspendingClock.Instant(Instant(nanoseconds: now))) == .seconds(3))
    #expect(message.sentAt == SuspendingClock.Instant(Instant(nanoseconds: now - 3_000_000_000)))
    #expect(received(sentAt: 0, receivedAt: 0).ageError == nil)
  }

  @Test func noAgeIsNegative() {
    let now = Instant.current.nanoseconds
    let message = received(sentAt: now + 60_000_000_000, receivedAt: now)
    #expect(message.age == .zero)
    #expect(message.ageOnArrival == .zero)
    #expect(message.age(at: SuspendingClock.Instant(Instant(nanoseconds: 0))) == .zero)
  }

  @Test func whatWasNotReceivedIsNew() {
    let message = Message("x", as: "y")
    #expect(message == Message("x", as: "y"))
    #expect(message.age == .zero && message.ageOnArrival == .zero && message.ageError == .zero)
    #expect(message.delivery == .reliableOrdered && message.channel == 0)
    let before = SuspendingClock.now
    #expect(message.sentAt >= before && message.sentAt <= .now)
  }

  @Test func whatIsPassedOnKeepsItsTimeWhileThatCanBeTold() {
    let message = received(sentAt: 5_000, receivedAt: 6_000)
    #expect(message.originalTime(at: .init(nanoseconds: 7_000)) == .init(nanoseconds: 5_000))
    let late = Instant(nanoseconds: 5_000) + Message.longestToldAge
    #expect(message.originalTime(at: late) == .init(nanoseconds: 5_000))
    #expect(message.originalTime(at: late + .nanoseconds(1)) == nil)
    #expect(message.by(nil).originalTime(at: .init(nanoseconds: 7_000)) == .init(nanoseconds: 5_000))
    #expect(Message("x").originalTime(at: .init(nanoseconds: 7_000)) == .init(nanoseconds: 7_000))
  }
}
