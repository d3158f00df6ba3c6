import Testing

@testable import RoamkeyEngine

/// PROTOCOL §5.7: when a way is believed to be dead.
struct SilenceTests {
  private static func at(_ milliseconds: Int) -> Instant {
    Instant(nanoseconds: 0) + .milliseconds(milliseconds)
  }

  private static let patience = Duration.milliseconds(100)
  private static let answer = Duration.milliseconds(60)

  @Test func oneLostPacketIsNoDeadWay() {
    var silence = Silence()
    #expect(!silence.lasts(Self.patience, now: Self.at(1000)))
    silence.onSent(now: Self.at(0))
    #expect(silence.lasts(Self.patience, now: Self.at(100)) && !silence.lasts(Self.patience, now: Self.at(99)))
    #expect(silence.believedFrom(patience: Self.patience, answerTime: Self.answer) == nil)
    // The probe after it is given its time.
    silence.onSent(now: Self.at(100))
    #expect(silence.believedFrom(patience: Self.patience, answerTime: Self.answer) == Self.at(160))
  }

  @Test func whoTalksAllTheTimeNeedNotWaitForLonger() {
    var silence = Silence()
    for time in stride(from: 0, through: 100, by: 20) { silence.onSent(now: Self.at(time)) }
    #expect(silence.believedFrom(patience: Self.patience, answerTime: Self.answer) == Self.at(100))
  }

  @Test func anAnswerBeginsItAnew() {
    var silence = Silence()
    silence.onSent(now: Self.at(0))
    silence.onSent(now: Self.at(10))
    silence.onAnswer(isAwaiting: true, now: Self.at(50))
    #expect(silence.start == Self.at(50))
    #expect(silence.believedFrom(patience: Self.patience, answerTime: Self.answer) == nil)
    silence.onAnswer(isAwaiting: false, now: Self.at(60))
    #expect(silence.start == nil)
    silence.onSent(now: Self.at(70))
    silence.end()
    #expect(silence.start == nil)
  }
}
