import Testing

@testable import RoamkeyEngine

/// How many bytes of copies may go, and when (docs/decisions/0009-eager-copies.md).
@Suite struct EagerCopiesTests {
  private let start = Instant(nanoseconds: 1_000_000_000)

  private func at(_ milliseconds: Int) -> Instant { start + .milliseconds(milliseconds) }

  @Test func withoutLossCopiesAreATenth() {
    var copies = EagerCopies()
    #expect(copies.allowance(isLossy: false, window: 12_000, roundTrip: .milliseconds(100), now: start) == 0)
    var sent = 0
    var copied = 0
    for i in 0..<1000 {
      let allowance = copies.allowance(isLossy: false, window: 12_000, roundTrip: .milliseconds(100), now: at(33 * i))
      let copy = allowance >= 74 ? 74 : 0
      copies.onSent(bytes: 100 + copy, copied: copy)
      sent += 100 + copy
      copied += copy
    }
    #expect(copied * 10 <= sent && copied * 12 > sent)
  }

  @Test func underLossCopiesAreAQuarterOfTheWindow() {
    var copies = EagerCopies()
    var copied = 0
    for i in 0...10_000 {
      let allowance = copies.allowance(isLossy: true, window: 2400, roundTrip: .milliseconds(100), now: at(i))
      #expect(allowance <= 600)
      copies.onSent(bytes: allowance, copied: allowance)
      copied += allowance
    }
    // A hundred round trips of 600 bytes, and what it began with.
    #expect((59_000...60_600).contains(copied))
  }

  @Test func aGameThatSendsLittleMayRepeatEverything() {
    var copies = EagerCopies()
    for i in 0..<300 {
      let allowance = copies.allowance(isLossy: true, window: 2400, roundTrip: .milliseconds(100), now: at(33 * i))
      #expect(allowance >= 74)
      copies.onSent(bytes: 174, copied: 74)
    }
  }

  @Test func copiesPauseForARoundTripWhenTheWindowWasUsed() {
    var copies = EagerCopies()
    copies.onCongestion(isWindowUsed: true, roundTrip: .milliseconds(80), now: start)
    #expect(copies.allowance(isLossy: true, window: 9600, roundTrip: .milliseconds(80), now: at(79)) == 0)
    #expect(copies.allowance(isLossy: true, window: 9600, roundTrip: .milliseconds(80), now: at(80)) == 2400)
    copies.onCongestion(isWindowUsed: false, roundTrip: .milliseconds(80), now: at(81))
    #expect(copies.allowance(isLossy: true, window: 9600, roundTrip: .milliseconds(80), now: at(81)) == 2400)
  }

  @Test func theTailWaitsForTheRhythmOfTheApp() {
    var copies = EagerCopies()
    #expect(copies.tailDeadline(suspicion: .milliseconds(100)) == nil)
    copies.onNews(now: start)
    #expect(copies.tailDeadline(suspicion: .milliseconds(100)) == at(50))
    for i in 1...40 { copies.onNews(now: at(32 * i)) }
    #expect(copies.tailDeadline(suspicion: .milliseconds(100)) == at(32 * 40 + 40))
    // The rhythm is slower than a suspicion: no use in waiting for it.
    #expect(copies.tailDeadline(suspicion: .milliseconds(20)) == at(32 * 40 + 10))
  }

  @Test func extremesDoNotTrap() {
    var copies = EagerCopies()
    for now in [start, Instant(nanoseconds: .max), Instant(nanoseconds: .min), start] {
      for roundTrip in [Duration.zero, .seconds(Int64.max), .nanoseconds(-1)] {
        for window in [0, 1 << 62] {
          _ = copies.allowance(isLossy: true, window: window, roundTrip: roundTrip, now: now)
          copies.onSent(bytes: 1400, copied: 1300)
          copies.onCongestion(isWindowUsed: true, roundTrip: roundTrip, now: now)
          copies.onNews(now: now)
          _ = copies.tailDeadline(suspicion: roundTrip)
        }
      }
    }
  }
}
