import RoamkeyEngine
import RoamkeySimulator
import Testing

@Suite("Acknowledgement under loss, PROTOCOL §10.1")
struct LossyAcknowledgementTests {
  /// A receiver of one packet every `interval` milliseconds.
  private struct Receiver {
    var received = ReceivedPackets(maximumAckDelay: .milliseconds(25), ackElicitingThreshold: 2)
    var interval: Int64 = 33
    var now = at(0)

    /// Lets packets arrive, each acknowledged by a packet with data. The time is that of the last one.
    mutating func arrive(_ numbers: UInt64..., ackEliciting: Bool = true) {
      for number in numbers {
        now = now + .milliseconds(interval)
        received.record(number, ackEliciting: ackEliciting, now: now)
        received.ackSent(isAlone: false, now: now)
      }
    }

    /// Whether the next packet, which is in order, is answered at once.
    mutating func expect(
      _ number: UInt64, isPrompt: Bool, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      now = now + .milliseconds(interval)
      received.record(number, ackEliciting: true, now: now)
      #expect(received.isAckDue(now: now) == isPrompt, comment, sourceLocation: sourceLocation)
      received.ackSent(isAlone: false, now: now)
    }
  }

  /// One that has lost packet 1, and knows it.
  private func lossy(interval: Int64 = 33) -> Receiver {
    var receiver = Receiver(interval: interval)
    receiver.arrive(0, 2, 3, 4)
    return receiver
  }

  @Test("Without a loss the answer waits for company, as ever")
  func clean() {
    var receiver = Receiver()
    receiver.arrive(0, 1, 2, 3, 4)
    receiver.expect(5, isPrompt: false)
  }

  @Test("After a loss each sparse packet is answered at once")
  func prompt() {
    var receiver = lossy()
    for number in 5..<20 as Range<UInt64> { receiver.expect(number, isPrompt: true) }
  }

  @Test("A gap is a loss when three higher numbers have come, not two")
  func threshold() {
    var receiver = Receiver()
    receiver.arrive(0, 2)
    receiver.expect(3, isPrompt: false, "1 may only be late")
    receiver.expect(4, isPrompt: true, "three above 1 have come")
  }

  @Test("What fills a gap within the next two packets was late, not lost")
  func reordered() {
    var receiver = Receiver()
    receiver.arrive(0, 2, 3, 1, 4, 5)
    receiver.expect(6, isPrompt: false)
    // Too late: the sender has given it up.
    receiver = Receiver()
    receiver.arrive(0, 2, 3, 4, 1)
    receiver.expect(5, isPrompt: true)
  }

  @Test("The first packets of a session can be lost too; what is no number is not missing")
  func first() {
    for (number, expected) in [(0, false), (1, false), (2, true), (3, true), (63, true), (64, true), (65, true)] {
      var receiver = Receiver()
      receiver.arrive(UInt64(number))
      receiver.expect(UInt64(number) + 1, isPrompt: expected, "\(number)")
    }
  }

  @Test("Gaps of any length are seen, wherever they begin")
  func jumps() {
    for step in [4, 59, 60, 61, 62, 63, 64, 65, 127, 1000, 1 << 40] as [UInt64] {
      var receiver = Receiver()
      receiver.arrive(0, 1, 2, 3, 4, 4 + step)
      receiver.expect(5 + step, isPrompt: true, "\(step)")
    }
  }

  @Test("A gap is seen although what was reported is forgotten meanwhile")
  func forgotten() {
    var receiver = Receiver()
    receiver.arrive(0, 2)
    receiver.received.forget(through: 2)
    receiver.arrive(3)
    receiver.received.forget(through: 3)
    receiver.arrive(4)
    receiver.expect(5, isPrompt: true)
  }

  @Test("Five seconds without another loss end it")
  func memory() {
    for (pause, expected) in [(4999, true), (5001, false)] as [(Int64, Bool)] {
      var receiver = lossy()
      receiver.interval = pause
      receiver.expect(5, isPrompt: expected)
    }
  }

  @Test("Dense packets need no such answers: 8 ms are sparse, 7 are not")
  func density() {
    for (interval, expected) in [(1, false), (7, false), (8, true), (33, true)] as [(Int64, Bool)] {
      var receiver = lossy(interval: interval)
      receiver.expect(5, isPrompt: expected, "\(interval)")
    }
    // A long pause does not make a dense flow sparse for long.
    var receiver = lossy(interval: 1)
    receiver.interval = 4000
    receiver.arrive(5)
    receiver.interval = 1
    receiver.arrive(6, 7, 8, 9, 10)
    receiver.expect(11, isPrompt: false)
  }

  @Test("Packets that ask for nothing do not count as dense, and get no answer")
  func quietPackets() {
    var receiver = lossy()
    receiver.interval = 1
    for number in 5..<45 as Range<UInt64> { receiver.arrive(number, ackEliciting: false) }
    #expect(receiver.received.ackTimer == nil)
    receiver.interval = 33
    receiver.expect(45, isPrompt: true)
  }

  @Test("A lone answer is said again after 2 ms, once")
  func repetition() {
    var receiver = lossy()
    let arrival = receiver.now + .milliseconds(33)
    receiver.received.record(5, ackEliciting: true, now: arrival)
    receiver.received.ackSent(isAlone: true, now: arrival)
    #expect(receiver.received.ackTimer == arrival + .milliseconds(2))
    #expect(!receiver.received.isAckDue(now: arrival + .microseconds(1999)))
    #expect(receiver.received.isAckDue(now: arrival + .milliseconds(2)))
    #expect(receiver.received.ackDelay(now: arrival + .milliseconds(2)) == .milliseconds(2))
    receiver.received.ackSent(isAlone: true, now: arrival + .milliseconds(2))
    #expect(receiver.received.ackTimer == nil && !receiver.received.hasUnreported)
  }

  @Test("A packet that leaves meanwhile takes it along, and then it is not repeated")
  func carried() {
    var receiver = lossy()
    let arrival = receiver.now + .milliseconds(33)
    receiver.received.record(5, ackEliciting: true, now: arrival)
    receiver.received.ackSent(isAlone: true, now: arrival)
    #expect(receiver.received.hasUnreported, "there is something to take along")
    receiver.received.ackSent(isAlone: false, now: arrival + .milliseconds(2))
    #expect(receiver.received.ackTimer == nil && !receiver.received.hasUnreported)
  }

  @Test("An answer that rides with data is not repeated: the loss of the data would be noticed")
  func withData() {
    var receiver = lossy()
    receiver.received.record(5, ackEliciting: true, now: receiver.now)
    receiver.received.ackSent(isAlone: false, now: receiver.now)
    #expect(receiver.received.ackTimer == nil)
  }

  @Test("On a clean path, and for dense packets, a lone answer is not repeated")
  func notLossy() {
    var receiver = Receiver()
    receiver.arrive(0, 1, 2, 3, 4)
    receiver.received.record(5, ackEliciting: true, now: receiver.now)
    receiver.received.ackSent(isAlone: true, now: receiver.now)
    #expect(receiver.received.ackTimer == nil)
    var dense = lossy(interval: 1)
    dense.received.record(5, ackEliciting: true, now: dense.now)
    dense.received.ackSent(isAlone: true, now: dense.now)
    #expect(dense.received.ackTimer == nil)
  }

  @Test("An answer to packets that asked for none is not repeated")
  func quietAnswer() {
    var receiver = lossy()
    for number in 5..<25 as Range<UInt64> { receiver.received.record(number, ackEliciting: false, now: receiver.now) }
    #expect(receiver.received.hasUnreported)
    receiver.received.ackSent(isAlone: true, now: receiver.now)
    #expect(receiver.received.ackTimer == nil)
  }

  @Test("A new packet before the repetition is answered at once, and that answer has a repetition of its own")
  func newPacketFirst() {
    var receiver = lossy()
    receiver.received.record(5, ackEliciting: true, now: at(1000))
    receiver.received.ackSent(isAlone: true, now: at(1000))
    receiver.received.record(6, ackEliciting: true, now: at(1001))
    #expect(receiver.received.isAckDue(now: at(1001)))
    receiver.received.ackSent(isAlone: true, now: at(1001))
    #expect(receiver.received.ackTimer.map { $0 > at(1002) && $0 <= at(1003) } == true)
  }

  @Test("Hostile numbers and times do not trap")
  func extremes() {
    var pattern = ArrivalPattern()
    for number in [UInt64.max, 0, .max, 1 << 62, 3, .max - 1] {
      for now in [Instant(nanoseconds: .min), at(0), .distantFuture, at(-1)] {
        pattern.record(number, ackEliciting: true, now: now)
        _ = pattern.asksForPromptness(now: now)
      }
    }
  }

  @Test("A loss is seen exactly when a number is missing with three higher ones", arguments: ReliabilityRandom.seeds)
  func model(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<300 {
      var pattern = ArrivalPattern()
      var known: Set<UInt64> = []
      var next: UInt64 = 0
      var isLossSeen = false
      for step in 0..<60 as Range<Int64> {
        let late = (0..<next).filter { !known.contains($0) && $0 + 8 > next }
        let number: UInt64
        if let first = late.first, random.next() % 3 == 0 {
          number = first
        } else {
          number = next + (random.next() % 12 == 0 ? random.next() % 80 : 0)
          next = number + 1
        }
        known.insert(number)
        pattern.record(number, ackEliciting: true, now: at(10 * step))
        isLossSeen = isLossSeen || (0..<next).contains { !known.contains($0) && $0 + 3 < next }
        #expect(pattern.asksForPromptness(now: at(10 * step)) == (isLossSeen && step > 0), "seed \(seed)")
      }
    }
  }
}
