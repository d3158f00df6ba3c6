import RoamkeySimulator
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §10.7: what one sample says, which of several counts, and what they say of the clocks' speeds.
struct ClockFilterTests {
  private static let second: UInt64 = 1_000_000
  /// Where a stretch of 64 s begins.
  private static let ourStart: UInt64 = 64_000_000 << 30
  private static let theirStart: UInt64 = 42

  /// A sample that is `seconds` after the start and wrong by so much; the peer's clock gains `partsPerMillion`.
  private func sample(
    _ seconds: UInt64, roundTrip: UInt64, wrong: Int64 = 0, partsPerMillion: UInt64 = 0
  ) throws -> ClockSample {
    let elapsed = seconds * Self.second
    let shown = Self.theirStart &+ elapsed + seconds * partsPerMillion
    return try #require(
      ClockSample(
        elapsed: roundTrip, received: shown &- roundTrip / 2 &+ UInt64(bitPattern: wrong), delay: 0,
        local: Self.ourStart + elapsed))
  }

  private func error(_ filter: ClockFilter, at seconds: UInt64) throws -> Int64 {
    try #require(filter.error(at: Self.ourStart + seconds * Self.second))
  }

  // MARK: One sample

  @Test("RFC 5905 §8: the middle between what must have passed and what cannot have")
  func formula() throws {
    // T1 = 1000, T2 = 70,000, T3 = 70,300, T4 = 1500: offset 68,900 and delay 200 by the formulas there.
    let sample = try #require(ClockSample(elapsed: 500, received: 70_000, delay: 300, local: 1500))
    #expect(sample.peer == 1500 + 68_900)
    #expect(sample.error >= 100 && sample.error < 110)
    #expect(ClockSample(elapsed: 500, received: 70_000, delay: 501, local: 1500) == nil)
    #expect(ClockSample(elapsed: 500, received: 70_000, delay: 500, local: 1500) != nil)
    #expect(ClockSample(elapsed: .max, received: 0, delay: 0, local: 1500) == nil)
  }

  /// Delays of nanoseconds, so that nothing but the rounding of the readings is left.
  @Test("Whole microseconds are less than the truth, four times", arguments: ReliabilityRandom.seeds)
  func rounding(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var worst: UInt64 = 0
    for _ in 0..<2000 {
      var time = Int64(random.next() >> 8)
      let offset = Int64(random.next() >> 8)
      func ours() -> UInt64 { UInt64(time / 1000) }
      func theirs() -> UInt64 { UInt64((time + offset) / 1000) }
      let sent = ours()
      time += Int64.random(in: 0...2000, using: &random)
      let received = theirs()
      time += Int64.random(in: 0...5000, using: &random)
      let delay = theirs() - received
      time += Int64.random(in: 0...2000, using: &random)
      guard let sample = ClockSample(elapsed: ours() - sent, received: received, delay: delay, local: ours()) else {
        continue
      }
      let wrong = Int64(bitPattern: sample.peer &- theirs()).magnitude
      worst = max(worst, wrong)
      #expect(wrong <= UInt64(sample.error))
    }
    #expect(worst >= 2)
  }

  /// The peer's clock is the faster one, and it keeps the request for long: by ours the trip seems the shorter.
  @Test("What the clocks drift apart during the exchange counts as well", arguments: [-500, -400, 400, 500] as [Int64])
  func driftDuringTheExchange(partsPerMillion: Int64) throws {
    for (there, back) in [(10_000, 0), (0, 10_000)] as [(Int64, Int64)] {
      let held: Int64 = 9_990_000
      func theirs(_ time: Int64) -> UInt64 { UInt64(time + time * partsPerMillion / 1_000_000) }
      let sample = try #require(
        ClockSample(
          elapsed: UInt64(there + held + back), received: theirs(there), delay: theirs(there + held) - theirs(there),
          local: UInt64(there + held + back)))
      let wrong = Int64(bitPattern: sample.peer &- theirs(there + held + back)).magnitude
      #expect(wrong <= UInt64(sample.error), "\(there) there, \(back) back")
    }
  }

  // MARK: Which one counts

  @Test("RFC 5905 §10: the shortest round trip counts, until its age outweighs it")
  func shortestRoundTrip() throws {
    var filter = ClockFilter()
    #expect(filter.insert(try sample(0, roundTrip: 10_000, wrong: 1000)) == .accepted)
    #expect(filter.insert(try sample(1, roundTrip: 60_000, wrong: 20_000)) == .accepted)
    #expect(try #require(filter.reading(at: Self.ourStart)) == Self.theirStart + 1000)
    // At 500 ppm the first one's 5 ms have become 30 ms after 50 s.
    #expect(filter.insert(try sample(49, roundTrip: 60_000, wrong: 20_000)) == .accepted)
    #expect(try #require(filter.reading(at: Self.ourStart)) == Self.theirStart + 1000)
    #expect(filter.insert(try sample(51, roundTrip: 60_000, wrong: 20_000)) == .accepted)
    #expect(try #require(filter.reading(at: Self.ourStart)) != Self.theirStart + 1000)
  }

  @Test("The one that counted stays in the running, though its stretch of time has one of a shorter trip")
  func theBestStays() throws {
    var filter = ClockFilter()
    for next in [try sample(0, roundTrip: 2000), try sample(29, roundTrip: 2400), try sample(30, roundTrip: 200_000)] {
      #expect(filter.insert(next) == .accepted)
    }
    #expect(try error(filter, at: 30) < 2000)
  }

  // MARK: The speed

  @Test("Samples less than 30 s apart say nothing of the speed")
  func shortBaseline() throws {
    var filter = ClockFilter()
    #expect(filter.insert(try sample(50, roundTrip: 200)) == .accepted)
    #expect(filter.insert(try sample(79, roundTrip: 200)) == .accepted)
    #expect(!filter.isSkewKnown && filter.skewError == .maximum)
    #expect(filter.insert(try sample(80, roundTrip: 180)) == .accepted)
    #expect(filter.isSkewKnown && filter.skewError < .maximum)
  }

  @Test("The best of each stretch is kept for it: a poor one takes no good one's place")
  func bestOfEachStretch() throws {
    var filter = ClockFilter()
    #expect(filter.insert(try sample(0, roundTrip: 1000)) == .accepted)
    #expect(filter.insert(try sample(20, roundTrip: 100_000, wrong: 30_000)) == .accepted)
    #expect(filter.insert(try sample(70, roundTrip: 1000, partsPerMillion: 90)) == .accepted)
    #expect(abs(filter.skew.partsPerBillion - 90_000) < 20_000)
    #expect(filter.skewError.partsPerBillion == 200_000)
  }

  @Test("Samples of long ago are no longer compared, but what they said is not forgotten")
  func window() throws {
    var fresh = ClockFilter()
    #expect(fresh.insert(try sample(0, roundTrip: 200)) == .accepted)
    #expect(fresh.insert(try sample(1000, roundTrip: 200)) == .accepted)
    #expect(!fresh.isSkewKnown)

    var filter = ClockFilter()
    for i in 0..<8 as Range<UInt64> {
      #expect(filter.insert(try sample(64 * i, roundTrip: 2000, partsPerMillion: 300)) == .accepted)
    }
    let skew = filter.skew
    #expect(abs(skew.partsPerBillion - 300_000) < 10_000)
    #expect(filter.insert(try sample(3000, roundTrip: 200_000, partsPerMillion: 300)) == .accepted)
    #expect(filter.insert(try sample(3040, roundTrip: 200_000, partsPerMillion: 300)) == .accepted)
    #expect(abs(filter.skew.partsPerBillion - skew.partsPerBillion) < 1000)
    #expect(filter.skewError.partsPerBillion <= 201_000)
  }

  @Test("A clock that changes its speed is followed")
  func changeOfSpeed() throws {
    var filter = ClockFilter()
    for i in 0..<60 as Range<UInt64> {
      #expect(filter.insert(try sample(10 * i, roundTrip: 4000, partsPerMillion: 100)) == .accepted)
    }
    // From 600 s on it gains 40 ppm instead of 100.
    for i in 60..<200 as Range<UInt64> {
      let lag = -Int64(10 * i - 600) * 60
      #expect(filter.insert(try sample(10 * i, roundTrip: 4000, wrong: lag, partsPerMillion: 100)) == .accepted)
    }
    #expect(abs(filter.skew.partsPerBillion - 40_000) < 10_000, "\(filter.skew)")
  }

  @Test("A clock that is off by more than any should be is still followed, anew again and again")
  func madClock() throws {
    var filter = ClockFilter()
    var startedAnew = 0
    for i in 0..<1000 as Range<UInt64> {
      if filter.insert(try sample(10 * i, roundTrip: 1000, partsPerMillion: 20_000)) == .startedAnew {
        startedAnew += 1
      }
      #expect(filter.skew <= .maximum)
    }
    #expect(startedAnew > 300)
  }

  @Test("Rates: what is gained, and the other clock's view")
  func rates() {
    let fast = ClockRate(partsPerBillion: 500_000)
    #expect(fast.gain(over: 3_000_001) == 1500)
    #expect(fast.gain(over: -3_000_000) == -1500)
    #expect(fast.gain(over: .max) > 0 && fast.gain(over: .min) < 0)
    #expect(fast.inverse == ClockRate(partsPerBillion: -499_750))
    #expect(ClockRate(partsPerBillion: -500_000).inverse == ClockRate(partsPerBillion: 500_250))
    #expect(ClockRate(gain: 64, over: 1_000_000) == ClockRate(partsPerBillion: 64_000))
    #expect(ClockRate(gain: .max, over: 1) == .maximum)
    #expect(ClockRate(gain: .min, over: .max) >= ClockRate(partsPerBillion: -500_000))
  }
}
