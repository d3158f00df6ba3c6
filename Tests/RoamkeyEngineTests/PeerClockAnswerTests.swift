import RoamkeySimulator
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §10.7: when the peer's time is asked for, and which answers count.
struct PeerClockAnswerTests {
  private func fresh() -> PeerClock { PeerClock(local: LocalClock(random: 77), now: at(0)) }

  /// The time of a request that is due.
  private func ask(_ clock: inout PeerClock, _ now: Instant) throws -> UInt64 {
    let reading = clock.takeRequest(now: now, activeUntil: .distantFuture)
    return try #require(reading)
  }

  // MARK: Asking

  @Test func twoRequestsAtTheStartThenOneEveryTenSeconds() throws {
    var clock = fresh()
    var times: [Instant] = []
    let end = at(1_000_000)
    while times.count < 7 {
      let due = try #require(clock.nextRequest(activeUntil: end))
      #expect(clock.takeRequest(now: due + .nanoseconds(-1), activeUntil: end) == nil)
      #expect(clock.takeRequest(now: due, activeUntil: end) == clock.local.microseconds(due))
      #expect(try #require(clock.nextRequest(activeUntil: end)) > due)
      times.append(due)
    }
    #expect(times == [0, 250, 10_250, 20_250, 30_250, 40_250, 50_250].map(at))
  }

  @Test func aPacketThatLeavesAnywayTakesItALittleEarlier() throws {
    var clock = fresh()
    _ = try ask(&clock, at(0))
    #expect(clock.takeRequest(now: at(224), activeUntil: .distantFuture) == nil)
    #expect(clock.takeRequest(now: at(225), activeUntil: at(5000)) == nil)
    #expect(clock.takeRequest(now: at(225), activeUntil: .distantFuture) != nil)
    #expect(clock.nextRequest(activeUntil: .distantFuture) == at(10_225))
  }

  @Test func besideAKeepAliveItRidesOnceItIsVeryLate() throws {
    var clock = fresh()
    // Nothing is known yet: at once.
    let taken = clock.takeRequest(now: at(0), activeUntil: .distantFuture, isIdle: true)
    let reading = try #require(taken)
    #expect(clock.onAnswer(echo: reading, received: 5, delay: 0, now: at(20)) == .accepted)
    #expect(clock.takeRequest(now: at(50_249), activeUntil: .distantFuture, isIdle: true) == nil)
    #expect(clock.takeRequest(now: at(50_250), activeUntil: .distantFuture, isIdle: true) != nil)
  }

  @Test func aSessionThatIsNotActiveAsksNothing() {
    var clock = fresh()
    #expect(clock.nextRequest(activeUntil: at(0)) == nil)
    #expect(clock.takeRequest(now: at(5000), activeUntil: at(0)) == nil)
    // What was due while it was active still is: else its timer would fire without end.
    #expect(clock.nextRequest(activeUntil: at(1)) == at(0))
    #expect(clock.takeRequest(now: at(5000), activeUntil: at(1)) != nil)
    // Active again after a long time: one request at once, no more than that to catch up.
    #expect(clock.nextRequest(activeUntil: at(5000)) == nil)
    #expect(clock.takeRequest(now: at(900_000), activeUntil: at(960_000)) != nil)
    #expect(clock.nextRequest(activeUntil: at(960_000)) == at(910_000))
  }

  @Test func anUnansweredRequestIsFollowedByTheNext() throws {
    var clock = fresh()
    for _ in 0..<100 {
      let due = try #require(clock.nextRequest(activeUntil: .distantFuture))
      #expect(clock.takeRequest(now: due, activeUntil: .distantFuture) != nil)
    }
    let due = try #require(clock.nextRequest(activeUntil: .distantFuture))
    let reading = try ask(&clock, due)
    #expect(clock.onAnswer(echo: reading, received: 5, delay: 0, now: due + .milliseconds(20)) == .accepted)
  }

  @Test func aNewPathIsAskedAtOnce() {
    var clock = fresh()
    for i in 0..<2 as Range<Int64> { _ = clock.takeRequest(now: at(250 * i), activeUntil: .distantFuture) }
    #expect(clock.nextRequest(activeUntil: .distantFuture) == at(10_250))
    clock.reset(now: at(3000))
    #expect(clock.nextRequest(activeUntil: .distantFuture) == at(3000))
    for i in 0..<2 as Range<Int64> {
      #expect(clock.takeRequest(now: at(3000 + 250 * i), activeUntil: .distantFuture) != nil)
    }
    #expect(clock.nextRequest(activeUntil: .distantFuture) == at(13_250))
  }

  @Test func aClockThatStartedAnewIsAskedSomeMore() throws {
    var clock = fresh()
    let outcomes: [PeerClock.AnswerOutcome] = [.accepted, .doubted, .startedAnew]
    for (i, outcome) in outcomes.enumerated() {
      let now = at(20_000 * Int64(i))
      let received = outcome == .accepted ? 0 : UInt64(1 << 50 + i * 20_000_000)
      let reading = try ask(&clock, now)
      #expect(clock.onAnswer(echo: reading, received: received, delay: 0, now: now) == outcome)
    }
    for i in 0..<2 as Range<Int64> { _ = try ask(&clock, at(40_000 + 250 * i)) }
    #expect(clock.nextRequest(activeUntil: .distantFuture) == at(50_250))
  }

  // MARK: Answering

  @Test func theNewestRequestIsAnsweredOnce() throws {
    var clock = fresh()
    #expect(!clock.owesAnswer && clock.takeAnswer(now: at(1)) == nil)
    clock.onRequest(11, now: at(10))
    clock.onRequest(.max, now: at(20))
    #expect(clock.owesAnswer)
    let newest = clock.takeAnswer(now: at(26))
    let answer = try #require(newest)
    #expect(answer == (.max, clock.local.microseconds(at(20)), 6000))
    #expect(!clock.owesAnswer && clock.takeAnswer(now: at(27)) == nil)
    // Time that goes backwards would make a delay that does not fit the wire.
    clock.onRequest(12, now: at(30))
    #expect(clock.takeAnswer(now: at(29))?.delay == 0)
  }

  // MARK: Hostile answers

  @Test func onlyWhatWasAskedLatelyIsAnswered() throws {
    var clock = fresh()
    let first = try ask(&clock, at(0))
    #expect(clock.onAnswer(echo: first + 1, received: 0, delay: 0, now: at(10)) == .unsolicited)
    #expect(!clock.hasSample)
    #expect(clock.onAnswer(echo: first, received: 0, delay: 0, now: at(10)) == .accepted)
    // Once, and no second time with a better round trip.
    #expect(clock.onAnswer(echo: first, received: 0, delay: 9000, now: at(10)) == .unsolicited)
    // Too late to say anything.
    let second = try ask(&clock, at(250))
    #expect(clock.onAnswer(echo: second, received: 0, delay: 0, now: at(30_251)) == .unsolicited)
    // Before it was asked.
    let third = try ask(&clock, at(40_000))
    #expect(clock.onAnswer(echo: third, received: 0, delay: 0, now: at(39_000)) == .unsolicited)
    #expect(clock.ignoredAnswers == 4)
  }

  @Test func requestsOfLongAgoAreForgotten() throws {
    var clock = fresh()
    var readings: [UInt64] = []
    for i in 0..<9 as Range<Int64> {
      clock.reset(now: at(i))
      readings.append(try ask(&clock, at(i)))
    }
    #expect(clock.onAnswer(echo: readings[0], received: 0, delay: 0, now: at(50)) == .unsolicited)
    #expect(clock.onAnswer(echo: readings[1], received: 0, delay: 0, now: at(50)) == .accepted)
    #expect(clock.onAnswer(echo: readings[8], received: 7000, delay: 0, now: at(50)) == .accepted)
  }

  @Test(arguments: [50_001, 1 << 62, UInt64.max - 1, UInt64.max])
  func nobodyWaitsLongerThanTheWholeTrip(delay: UInt64) throws {
    var clock = fresh()
    let reading = try ask(&clock, at(0))
    #expect(clock.onAnswer(echo: reading, received: 1 << 40, delay: delay, now: at(50)) == .impossible)
    #expect(!clock.hasSample && clock.ignoredAnswers == 1)
    let next = try ask(&clock, at(250))
    #expect(clock.onAnswer(echo: next, received: 1 << 40, delay: 50_000, now: at(300)) == .accepted)
    #expect(clock.peerMicroseconds(at(300)) == 1 << 40 + 50_000)
  }

  @Test("A peer's clock may wrap: ages count on through 0", arguments: [0, 1, 500, 999_999, 30_000_000] as [UInt64])
  func peersClockWraps(before: UInt64) throws {
    var clock = fresh()
    let reading = try ask(&clock, at(0))
    #expect(clock.onAnswer(echo: reading, received: 0 &- before, delay: 0, now: at(20)) == .accepted)
    for i in 0..<100 as Range<Int64> {
      let now = at(20 + 500 * i)
      let expected = UInt64(10_000 + 500_000 * i) &- before
      #expect(clock.peerMicroseconds(now) == expected)
      let found = try #require(clock.localInstant(ofPeer24: UInt32(expected / 1000 & 0xff_ffff), now: now))
      #expect(found <= now && now - found <= .milliseconds(1))
    }
  }

  @Test("Whatever comes, nothing traps, and no message is from the future", arguments: ReliabilityRandom.seeds)
  func noise(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var clock = PeerClock(local: LocalClock(random: random.next()), now: at(0))
    var now = at(0)
    var seen: Set<PeerClock.AnswerOutcome> = []
    func odd(_ random: inout SeededRandom) -> UInt64 { random.next() >> (random.next() % 64) &- random.next() % 2 }
    for _ in 0..<20_000 {
      now = now + random.duration(below: random.chance(0.01) ? .seconds(3_000_000) : .milliseconds(400))
      if random.chance(0.1) { clock.reset(now: now) }
      let asked = clock.takeRequest(now: now, activeUntil: .distantFuture)
      let answered = now + random.duration(below: .milliseconds(300))
      let lie = random.chance(0.5) ? odd(&random) : clock.peerMicroseconds(now) ?? 0
      seen.insert(
        clock.onAnswer(
          echo: asked ?? odd(&random), received: lie, delay: random.chance(0.9) ? 0 : odd(&random), now: answered))
      now = answered
      if let found = clock.localInstant(ofPeer24: UInt32(truncatingIfNeeded: odd(&random)), now: now) {
        let bound = try #require(clock.errorBound(at: found))
        #expect(found <= now && bound > .zero)
      }
      if let skew = clock.skewPartsPerMillion { #expect(abs(skew) <= 500) }
    }
    #expect(seen == [.accepted, .doubted, .startedAnew, .unsolicited, .impossible])
    for moment in [Instant(nanoseconds: .min), .distantFuture] {
      _ = clock.localInstant(ofPeer24: 1, now: moment)
      #expect(clock.errorBound(at: moment) != nil)
    }
  }
}
