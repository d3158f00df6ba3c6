import RoamkeyEngine
import RoamkeySimulator
import Testing

@Suite("The size of packets, RFC 8899")
struct MTUDiscoveryTests {
  static let rtt = Duration.milliseconds(50)

  /// A path of so many bytes, which probes cross one a round trip.
  private struct Path {
    var carries: Int
    var now = at(0)
    var probes: [Int] = []

    /// Runs the search until it rests.
    mutating func search(_ discovery: inout MTUDiscovery) {
      while let size = discovery.takeProbe(now: now, rtt: rtt) {
        probes.append(size)
        now = now + rtt
        if size <= carries {
          discovery.onProbeAcked(size: size, now: now)
        } else {
          discovery.onProbeLost(size: size, now: now)
        }
      }
    }
  }

  /// One that has found what the path carries.
  private func settled(carries: Int = 1400) -> (discovery: MTUDiscovery, now: Instant) {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    var path = Path(carries: carries)
    discovery.onFullPacket()
    path.search(&discovery)
    return (discovery, path.now)
  }

  @Test("Nobody who never fills a packet is probed for")
  func notAsked() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    #expect(discovery.takeProbe(now: at(0), rtt: Self.rtt) == nil)
    #expect(discovery.takeProbe(now: at(10_000_000), rtt: Self.rtt) == nil)
    #expect(discovery.nextTimeout == nil && discovery.current == 1200)
    discovery.onFullPacket()
    #expect(discovery.takeProbe(now: at(0), rtt: Self.rtt) == 1400)
    #expect(discovery.current == 1200, "not before it arrived")
  }

  @Test("Most paths: the maximum passes, one probe is all")
  func maximumFirst() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    var path = Path(carries: 1472)
    discovery.onFullPacket()
    path.search(&discovery)
    #expect(path.probes == [1400] && discovery.current == 1400)
    discovery.onFullPacket()
    path.now = path.now + .seconds(86_400)
    path.search(&discovery)
    #expect(path.probes == [1400] && discovery.nextTimeout == nil)
  }

  @Test("Three losses of the maximum, then halves, down to 16 bytes")
  func halves() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    var path = Path(carries: 1340)
    discovery.onFullPacket()
    path.search(&discovery)
    #expect(path.probes == [1400, 1400, 1400, 1300, 1350, 1350, 1350, 1325, 1337])
    #expect(discovery.current == 1337)
  }

  @Test("Every size between is found to within 16 bytes, and never exceeded")
  func everySize() {
    for carries in 1200...1400 {
      let found = settled(carries: carries).discovery.current
      #expect(found <= carries && carries - found < MTUDiscovery.granularity)
    }
  }

  @Test("RFC 8899 §5.1.2: two losses are chance, the third is the size")
  func losses() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    discovery.onFullPacket()
    for i in 0..<2 as Range<Int64> {
      #expect(discovery.takeProbe(now: at(100 * i), rtt: Self.rtt) == 1400)
      discovery.onProbeLost(size: 1400, now: at(100 * i + 60))
    }
    #expect(discovery.takeProbe(now: at(300), rtt: Self.rtt) == 1400)
    discovery.onProbeAcked(size: 1400, now: at(350))
    #expect(discovery.current == 1400)
  }

  @Test("One probe at a time, one a round trip, and the timer says when")
  func spacing() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    discovery.onFullPacket()
    #expect(discovery.takeProbe(now: at(0), rtt: Self.rtt) == 1400)
    #expect(discovery.takeProbe(now: at(1000), rtt: Self.rtt) == nil)
    #expect(discovery.nextTimeout == nil)
    discovery.onProbeLost(size: 1400, now: at(20))
    #expect(discovery.nextTimeout == at(50))
    #expect(discovery.takeProbe(now: at(49), rtt: Self.rtt) == nil)
    #expect(discovery.takeProbe(now: at(50), rtt: Self.rtt) == 1400)
  }

  @Test("Verdicts on other sizes than the one in flight say nothing")
  func strangeVerdicts() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    discovery.onProbeAcked(size: 1400, now: at(0))
    discovery.onProbeLost(size: 1400, now: at(0))
    #expect(discovery.current == 1200)
    discovery.onFullPacket()
    _ = discovery.takeProbe(now: at(0), rtt: Self.rtt)
    for size in [Int.min, 0, 1399, 1401, .max] {
      discovery.onProbeAcked(size: size, now: at(1))
      discovery.onProbeLost(size: size, now: at(1))
      discovery.onPacketAcked(size: size)
    }
    #expect(discovery.current == 1200 && discovery.nextTimeout == nil)
    discovery.onProbeAcked(size: 1400, now: at(50))
    #expect(discovery.current == 1400)
  }

  @Test("A probe without a verdict goes out again and counts for nothing")
  func abandoned() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    discovery.onProbeAbandoned()
    discovery.onFullPacket()
    for i in 0..<10 as Range<Int64> {
      #expect(discovery.takeProbe(now: at(100 * i), rtt: Self.rtt) == 1400)
      discovery.onProbeAbandoned()
    }
    #expect(discovery.takeProbe(now: at(1000), rtt: Self.rtt) == 1400)
  }

  @Test("RFC 8899 §5.1.1: after 600 s, and a full packet, more than was found is tried again")
  func raise() {
    var (discovery, end) = settled(carries: 1300)
    #expect(discovery.current == 1300)
    #expect(discovery.nextTimeout == nil)
    discovery.onFullPacket()
    #expect(discovery.takeProbe(now: end + .seconds(599), rtt: Self.rtt) == nil)
    var path = Path(carries: 1400, now: end + .seconds(600))
    path.search(&discovery)
    #expect(path.probes == [1400] && discovery.current == 1400)

    var idle = settled(carries: 1300).discovery
    #expect(idle.takeProbe(now: end + .seconds(6000), rtt: Self.rtt) == nil)
    idle.onFullPacket()
    #expect(idle.takeProbe(now: end + .seconds(6000), rtt: Self.rtt) == 1400)
  }

  @Test("RFC 9000 §14.2: another IP address starts at the base, and searches as soon as it is asked")
  func reset() {
    var (discovery, now) = settled()
    discovery.onProbeTimeout(count: 2, now: now)
    discovery.reset()
    #expect(discovery.current == 1200)
    #expect(discovery.takeProbe(now: now, rtt: Self.rtt) == nil)
    discovery.onFullPacket()
    #expect(discovery.takeProbe(now: now, rtt: Self.rtt) == 1400)
  }

  @Test("A maximum that is the base, or below it: nothing is probed")
  func nothingToFind() {
    for maximum in [1200, 1199, 0, Int.min] {
      var discovery = MTUDiscovery(base: 1200, maximum: maximum)
      discovery.onFullPacket()
      #expect(discovery.takeProbe(now: at(0), rtt: Self.rtt) == nil)
      discovery.onSizeRefused(1200, now: at(0))
      discovery.onProbeTimeout(count: .max, now: at(0))
      #expect(discovery.current == 1200 && discovery.takeProbe(now: .distantFuture, rtt: Self.rtt) == nil)
    }
  }

  @Test("A maximum within 16 bytes of the base is tried once, as itself")
  func narrow() {
    var discovery = MTUDiscovery(base: 1200, maximum: 1210)
    var path = Path(carries: 1205)
    discovery.onFullPacket()
    path.search(&discovery)
    #expect(path.probes == [1210, 1210, 1210] && discovery.current == 1200)
  }

  @Test("maximumPacketSize: 1200 to 1400, never below the base")
  func configuration() {
    var configuration = RoamkeyConfiguration()
    #expect(configuration.packetSizeLimit == 1400)
    for (asked, meant) in [(Int.min, 1200), (1199, 1200), (1200, 1200), (1333, 1333), (1401, 1400), (.max, 1400)] {
      configuration.maximumPacketSize = asked
      #expect(configuration.packetSizeLimit == meant)
    }
    configuration.maximumPacketSize = 1200
    configuration.packetSize = 1300
    #expect(configuration.packetSizeLimit == 1300)
  }

  @Test("A path that changes and loses: what is used passes in the end", arguments: ReliabilityRandom.seeds)
  func random(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var discovery = MTUDiscovery(base: 1200, maximum: 1400)
    var carries = 1400
    var now = at(0)
    var inFlight: [(size: Int, sentAt: Instant, isProbe: Bool)] = []
    for step in 0..<200_000 {
      now = now + .milliseconds(20)
      // The last change leaves more than two hours: time for all timers.
      if step < 100_000, random.next() % 5000 == 0 { carries = Int.random(in: 1200...1500, using: &random) }
      discovery.onFullPacket()
      inFlight.append((discovery.current, now, false))
      if let probe = discovery.takeProbe(now: now, rtt: Self.rtt) { inFlight.append((probe, now, true)) }
      while let (size, sentAt, isProbe) = inFlight.first, now - sentAt >= Self.rtt {
        inFlight.removeFirst()
        let arrives = size <= carries && random.next() % 20 != 0
        switch (isProbe, arrives) {
        case (true, true): discovery.onProbeAcked(size: size, now: now)
        case (true, false): discovery.onProbeLost(size: size, now: now)
        case (false, true): discovery.onPacketAcked(size: size)
        case (false, false):
          guard size > 1200 else { continue }
          discovery.onPacketsLost(1, smallestSize: size, newestSentAt: sentAt, now: now)
        }
      }
      #expect((1200...1400).contains(discovery.current))
    }
    #expect(discovery.current <= carries, "seed \(seed)")
  }
}
