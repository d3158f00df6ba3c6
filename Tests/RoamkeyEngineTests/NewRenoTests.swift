import RoamkeyEngine
import Testing

@Suite("NewReno, RFC 9002 §7")
struct NewRenoTests {
  @Test("RFC 9002 §7.2: the initial and the lowest window")
  func initialWindow() {
    #expect(NewReno(maximumDatagramSize: 1200).window == 12_000)
    #expect(NewReno(maximumDatagramSize: 1400).window == 14_000)
    #expect(NewReno(maximumDatagramSize: 1500).window == 14_720)
    #expect(NewReno(maximumDatagramSize: 9000).window == 18_000)
    #expect(NewReno(maximumDatagramSize: 1200).minimumWindow == 2400)
  }

  @Test("RFC 9002 §7.3.1: slow start doubles the window in a round trip")
  func slowStart() {
    var reno = NewReno()
    for _ in 0..<10 { acknowledge(&reno, 1200, sentAt: 0, now: 50) }
    #expect(reno.window == 24_000)
    #expect(reno.isInSlowStart)
  }

  @Test("RFC 9002 §7.8: an idle application earns no window")
  func applicationLimited() {
    var reno = NewReno()
    reno.onAcknowledged(bytes: 1200, sentAt: at(0), now: at(50), isApplicationLimited: true)
    #expect(reno.window == 12_000)
  }

  @Test("RFC 9002 §7.3.2, §7.3.3: one halving a round trip, then one packet a window")
  func trace() {
    var reno = NewReno()
    reno.onCongestion(newestLostSentAt: at(10), now: at(60), persistent: false)
    #expect(reno.window == 6000 && reno.slowStartThreshold == 6000 && reno.recoveryStart == at(60))
    // Still the same flight: neither a second halving nor growth.
    reno.onCongestion(newestLostSentAt: at(60), now: at(70), persistent: false)
    acknowledge(&reno, 6000, sentAt: 60, now: 80)
    #expect(reno.window == 6000)
    // Congestion avoidance: 5 packets of 1200 fill the window once.
    for _ in 0..<4 { acknowledge(&reno, 1200, sentAt: 61, now: 110) }
    #expect(reno.window == 6000)
    acknowledge(&reno, 1200, sentAt: 61, now: 110)
    #expect(reno.window == 7200)
    for _ in 0..<6 { acknowledge(&reno, 1200, sentAt: 111, now: 160) }
    #expect(reno.window == 8400)
    // A loss of what was sent in the meantime is a new event.
    reno.onCongestion(newestLostSentAt: at(111), now: at(170), persistent: false)
    #expect(reno.window == 4200 && reno.recoveryStart == at(170))
  }

  @Test("RFC 9002 §7.2: losses never push the window below two packets")
  func floor() {
    var reno = NewReno()
    for i in 1...10 {
      reno.onCongestion(newestLostSentAt: at(Int64(i) * 100), now: at(Int64(i) * 100), persistent: false)
    }
    #expect(reno.window == 2400)
  }

  @Test("RFC 9002 §7.6.2: persistent congestion leaves two packets, and slow start up to the threshold")
  func persistent() {
    var reno = NewReno()
    reno.onCongestion(newestLostSentAt: at(10), now: at(60), persistent: true)
    #expect(reno.window == 2400 && reno.slowStartThreshold == 6000 && reno.recoveryStart == nil)
    acknowledge(&reno, 1200, sentAt: 50, now: 100)
    #expect(reno.window == 3600)
  }

  @Test("The window is bounded; RFC 9000 §9.4: a new path starts anew")
  func boundsAndReset() {
    var reno = NewReno(maximumDatagramSize: 1200, maximumWindow: 20_000)
    for _ in 0..<100 { acknowledge(&reno, 1200, sentAt: 0, now: 50) }
    #expect(reno.window == 20_000)
    reno.onCongestion(newestLostSentAt: at(1), now: at(2), persistent: false)
    reno.reset()
    #expect(reno.window == 12_000 && reno.isInSlowStart && reno.recoveryStart == nil)
  }

  private func acknowledge(_ reno: inout NewReno, _ bytes: Int, sentAt: Int64, now: Int64) {
    reno.onAcknowledged(bytes: bytes, sentAt: at(sentAt), now: at(now), isApplicationLimited: false)
  }
}
