import RoamkeyEngine
import RoamkeySimulator
import Testing

/// Seeds of random runs: a failing run is repeated by its seed, which the test's argument shows.
enum ReliabilityRandom {
  /// A few that stay, and one that is new in every run.
  static let seeds: [UInt64] = [1, 2, 3, 5, 8, 13, 21, UInt64.random(in: 1000...UInt64.max)]
}

/// A moment so many milliseconds after the start.
func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

@Suite("RTT, RFC 9002 §5 and §6.2.1")
struct RTTEstimatorTests {
  @Test("RFC 9002 §6.2.2: 333 ms before the first sample, so a PTO of 999 ms")
  func initial() {
    let rtt = RTTEstimator()
    #expect(!rtt.hasSample)
    #expect(rtt.smoothed == .milliseconds(333))
    #expect(rtt.variation == .microseconds(166_500))
    #expect(rtt.probeTimeout(maximumAckDelay: .zero) == .milliseconds(999))
    #expect(rtt.lossDelay == .microseconds(374_625))
  }

  @Test("RFC 9002 §5.3: the first sample sets all, its delay is ignored")
  func firstSample() {
    var rtt = RTTEstimator()
    rtt.update(latest: .milliseconds(80), ackDelay: .milliseconds(20), maximumAckDelay: .milliseconds(25))
    #expect(rtt.hasSample)
    #expect(rtt.smoothed == .milliseconds(80))
    #expect(rtt.variation == .milliseconds(40))
    #expect(rtt.minimum == .milliseconds(80))
    #expect(rtt.probeTimeout(maximumAckDelay: .milliseconds(25)) == .milliseconds(80 + 160 + 25))
  }

  @Test("RFC 9002 §5.3: later samples, less the acknowledgement delay")
  func laterSamples() {
    var rtt = RTTEstimator()
    rtt.update(latest: .milliseconds(80), ackDelay: .zero, maximumAckDelay: .milliseconds(25))
    rtt.update(latest: .milliseconds(136), ackDelay: .milliseconds(16), maximumAckDelay: .milliseconds(25))
    #expect(rtt.latest == .milliseconds(136))
    #expect(rtt.minimum == .milliseconds(80))
    #expect(rtt.variation == .milliseconds(40))  // (3 * 40 + |80 - 120|) / 4
    #expect(rtt.smoothed == .milliseconds(85))  // (7 * 80 + 120) / 8
  }

  @Test("RFC 9002 §5.3: a peer cannot talk the RTT below the minimum, nor claim more delay than promised")
  func lyingAckDelay() {
    var rtt = RTTEstimator()
    rtt.update(latest: .milliseconds(80), ackDelay: .zero, maximumAckDelay: .milliseconds(25))
    rtt.update(latest: .milliseconds(96), ackDelay: .milliseconds(20), maximumAckDelay: .milliseconds(25))
    #expect(rtt.smoothed == .milliseconds(82))  // 96 - 20 would be below 80: taken whole
    rtt.update(latest: .milliseconds(202), ackDelay: .seconds(3600), maximumAckDelay: .milliseconds(40))
    #expect(rtt.smoothed == .milliseconds(92))  // (7 * 82 + 162) / 8
  }

  @Test("Extreme samples neither trap nor go negative; RFC 9002 §5.2: the minimum starts anew")
  func extremes() {
    var rtt = RTTEstimator()
    rtt.update(latest: .seconds(-5), ackDelay: .zero, maximumAckDelay: .zero)
    #expect(rtt.latest == .zero)
    #expect(rtt.probeTimeout(maximumAckDelay: .zero) == RTTEstimator.granularity)
    #expect(rtt.lossDelay == RTTEstimator.granularity)
    for _ in 0..<50 { rtt.update(latest: .seconds(Int64.max), ackDelay: .seconds(Int64.max), maximumAckDelay: .zero) }
    #expect(rtt.smoothed <= RTTEstimator.longest && rtt.lossDelay <= RTTEstimator.longest * 9 / 8)
    rtt.onPersistentCongestion()
    #expect(rtt.minimum == rtt.latest)
    rtt.reset()
    #expect(!rtt.hasSample && rtt.smoothed == .milliseconds(333))
  }
}
