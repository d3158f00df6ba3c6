import RoamkeyEngine
import RoamkeySimulator
import Testing

@Suite("The measured share of lost packets")
struct LossMeterTests {
  @Test("Nothing lost, however much arrives: 0")
  func clean() {
    var meter = LossMeter()
    meter.onAcked(packets: 1_000_000)
    #expect(meter.rate == 0 && meter.share == 0 && !meter.isLossy)
  }

  @Test("One loss in the first packets switches it on: 1/64")
  func firstLoss() {
    var meter = LossMeter()
    meter.onAcked(packets: 3)
    meter.onLost(packets: 1)
    #expect(meter.rate == 1024 && meter.share == 1.0 / 64)
    #expect(meter.isLossy)
  }

  @Test("Off below 0.25 %: after 117 packets that arrive, not 116; one at a time or together")
  func hysteresis() {
    var meter = LossMeter()
    meter.onLost(packets: 1)
    for i in 1...116 {
      meter.onAcked(packets: 1)
      #expect(meter.isLossy, "\(i)")
    }
    #expect(meter.share < 0.01 && meter.share >= 0.0025)
    var together = LossMeter()
    together.onLost(packets: 1)
    together.onAcked(packets: 116)
    #expect(together.rate == meter.rate && together.isLossy)
    meter.onAcked(packets: 1)
    #expect(!meter.isLossy && meter.share < 0.0025 && meter.rate > 0)
  }

  @Test("It comes back to 0, and to 1, and never beyond")
  func ends() {
    var meter = LossMeter()
    meter.onLost(packets: 2000)
    #expect(meter.rate == 65_536 && meter.share == 1)
    meter.onAcked(packets: 2000)
    #expect(meter.share == 0)
  }

  @Test("A loss that was none is taken back whole when nothing came in between")
  func spurious() {
    var meter = LossMeter()
    meter.onLost(packets: 1)
    meter.onSpurious(packets: 1)
    #expect(meter.share == 0 && !meter.isLossy)
    // Against the same packets counted right: one lost, two arrived.
    var right = LossMeter()
    right.onLost(packets: 1)
    right.onAcked(packets: 1)
    meter.onLost(packets: 2)
    meter.onSpurious(packets: 1)
    #expect(abs(meter.share - right.share) < 1e-6)
  }

  @Test("Taken back late: as far as it can, not below 0, and only what is left of it switches off")
  func lateSpurious() {
    var meter = LossMeter()
    meter.onLost(packets: 1)
    meter.onAcked(packets: 50)
    meter.onSpurious(packets: 1)
    #expect(meter.share == 0 && !meter.isLossy)
    meter.onLost(packets: 4)
    meter.onSpurious(packets: 1)
    #expect(meter.isLossy)
  }

  @Test("Extreme counts neither trap nor take long")
  func extremes() {
    var meter = LossMeter()
    for packets in [Int.min, -1, 0] {
      meter.onAcked(packets: packets)
      meter.onLost(packets: packets)
      meter.onSpurious(packets: packets)
    }
    #expect(meter.share == 0)
    meter.onLost(packets: .max)
    #expect(meter.share == 1)
    meter.onSpurious(packets: .max)
    #expect(meter.share == 0)
    meter.onLost(packets: .max)
    meter.onAcked(packets: .max)
    #expect(meter.share == 0)
    meter.onLost(packets: 7)
    meter.reset()
    #expect(meter.share == 0 && !meter.isLossy)
  }

  @Test("Near the true share on average", arguments: ReliabilityRandom.seeds)
  func average(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for share in [0.01, 0.05, 0.2, 0.5] {
      var meter = LossMeter()
      var sum = 0.0
      for _ in 0..<50_000 {
        if random.chance(share) { meter.onLost(packets: 1) } else { meter.onAcked(packets: 1) }
        sum += meter.share
      }
      #expect(abs(sum / 50_000 - share) < 0.008, "seed \(seed), \(share)")
    }
  }
}
