import RoamkeyEngine
import RoamkeySimulator
import Testing

@Suite("Pacing, RFC 9002 §7.7")
struct PacerTests {
  private static let full = 1200

  /// A path in congestion avoidance unless it says otherwise.
  private struct Path {
    var window = 120_000
    var rtt = Duration.milliseconds(100)
    var isInSlowStart = false
    var hasSample = true

    func next(_ pacer: inout Pacer, size: Int = PacerTests.full, at now: Instant) -> Instant? {
      pacer.nextSend(
        size: size, window: window, isInSlowStart: isInSlowStart, rtt: rtt, hasSample: hasSample, now: now)
    }

    /// Sends as often as allowed in one moment; returns how many.
    func burst(_ pacer: inout Pacer, at now: Instant, limit: Int = 5000) -> Int {
      var count = 0
      while count < limit, next(&pacer, at: now) == nil {
        pacer.onSent(bytes: PacerTests.full, now: now)
        count += 1
      }
      return count
    }

    /// Sends as often as allowed for a while; returns when.
    func send(_ pacer: inout Pacer, from start: Instant, for time: Duration) -> [Instant] {
      var now = start
      var sent: [Instant] = []
      while now < start + time {
        if let next = next(&pacer, at: now) {
          now = next
        } else {
          pacer.onSent(bytes: PacerTests.full, now: now)
          sent.append(now)
        }
      }
      return sent
    }
  }

  @Test("Ten datagrams at once, then 5/4 of the window, evenly, in a round trip")
  func spread() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    let sent = Path().send(&pacer, from: at(0), for: .milliseconds(100))
    // 100 packets are the window: 125 in a round trip, and the bucket's 10.
    #expect((134...135).contains(sent.count))
    #expect(sent.prefix(10).allSatisfy { $0 == at(0) })
    for i in 10..<sent.count { #expect(sent[i] - sent[i - 1] == .microseconds(800)) }
  }

  @Test("Slow start: twice the window in a round trip")
  func slowStart() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    let sent = Path(isInSlowStart: true).send(&pacer, from: at(0), for: .milliseconds(100))
    #expect((209...210).contains(sent.count))
  }

  @Test("The burst: 2 ms of the rate, at least 10 datagrams, at most 256")
  func burst() {
    // The slack lets out what comes within less than another 100 us.
    func burst(window: Int) -> Int {
      var pacer = Pacer(maximumDatagramSize: 1200)
      let path = Path(window: window)
      _ = path.next(&pacer, at: at(0))
      return path.burst(&pacer, at: at(5000))
    }
    #expect(burst(window: 2400) == 10)
    #expect(burst(window: 480_000) == 10)  // 12,000 bytes in 2 ms: exactly ten
    #expect(burst(window: 1_920_000) == 41)  // 40, and 1 by slack: the next is 100 us away
    #expect(burst(window: 12_288_000) == 268)  // 256, and 12 by slack
    #expect(burst(window: 122_880_000) == 256 + 127)  // 128 come in 100 us
  }

  @Test("An idle time fills the bucket, and no more than that")
  func idle() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    let path = Path()
    #expect(path.burst(&pacer, at: at(0)) == 10)
    #expect(path.burst(&pacer, at: at(4)) == 5)
    #expect(path.burst(&pacer, at: at(1_000_000)) == 10)
  }

  @Test("Waits below 100 us are none; the bucket owes, and nothing is gained by it")
  func slack() {
    // 1200 bytes in 80 us.
    var pacer = Pacer(maximumDatagramSize: 1200)
    let path = Path(window: 1_200_000)
    #expect(path.burst(&pacer, at: at(0)) == 11)
    // In debt by one packet: 160 us until another could be paid for in full.
    #expect(path.next(&pacer, at: at(0)) == at(0) + .microseconds(160))
    #expect(path.next(&pacer, at: at(0) + .microseconds(60)) == at(0) + .microseconds(160))
    #expect(path.next(&pacer, at: at(0) + .nanoseconds(60_010)) == nil)
    let sent = path.send(&pacer, from: at(0), for: .milliseconds(100))
    #expect((1248...1251).contains(sent.count))
  }

  @Test("Without an RTT sample the initial window leaves at once, and the bucket remembers it")
  func noSample() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    var path = Path(window: 12_000, rtt: .milliseconds(333), isInSlowStart: true, hasSample: false)
    for _ in 0..<10 {
      #expect(path.next(&pacer, at: at(0)) == nil)
      pacer.onSent(bytes: 1200, now: at(0))
    }
    #expect(path.next(&pacer, at: at(0)) == nil)
    path.rtt = .milliseconds(100)
    path.hasSample = true
    // 24,000 bytes in 100 ms: 5 ms for a packet.
    #expect(path.next(&pacer, at: at(100)) == at(105))
  }

  @Test("Round trips below 500 us: nothing is held back")
  func shortRTT() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    #expect(Path(window: 2400, rtt: .nanoseconds(499_999)).burst(&pacer, at: at(0)) == 5000)
    pacer.reset()
    #expect(Path(window: 2400, rtt: .nanoseconds(500_000)).burst(&pacer, at: at(0)) == 10)
    pacer.reset()
    #expect(Path(rtt: .zero).burst(&pacer, at: at(0)) == 5000)
    #expect(Path(rtt: .seconds(-1)).burst(&pacer, at: at(0)) == 5000)
  }

  @Test("What did not ask is counted, but never owes more than two datagrams")
  func exempt() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    let path = Path(window: 2400)
    #expect(path.burst(&pacer, at: at(0)) == 10)
    for _ in 0..<100 { pacer.onSent(bytes: 1200, now: at(0)) }
    // Three packets at 3000 bytes in 100 ms.
    #expect(path.next(&pacer, at: at(0)) == at(120))
  }

  @Test("What leaves after an idle time is counted in the bucket as it is then")
  func exemptAfterIdle() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    let path = Path()
    #expect(path.burst(&pacer, at: at(0)) == 10)
    pacer.onSent(bytes: 1200, now: at(5000))
    #expect(path.burst(&pacer, at: at(5000)) == 9)
  }

  @Test("A smaller window counts from then on, with what was saved before it up to the new burst")
  func shrunkenWindow() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    #expect(Path(window: 12_288_000).next(&pacer, at: at(0)) == nil)
    #expect(Path(window: 12_288_000).next(&pacer, at: at(100)) == nil)
    let small = Path(window: 12_000)
    #expect(small.burst(&pacer, at: at(100)) == 10)
    #expect(small.next(&pacer, at: at(100)) == at(108))
  }

  @Test("What a fast path let out on credit is not paid back by the lowest window")
  func forgivenDebt() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    // 128 datagrams in 100 us.
    #expect(Path(window: 122_880_000).burst(&pacer, at: at(0)) == 10 + 127)
    // Two datagrams of debt and the one that is asked for, at 3000 bytes in 100 ms.
    #expect(Path(window: 2400).next(&pacer, at: at(0)) == at(120))
  }

  @Test("RFC 9000 §9.4: a reset gives the bucket of the start")
  func reset() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    #expect(Path().burst(&pacer, at: at(0)) == 10)
    pacer.reset()
    #expect(Path().burst(&pacer, at: at(0)) == 10)
  }

  @Test("Extreme values neither trap nor hold back for ever")
  func extremes() {
    let moments = [Int64.min, -1, 0, 1, .max - 1, .max].map { Instant(nanoseconds: $0) }
    for window in [Int.min, -1, 0, 1, 1 << 30, .max] {
      for rtt in [Duration.seconds(Int64.max), .seconds(3600), .microseconds(500), .seconds(Int64.min)] {
        for size in [Int.min, 0, 1, 1200, 65_535, .max] {
          var pacer = Pacer(maximumDatagramSize: 1200)
          for now in moments + moments.reversed() {
            let path = Path(window: window, rtt: rtt, isInSlowStart: size % 2 == 0)
            pacer.onSent(bytes: size, now: now)
            if let next = path.next(&pacer, size: size, at: now) { #expect(next > now || now == .distantFuture) }
          }
        }
      }
    }
  }

  @Test("One byte a second and a half: nothing is lost to rounding, however often it is asked")
  func slowest() {
    var pacer = Pacer(maximumDatagramSize: 1200)
    let path = Path(window: 2400, rtt: .seconds(3600))
    #expect(path.burst(&pacer, at: at(0)) == 10)
    #expect(path.next(&pacer, at: at(0)) == at(1_440_000))
    var polled = pacer
    for i in 1...200_000 as ClosedRange<Int64> { _ = path.next(&polled, at: Instant(nanoseconds: i * 5)) }
    let (asked, unasked) = (path.next(&polled, at: at(1)), path.next(&pacer, at: at(1)))
    #expect(unasked.map { $0 - at(1_440_000) < .microseconds(1) } == true)
    // A unit less each time at most: 2^-30 of a byte.
    #expect(asked.map { $0 - at(1_440_000) < .milliseconds(1) } == true)
  }

  @Test("Never faster than the rate, never slower, whatever the path", arguments: ReliabilityRandom.seeds)
  func rate(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<60 {
      let path = Path(
        window: 1 << Int.random(in: 12...30, using: &random),
        rtt: random.duration(below: .seconds(2)) + .microseconds(500), isInSlowStart: random.chance(0.5))
      var pacer = Pacer(maximumDatagramSize: 1200)
      let start = Instant(nanoseconds: Int64.random(in: -1_000_000...1_000_000, using: &random))
      var now = start
      for _ in 0..<2000 {
        while let next = path.next(&pacer, at: now) {
          #expect(next >= now + .microseconds(100))
          // A timer is late, and an acknowledgement sometimes wakes the sender early.
          now = random.chance(0.2) ? now + .microseconds(3) : next + random.duration(below: .microseconds(90))
        }
        pacer.onSent(bytes: 1200, now: now)
      }
      let packetsPerNanosecond: Double =
        Double(path.window) * (path.isInSlowStart ? 2 : 1.25) / Double(path.rtt.inNanoseconds) / 1200
      let due = packetsPerNanosecond * Double((now - start).inNanoseconds)
      let slack = packetsPerNanosecond * 100_000
      let burst = min(max(packetsPerNanosecond * 2_000_000, 10), 256)
      #expect(2000 <= due + burst + slack + 1, "seed \(seed): \(path)")
      // The last timer may have been late for one packet; what came meanwhile is in the bucket, as far as it holds it.
      if slack < 100 { #expect(2001 >= due - slack, "seed \(seed): \(path)") }
    }
  }
}
