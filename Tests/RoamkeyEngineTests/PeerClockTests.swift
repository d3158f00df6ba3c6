import RoamkeySimulator
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §10.7: what the peer's clock shows, over simulated hours.
struct PeerClockTests {
  typealias Way = TwoClocks.Way

  struct Story: Sendable, CustomStringConvertible {
    let seed: UInt64
    let ours: Int64
    let theirs: Int64
    let there: Int64
    let back: Int64
    let jitter: Int64
    var description: String { "seed \(seed), \(ours)/\(theirs) ppm, \(there)/\(back) ms, jitter \(jitter) ms" }

    /// No way takes less than 10 microseconds.
    var clocks: TwoClocks {
      TwoClocks(
        seed: seed, partsPerMillion: (ours, theirs),
        there: Way(least: there * 1_000_000 + 10_000, jitter: jitter * 1_000_000),
        back: Way(least: back * 1_000_000 + 10_000, jitter: jitter * 1_000_000))
    }
  }

  /// Paths from a cable to a satellite, lopsided ones too; each kind of drift.
  static let stories: [Story] = ReliabilityRandom.seeds.suffix(4).enumerated().flatMap { i, seed in
    [
      Story(seed: seed, ours: 0, theirs: 0, there: 0, back: 0, jitter: 0),
      Story(seed: seed, ours: 0, theirs: 300, there: 10, back: 10, jitter: 5),
      Story(seed: seed, ours: 300, theirs: 0, there: 1, back: 1, jitter: 1),
      Story(seed: seed, ours: -240, theirs: 240, there: 5, back: 95, jitter: 200),
      Story(seed: seed, ours: 20, theirs: -30, there: 300, back: 20, jitter: Int64(i) * 100),
    ]
  }

  @Test("The truth is always inside of the bound, for hours, with losses and long silences", arguments: stories)
  func truthIsInside(story: Story) throws {
    var clocks = story.clocks
    clocks.loss = 0.2
    clocks.run(for: .seconds(2))
    for round in 0..<600 {
      // One round in twenty the session is quiet, for up to half an hour.
      let isQuiet = round % 20 == 19
      clocks.activeUntil = isQuiet ? clocks.now : .distantFuture
      clocks.run(for: clocks.random.duration(below: isQuiet ? .seconds(1800) : .seconds(60)))
      guard clocks.us.hasSample else { continue }
      let mistake = try #require(clocks.mistake)
      let bound = try #require(clocks.bound)
      try #require(abs(mistake) <= bound, "round \(round): off by \(mistake) us, bound \(bound) us")
    }
    let strange = clocks.outcomes.filter { $0 != .accepted }
    #expect(clocks.outcomes.count > 500 && strange == [], "\(clocks.outcomes.count) answers")
  }

  /// Messages of every age up to the limit of 24 bits, through several rounds of these.
  @Test("The age of a message is right to within the bound and a millisecond", arguments: stories)
  func ages(story: Story) throws {
    var clocks = story.clocks
    clocks.run(for: .seconds(2))
    var messages: [(milliseconds: UInt32, sent: Instant)] = []
    var oldest: Duration = .zero
    for _ in 0..<1200 {
      clocks.run(for: clocks.random.duration(below: .seconds(60)))
      messages.append((clocks.them.local.milliseconds24(clocks.theirs.show(clocks.time)), clocks.now))
      if clocks.random.chance(0.8) { clocks.run(for: clocks.random.duration(below: .milliseconds(200))) }
      let now = clocks.now
      messages.removeAll { now - $0.sent > .seconds(16_700) }
      for message in [messages.first, messages.randomElement(using: &clocks.random), messages.last] {
        guard let message, let found = clocks.us.localInstant(ofPeer24: message.milliseconds, now: now) else {
          continue
        }
        let bound = try #require(clocks.us.errorBound(at: found)) + .milliseconds(1)
        let age = now - message.sent
        oldest = max(oldest, age)
        #expect(found <= now)
        try #require(abs(found.nanoseconds - message.sent.nanoseconds) <= bound.inNanoseconds, "age \(age)")
      }
    }
    #expect(oldest > .seconds(16_000), "\(oldest)")
  }

  /// Nothing is known of the speeds yet, and each clock is as wrong as it may be.
  @Test("An old message, and clocks that were never compared before", arguments: [-500, 500] as [Int64])
  func oldMessage(partsPerMillion: Int64) throws {
    var clocks = TwoClocks(seed: 10, partsPerMillion: (0, partsPerMillion), milliseconds: 1)
    clocks.holding = 0
    clocks.activeUntil = clocks.now
    clocks.run(for: .seconds(10))
    let sent = clocks.now
    let milliseconds = clocks.them.local.milliseconds24(clocks.theirs.show(clocks.time))
    clocks.run(for: .seconds(16_500))
    clocks.activeUntil = .distantFuture
    clocks.run(for: .milliseconds(100))
    let found = try #require(clocks.us.localInstant(ofPeer24: milliseconds, now: clocks.now))
    let bound = try #require(clocks.us.errorBound(at: found)) + .milliseconds(1)
    let mistake = abs(found.nanoseconds - sent.nanoseconds)
    #expect(mistake > 8_000_000_000 && mistake <= bound.inNanoseconds, "\(mistake) ns, bound \(bound)")
  }

  @Test("On a steady, even path the estimate is far better than its bound, and the bound is what a round trip leaves")
  func accuracy() throws {
    var clocks = TwoClocks(seed: 1, partsPerMillion: (0, 80), milliseconds: 20)
    clocks.run(for: .milliseconds(100))
    #expect(try abs(#require(clocks.mistake)) < 60)
    #expect(try #require(clocks.bound) < 10_200)
    #expect(clocks.us.skewPartsPerMillion == nil)
    clocks.run(for: .seconds(600))
    for _ in 0..<30 {
      clocks.run(for: .seconds(7))
      #expect(try abs(#require(clocks.mistake)) < 1000)
      #expect(try #require(clocks.bound) < 13_000)
    }
    // 20 ms over 448 s and more leave 45 ppm.
    #expect(try abs(#require(clocks.us.skewPartsPerMillion) - 80) < 45)
  }

  @Test("On a cable the speed of a clock is known to a millionth or two, and carries through a silence")
  func silence() throws {
    var clocks = TwoClocks(
      seed: 2, partsPerMillion: (-100, 150), there: Way(least: 1, jitter: 1), back: Way(least: 1, jitter: 1))
    clocks.holding = 0
    clocks.run(for: .seconds(600))
    #expect(try abs(#require(clocks.us.skewPartsPerMillion) - 250) < 2)
    clocks.activeUntil = clocks.now
    clocks.run(for: .seconds(3600))
    #expect(try abs(#require(clocks.mistake)) < 3600 * 2)
    #expect(try #require(clocks.bound) >= 3600 * 200)
    clocks.activeUntil = .distantFuture
    clocks.run(for: .seconds(1))
    #expect(try abs(#require(clocks.mistake)) < 300)
    #expect(try abs(#require(clocks.us.skewPartsPerMillion) - 250) < 2)
  }

  @Test(
    "A whole delay on one way is the worst case, and the bound knows it",
    arguments: [(0, 80), (80, 0)] as [(Int64, Int64)])
  func oneWay(there: Int64, back: Int64) throws {
    var clocks = TwoClocks(
      seed: 3, there: Way(least: there * 1_000_000, jitter: 0), back: Way(least: back * 1_000_000, jitter: 0))
    clocks.run(for: .milliseconds(200))
    let mistake = try #require(clocks.mistake)
    let bound = try #require(clocks.bound)
    #expect(abs(mistake) > 39_900 && abs(mistake) <= bound && bound < 40_300, "\(mistake), \(bound)")
    #expect((mistake > 0) == (there > back))
  }

  @Test("Nothing is known before the first answer")
  func ignorance() {
    let clock = PeerClock(local: LocalClock(random: 5), now: at(0))
    #expect(!clock.hasSample)
    #expect(clock.localInstant(ofPeer24: 7, now: at(9)) == nil)
    #expect(clock.errorBound(at: at(9)) == nil && clock.offset(at(9)) == nil && clock.skewPartsPerMillion == nil)
  }

  @Test("A time ahead of the clock is now, within the error; beyond it, it is of the round before")
  func future() throws {
    var clocks = TwoClocks(seed: 4, milliseconds: 50)
    clocks.run(for: .seconds(1))
    let bound = try #require(clocks.bound)
    let reading = try #require(clocks.us.peerMicroseconds(clocks.now))
    let latest = UInt32(truncatingIfNeeded: (reading &+ UInt64(bound)) / 1000) & 0xff_ffff
    #expect(clocks.us.localInstant(ofPeer24: latest, now: clocks.now) == clocks.now)
    let beyond = try #require(clocks.us.localInstant(ofPeer24: (latest &+ 3) & 0xff_ffff, now: clocks.now))
    #expect(clocks.now - beyond > .seconds(16_776))
    // Bits above the 24 are nobody's.
    #expect(clocks.us.localInstant(ofPeer24: latest | 0xff00_0000, now: clocks.now) == clocks.now)
  }

  // MARK: Clocks that stop and start

  @Test("Whoever was suspended: two answers later the estimate is a new one", arguments: [true, false])
  func suspended(us: Bool) throws {
    var clocks = TwoClocks(seed: 6, partsPerMillion: (10, -40), milliseconds: 30)
    clocks.run(for: .seconds(300))
    #expect(clocks.outcomes.allSatisfy { $0 == .accepted })
    clocks.forgetOutcomes()
    // It stopped for an hour of the other one's time.
    if us { clocks.ours.start -= 3_600_000_000_000 } else { clocks.theirs.start -= 3_600_000_000_000 }
    // Our next request waits for our clock; to be woken is to ask at once.
    clocks.us.reset(now: clocks.now)
    clocks.run(for: .seconds(1))
    #expect(clocks.outcomes.prefix(3) == [.doubted, .startedAnew, .accepted], "\(clocks.outcomes)")
    for _ in 0..<100 {
      clocks.run(for: .seconds(7))
      #expect(try abs(#require(clocks.mistake)) <= #require(clocks.bound))
    }
    #expect(clocks.outcomes.filter { $0 != .accepted }.count == 2)
  }

  @Test("A contradiction is looked into at once, not at the next turn")
  func doubtAsks() throws {
    var clocks = TwoClocks(seed: 7, milliseconds: 30)
    clocks.run(for: .seconds(60))
    clocks.theirs.start += 5_000_000_000
    clocks.forgetOutcomes()
    while clocks.outcomes.isEmpty { clocks.run(for: .milliseconds(10)) }
    #expect(clocks.outcomes == [.doubted])
    clocks.run(for: .milliseconds(350))
    #expect(clocks.outcomes.prefix(2) == [.doubted, .startedAnew])
    #expect(try abs(#require(clocks.mistake)) < 1000)
  }

  @Test("One wrong answer alone changes nothing")
  func oneWrongAnswer() throws {
    var clocks = TwoClocks(seed: 8, milliseconds: 30)
    for round in 0..<10 {
      clocks.run(for: .seconds(20))
      let offset = clocks.us.offset(clocks.now)
      clocks.us.reset(now: clocks.now)
      let taken = clocks.us.takeRequest(now: clocks.now, activeUntil: .distantFuture)
      let reading = try #require(taken)
      let outcome = clocks.us.onAnswer(echo: reading, received: UInt64(round), delay: 0, now: clocks.now)
      #expect(outcome == .doubted)
      #expect(clocks.us.offset(clocks.now) == offset)
    }
    clocks.run(for: .seconds(20))
    #expect(!clocks.outcomes.contains(.startedAnew))
  }

  @Test("Another path: longer round trips are taken, and what was known before still counts")
  func newPath() throws {
    var clocks = TwoClocks(seed: 9, partsPerMillion: (0, 100), milliseconds: 10)
    clocks.run(for: .seconds(120))
    let requests = clocks.requestCount
    clocks.forgetOutcomes()
    clocks.there = Way(least: 290_000_000, jitter: 50_000_000)
    clocks.back = Way(least: 10_000_000, jitter: 50_000_000)
    clocks.us.reset(now: clocks.now)
    clocks.run(for: .seconds(2))
    #expect(clocks.requestCount == requests + TimeRequests.burst)
    #expect(clocks.outcomes == Array(repeating: .accepted, count: TimeRequests.burst))
    // The path is lopsided by 280 ms; the samples of the old one keep the estimate from believing it.
    #expect(try abs(#require(clocks.mistake)) < 5000)
    for _ in 0..<500 {
      clocks.run(for: .seconds(7))
      #expect(try abs(#require(clocks.mistake)) <= #require(clocks.bound))
    }
    #expect(clocks.outcomes.allSatisfy { $0 == .accepted })
  }
}
