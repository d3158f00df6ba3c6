import RoamkeyEngine
import Testing

@Suite("Black holes, RFC 8899 §4.3")
struct MTUBlackHoleTests {
  static let rtt = Duration.milliseconds(50)

  /// One that uses 1400 bytes.
  private func large() -> MTUDiscovery {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    find(&discovery, now: at(0))
    return discovery
  }

  private func find(_ discovery: inout MTUDiscovery, now: Instant) {
    discovery.onFullPacket()
    #expect(discovery.takeProbe(now: now, rtt: Self.rtt) == 1400)
    discovery.onProbeAcked(size: 1400, now: now)
    #expect(discovery.current == 1400)
  }

  private func lose(_ discovery: inout MTUDiscovery, _ count: Int = 1, size: Int = 1400, sent: Int64, now: Int64) {
    discovery.onPacketsLost(count, smallestSize: size, newestSentAt: at(sent), now: at(now))
  }

  @Test("Three large packets, the last sent after the first was known to be lost")
  func threeLost() {
    var discovery = large()
    lose(&discovery, sent: 1000, now: 1060)
    lose(&discovery, sent: 1030, now: 1090)
    #expect(discovery.current == 1400)
    lose(&discovery, sent: 1060, now: 1120)
    #expect(discovery.current == 1200)
  }

  @Test("One burst, however long, is a full queue")
  func burst() {
    var discovery = large()
    lose(&discovery, 200, sent: 1010, now: 1060)
    lose(&discovery, 200, sent: 1059, now: 1110)
    #expect(discovery.current == 1400)
    lose(&discovery, 1, sent: 1061, now: 1120)
    #expect(discovery.current == 1200)
  }

  @Test("Two losses a round trip apart are chance")
  func two() {
    var discovery = large()
    lose(&discovery, sent: 1000, now: 1060)
    lose(&discovery, sent: 5000, now: 5060)
    #expect(discovery.current == 1400)
  }

  @Test("One as large that arrives in between proves that they pass; a smaller one does not")
  func acknowledged() {
    for (size, expected) in [(1399, 1200), (1400, 1400)] {
      var discovery = large()
      lose(&discovery, sent: 1000, now: 1060)
      lose(&discovery, sent: 1030, now: 1090)
      discovery.onPacketAcked(size: size)
      lose(&discovery, sent: 1100, now: 1160)
      #expect(discovery.current == expected)
    }
  }

  @Test("The smallest lost packet is the measure: what passes below it proves nothing, what passes above it does")
  func smallest() {
    var discovery = large()
    lose(&discovery, size: 1350, sent: 1000, now: 1060)
    lose(&discovery, size: 1300, sent: 1030, now: 1090)
    discovery.onPacketAcked(size: 1299)
    lose(&discovery, size: 1400, sent: 1100, now: 1160)
    #expect(discovery.current == 1200)
  }

  @Test("Two probe timeouts in a row, not one")
  func timeouts() {
    var discovery = large()
    discovery.onProbeTimeout(count: 1, now: at(1000))
    #expect(discovery.current == 1400)
    discovery.onProbeTimeout(count: 2, now: at(2000))
    #expect(discovery.current == 1200)
    discovery.onFullPacket()
    discovery.onProbeTimeout(count: 3, now: at(4000))
    // The third did not count as another black hole: it is 60 s from the first still.
    #expect(discovery.takeProbe(now: at(61_999), rtt: Self.rtt) == nil)
    #expect(discovery.takeProbe(now: at(62_000), rtt: Self.rtt) == 1400)
  }

  @Test("At the base neither losses nor timeouts mean anything")
  func atTheBase() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    for i in 0..<10 as Range<Int64> { lose(&discovery, sent: 100 * i, now: 100 * i + 50) }
    discovery.onProbeTimeout(count: 9, now: at(2000))
    find(&discovery, now: at(2000))
  }

  @Test("What was under way when the base came back says nothing of a smaller size that is found later")
  func staleLosses() {
    var discovery = large()
    discovery.onProbeTimeout(count: 2, now: at(1000))
    lose(&discovery, 5, sent: 900, now: 1100)
    discovery.onFullPacket()
    for i in 0..<3 as Range<Int64> {
      #expect(discovery.takeProbe(now: at(61_000 + 100 * i), rtt: Self.rtt) == 1400)
      discovery.onProbeLost(size: 1400, now: at(61_060 + 100 * i))
    }
    #expect(discovery.takeProbe(now: at(61_300), rtt: Self.rtt) == 1300)
    discovery.onProbeAcked(size: 1300, now: at(61_350))
    lose(&discovery, size: 1300, sent: 61_400, now: 61_460)
    #expect(discovery.current == 1300)
  }

  @Test("The next search: after 60 s, then twice as long each time, at most 600 s; 60 s again once it was long ago")
  func retries() {
    var discovery = large()
    var now = at(0)
    for seconds in [60, 120, 240, 480, 600, 600] as [Int64] {
      discovery.onProbeTimeout(count: 2, now: now)
      #expect(discovery.current == 1200)
      discovery.onFullPacket()
      let due = now + .seconds(seconds)
      #expect(discovery.takeProbe(now: due + .nanoseconds(-1), rtt: Self.rtt) == nil)
      now = due
      find(&discovery, now: now)
    }
    now = now + .seconds(1200)
    discovery.onProbeTimeout(count: 2, now: now)
    discovery.onFullPacket()
    #expect(discovery.takeProbe(now: now + .seconds(60), rtt: Self.rtt) == 1400)
  }

  @Test("In the middle of a search: it ends, and a late verdict on its probe is nobody's")
  func duringSearch() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    discovery.onFullPacket()
    for i in 0..<3 as Range<Int64> {
      _ = discovery.takeProbe(now: at(100 * i), rtt: Self.rtt)
      discovery.onProbeLost(size: 1400, now: at(100 * i + 60))
    }
    #expect(discovery.takeProbe(now: at(300), rtt: Self.rtt) == 1300)
    discovery.onProbeAcked(size: 1300, now: at(350))
    #expect(discovery.takeProbe(now: at(350), rtt: Self.rtt) == 1350)
    discovery.onProbeTimeout(count: 2, now: at(2000))
    discovery.onProbeAcked(size: 1350, now: at(2001))
    #expect(discovery.current == 1200)
  }

  @Test("EMSGSIZE for a probe: that size is too large at once, the search goes on below")
  func refusedProbe() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    discovery.onFullPacket()
    #expect(discovery.takeProbe(now: at(0), rtt: Self.rtt) == 1400)
    discovery.onSizeRefused(1400, now: at(0))
    #expect(discovery.takeProbe(now: at(49), rtt: Self.rtt) == nil)
    #expect(discovery.takeProbe(now: at(50), rtt: Self.rtt) == 1300)
    // The 1400 of before is deemed lost only now.
    discovery.onProbeLost(size: 1400, now: at(60))
    discovery.onProbeAcked(size: 1300, now: at(100))
    #expect(discovery.current == 1300)
    // A refusal above the candidate narrows what is left.
    #expect(discovery.takeProbe(now: at(100), rtt: Self.rtt) == 1350)
    discovery.onSizeRefused(1360, now: at(110))
    discovery.onProbeAcked(size: 1350, now: at(150))
    #expect(discovery.current == 1350 && discovery.takeProbe(now: at(10_000), rtt: Self.rtt) == nil)
  }

  @Test("EMSGSIZE for a packet: back to the base and a search below it, never below the base")
  func refusedPacket() {
    var discovery = large()
    discovery.onSizeRefused(1400, now: at(1000))
    #expect(discovery.current == 1200)
    #expect(discovery.takeProbe(now: at(1000), rtt: Self.rtt) == 1300)
    // What was written before the news.
    discovery.onSizeRefused(1400, now: at(1001))
    discovery.onProbeAcked(size: 1300, now: at(1050))
    #expect(discovery.current == 1300)
    for size in [1200, 1199, 0, Int.min] { discovery.onSizeRefused(size, now: at(1060)) }
    #expect(discovery.current == 1300)
    discovery.onSizeRefused(1210, now: at(1070))
    #expect(discovery.current == 1200 && discovery.nextTimeout == nil)
    discovery.onFullPacket()
    #expect(discovery.takeProbe(now: at(601_070), rtt: Self.rtt) == 1400)
  }

  @Test("Extreme values do not trap")
  func extremes() {
    for now in [Instant(nanoseconds: .min), at(0), .distantFuture] {
      for rtt in [Duration.seconds(Int64.max), .seconds(Int64.min)] {
        var discovery = MTUDiscovery(base: 1, maximum: .max)
        discovery.onFullPacket()
        _ = discovery.takeProbe(now: now, rtt: rtt)
        discovery.onProbeAcked(size: 65_535, now: now)
        discovery.onPacketsLost(.max, smallestSize: .min, newestSentAt: .distantFuture, now: now)
        discovery.onPacketsLost(.min, smallestSize: .max, newestSentAt: now, now: now)
        discovery.onProbeTimeout(count: .max, now: now)
        discovery.onSizeRefused(.max, now: now)
        #expect(discovery.current >= 1)
      }
    }
  }
}
