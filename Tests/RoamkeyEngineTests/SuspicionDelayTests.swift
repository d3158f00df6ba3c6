import RoamkeyEngine
import Testing

@Suite("When an acknowledgement is overdue")
struct SuspicionDelayTests {
  private func measured(_ milliseconds: Int64) -> RTTEstimator {
    var rtt = RTTEstimator()
    for _ in 0..<100 {
      rtt.update(latest: .milliseconds(milliseconds), ackDelay: .zero, maximumAckDelay: .milliseconds(25))
    }
    return rtt
  }

  @Test("Smoothed RTT + four times the variation, at least 1 ms, + the peer's delay")
  func formula() {
    var rtt = RTTEstimator()
    rtt.update(latest: .milliseconds(80), ackDelay: .zero, maximumAckDelay: .milliseconds(25))
    #expect(rtt.suspicionDelay(peerAckDelay: .zero) == .milliseconds(80 + 4 * 40))
    #expect(rtt.suspicionDelay(peerAckDelay: .milliseconds(7)) == .milliseconds(80 + 4 * 40 + 7))
    // Steady: the variation has sunk to nothing.
    let steady = measured(80)
    #expect(steady.suspicionDelay(peerAckDelay: .zero) == .milliseconds(83))
  }

  @Test("Extreme delays do not trap")
  func extremes() {
    #expect(measured(80).suspicionDelay(peerAckDelay: .seconds(Int64.min)) == .milliseconds(83))
    #expect(measured(80).suspicionDelay(peerAckDelay: .seconds(Int64.max)) > .seconds(60))
  }

  @Test("Before the peer has answered its promise is believed")
  func initial() {
    #expect(AckDelayTracker(maximumAckDelay: .milliseconds(25)).delay == .milliseconds(25))
    #expect(AckDelayTracker(maximumAckDelay: .seconds(-1)).delay == .zero)
  }

  @Test("A peer that answers at once: below 1 ms within eight acknowledgements, and 0 in the end")
  func sinks() {
    var tracker = AckDelayTracker(maximumAckDelay: .milliseconds(25))
    var last = tracker.delay
    for _ in 0..<8 {
      tracker.onAck(reported: .zero)
      #expect(tracker.delay < last)
      last = tracker.delay
    }
    #expect(tracker.delay < .milliseconds(1))
    let patience = measured(80).suspicionDelay(peerAckDelay: tracker.delay)
    #expect(patience < .milliseconds(84), "about one RTT and the slack")
    for _ in 0..<40 { tracker.onAck(reported: .zero) }
    #expect(tracker.delay == .zero)
  }

  @Test("A longer delay counts at once, a shorter one only after a while")
  func rises() {
    var tracker = AckDelayTracker(maximumAckDelay: .milliseconds(25))
    for _ in 0..<40 { tracker.onAck(reported: .milliseconds(2)) }
    #expect(tracker.delay == .milliseconds(2))
    tracker.onAck(reported: .milliseconds(24))
    #expect(tracker.delay == .milliseconds(24))
    tracker.onAck(reported: .milliseconds(2))
    #expect(tracker.delay == .milliseconds(15))
  }

  @Test("What a peer claims beyond its promise, or below nothing, is cut")
  func lies() {
    var tracker = AckDelayTracker(maximumAckDelay: .milliseconds(25))
    for claim in [Duration.seconds(60), .seconds(Int64.max)] {
      tracker.onAck(reported: claim)
      #expect(tracker.delay == .milliseconds(25))
    }
    for _ in 0..<60 { tracker.onAck(reported: .seconds(Int64.min)) }
    #expect(tracker.delay == .zero)
  }
}
