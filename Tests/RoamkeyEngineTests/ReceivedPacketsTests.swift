import RoamkeyEngine
import RoamkeySimulator
import Testing

@Suite("What to acknowledge, RFC 9000 §13.2")
struct ReceivedPacketsTests {
  private func fresh(threshold: Int = 2) -> ReceivedPackets {
    ReceivedPackets(maximumAckDelay: .milliseconds(25), ackElicitingThreshold: threshold)
  }

  private func ranges(_ received: ReceivedPackets) -> [ClosedRange<UInt64>] {
    (0..<received.rangeCount).map { received.range($0) }
  }

  @Test("RFC 9000 §13.2.2: one packet waits for the timer, the second is acknowledged at once")
  func everySecond() {
    var received = fresh()
    received.record(0, ackEliciting: true, now: at(100))
    #expect(received.hasUnreported)
    #expect(received.ackTimer == at(125))
    #expect(!received.isAckDue(now: at(124)))
    #expect(received.isAckDue(now: at(125)))
    received.record(1, ackEliciting: true, now: at(110))
    #expect(received.isAckDue(now: at(110)))
    #expect(received.ackDelay(now: at(117)) == .milliseconds(7))
    received.ackSent(isAlone: false, now: at(0))
    #expect(received.ackTimer == nil && !received.hasUnreported)
    #expect(ranges(received) == [0...1])
  }

  @Test("RFC 9000 §13.2.1: a gap and what fills it are acknowledged at once")
  func outOfOrder() {
    var received = fresh(threshold: 10)
    received.record(0, ackEliciting: true, now: at(0))
    #expect(!received.isAckDue(now: at(0)))
    received.record(2, ackEliciting: true, now: at(1))
    #expect(received.isAckDue(now: at(1)))
    #expect(ranges(received) == [2...2, 0...0])
    received.ackSent(isAlone: false, now: at(0))
    received.record(1, ackEliciting: true, now: at(2))
    #expect(received.isAckDue(now: at(2)))
    #expect(ranges(received) == [0...2])
    received.ackSent(isAlone: false, now: at(0))
    received.record(3, ackEliciting: true, now: at(3))
    #expect(!received.isAckDue(now: at(3)))
  }

  @Test("RFC 9000 §13.2.1: a bare acknowledgement asks for none, and hides no gap")
  func quietPackets() {
    var received = fresh(threshold: 10)
    received.record(0, ackEliciting: false, now: at(0))
    #expect(received.ackTimer == nil && !received.hasUnreported)
    received.record(2, ackEliciting: false, now: at(1))
    #expect(received.ackTimer == nil)
    received.record(3, ackEliciting: true, now: at(2))
    #expect(received.isAckDue(now: at(2)))
    received.ackSent(isAlone: false, now: at(0))
    for number in 4..<20 as Range<UInt64> { received.record(number, ackEliciting: false, now: at(3)) }
    #expect(received.hasUnreported && received.ackTimer == nil)
  }

  @Test("RFC 9000 §13.2.5: the delay counts from the arrival of the highest number")
  func delay() {
    var received = fresh()
    received.record(5, ackEliciting: true, now: at(10))
    received.record(4, ackEliciting: true, now: at(30))
    #expect(received.ackDelay(now: at(35)) == .milliseconds(25))
    #expect(received.ackDelay(now: at(5)) == .zero)
  }

  @Test("RFC 9000 §13.2.4: what was reported is forgotten, the highest and the unreported stay")
  func forgetting() {
    var received = fresh()
    for number in [0, 1, 2, 5, 6] as [UInt64] { received.record(number, ackEliciting: true, now: at(0)) }
    received.ackSent(isAlone: false, now: at(0))
    received.forget(through: 6)
    #expect(ranges(received) == [6...6])
    received.record(7, ackEliciting: true, now: at(1))
    #expect(!received.isAckDue(now: at(1)))
    received.record(3, ackEliciting: true, now: at(2))
    received.forget(through: 7)
    #expect(ranges(received) == [6...7, 3...3])
    received.ackSent(isAlone: false, now: at(0))
    received.forget(through: .max)
    #expect(ranges(received) == [7...7])
  }

  @Test("Forgotten bare acknowledgements leave no false gap")
  func forgottenIsNotMissing() {
    var received = fresh(threshold: 10)
    received.record(0, ackEliciting: true, now: at(0))
    for number in 1...4 as ClosedRange<UInt64> { received.record(number, ackEliciting: false, now: at(0)) }
    received.ackSent(isAlone: false, now: at(0))
    received.forget(through: 4)
    received.record(5, ackEliciting: true, now: at(1))
    #expect(!received.isAckDue(now: at(1)))
  }

  @Test("Bounded: every other number, upwards and downwards, never needs more than 32 ranges")
  func alternating() {
    var up = fresh()
    var down = fresh()
    for i in 0..<100_000 as Range<UInt64> {
      up.record(2 * i, ackEliciting: true, now: at(0))
      down.record(1_000_000 - 2 * i, ackEliciting: true, now: at(0))
    }
    #expect(up.rangeCount == ReceivedPackets.maximumRanges)
    #expect(up.range(0) == 199_998...199_998)
    #expect(down.rangeCount == ReceivedPackets.maximumRanges)
    #expect(down.range(31) == 999_938...999_938)
    up.record(.max, ackEliciting: true, now: at(0))
    #expect(up.largest == 199_998)
  }

  @Test("Agrees with a set of numbers", arguments: ReliabilityRandom.seeds)
  func model(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var received = fresh()
    var known: Set<UInt64> = []
    var highest: UInt64 = 0
    for _ in 0..<3000 {
      let jump = random.next() % 8 == 0 ? random.next() % 40 : random.next() % 3
      let number = random.next() % 3 == 0 ? highest - min(highest, random.next() % 50) : highest + jump
      received.record(number, ackEliciting: random.next() % 2 == 0, now: at(0))
      known.insert(number)
      highest = max(highest, number)
      if random.next() % 20 == 0 { received.ackSent(isAlone: false, now: at(0)) }
      let expected = newestRanges(of: known, limit: ReceivedPackets.maximumRanges)
      #expect(ranges(received) == expected)
      // The oldest ranges are forgotten for good, so the model forgets them as well.
      if let floor = expected.last?.lowerBound { known = known.filter { $0 >= floor } }
    }
  }

  private func newestRanges(of known: Set<UInt64>, limit: Int) -> [ClosedRange<UInt64>] {
    var ranges: [ClosedRange<UInt64>] = []
    for number in known.sorted(by: >) {
      if let last = ranges.last, last.lowerBound == number + 1 {
        ranges[ranges.count - 1] = number...last.upperBound
      } else if ranges.count < limit {
        ranges.append(number...number)
      } else {
        break
      }
    }
    return ranges
  }
}
