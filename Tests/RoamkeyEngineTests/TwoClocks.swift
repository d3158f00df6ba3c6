import RoamkeySimulator

@testable import RoamkeyEngine

/// Two sides with clocks of their own, in one true time, and a path between them. Only one of them asks.
struct TwoClocks {
  /// A clock that shows `start` at the true time 0, and gains so many millionths.
  struct Hardware {
    var start: Int64
    let partsPerMillion: Int64

    func show(_ time: Int64) -> Instant {
      Instant(
        nanoseconds: start + time + time / 1_000_000 * partsPerMillion + time % 1_000_000 * partsPerMillion / 1_000_000)
    }

    /// The first true time, about, at which it shows `instant`.
    func time(of instant: Instant) -> Int64 {
      var time = Int64(Double(instant.nanoseconds - start) / (1 + Double(partsPerMillion) / 1_000_000))
      while show(time) < instant { time += 1000 }
      return time
    }
  }

  /// How long packets take, in nanoseconds: at least, and up to so much more by chance.
  struct Way {
    var least: Int64
    var jitter: Int64

    func delay(_ random: inout SeededRandom) -> Int64 {
      // Mostly near the floor, sometimes far above, as queues are.
      let share = Double(random.next() >> 11) * 0x1p-53
      return least + Int64(Double(jitter) * share * share * share)
    }
  }

  private enum Happening {
    case requestArrives(UInt64)
    case answerLeaves
    case answerArrives(echo: UInt64, received: UInt64, delay: UInt64)
  }

  var random: SeededRandom
  var ours: Hardware
  var theirs: Hardware
  var there: Way
  var back: Way
  /// The longest that an answer waits at the peer's.
  var holding: Int64 = 25_000_000
  /// The share of datagrams that is lost.
  var loss = 0.0
  var activeUntil = Instant.distantFuture

  var us: PeerClock
  var them: PeerClock
  /// True time, in nanoseconds.
  private(set) var time: Int64 = 0
  private var pending: [(time: Int64, what: Happening)] = []
  private(set) var outcomes: [PeerClock.AnswerOutcome] = []
  private(set) var requestCount = 0

  /// - Parameter partsPerMillion: what our clock gains, and what theirs does.
  init(seed: UInt64, partsPerMillion: (Int64, Int64) = (0, 0), there: Way, back: Way) {
    random = SeededRandom(seed: seed)
    ours = Hardware(start: Int64(random.next() >> 8), partsPerMillion: partsPerMillion.0)
    theirs = Hardware(start: Int64(random.next() >> 8), partsPerMillion: partsPerMillion.1)
    self.there = there
    self.back = back
    us = PeerClock(local: LocalClock(random: random.next()), now: ours.show(0))
    them = PeerClock(local: LocalClock(random: random.next()), now: theirs.show(0))
  }

  /// A path as long there as back, without jitter.
  init(seed: UInt64, partsPerMillion: (Int64, Int64) = (0, 0), milliseconds: Int64) {
    let way = Way(least: milliseconds * 500_000, jitter: 0)
    self.init(seed: seed, partsPerMillion: partsPerMillion, there: way, back: way)
  }

  var now: Instant { ours.show(time) }

  /// What the peer's clock shows now: what we are to find out.
  var truth: UInt64 { them.local.microseconds(theirs.show(time)) }

  /// How far off we are, in microseconds; nil as long as nothing is known.
  var mistake: Int64? { us.peerMicroseconds(now).map { Int64(bitPattern: $0 &- truth) } }

  /// What we say we may be off by, in microseconds.
  var bound: Int64? { us.errorBound(at: now).map { $0.inNanoseconds / 1000 } }

  mutating func run(for duration: Duration) {
    let end = time + duration.inNanoseconds
    while true {
      let request = us.nextRequest(activeUntil: activeUntil).map { max(time, ours.time(of: $0)) } ?? .max
      let arrival = pending.first?.time ?? .max
      guard min(request, arrival) <= end else { break }
      if request < arrival {
        time = request
        ask()
      } else {
        time = arrival
        handle(pending.removeFirst().what)
      }
    }
    time = end
  }

  private mutating func ask() {
    guard let reading = us.takeRequest(now: now, activeUntil: activeUntil) else { return }
    requestCount += 1
    if !random.chance(loss) { schedule(.requestArrives(reading), after: there.delay(&random)) }
  }

  private mutating func handle(_ what: Happening) {
    switch what {
    case .requestArrives(let reading):
      them.onRequest(reading, now: theirs.show(time))
      schedule(.answerLeaves, after: holding > 0 ? Int64.random(in: 0...holding, using: &random) : 0)
    case .answerLeaves:
      guard let answer = them.takeAnswer(now: theirs.show(time)), !random.chance(loss) else { return }
      let (echo, received, delay) = answer
      schedule(.answerArrives(echo: echo, received: received, delay: delay), after: back.delay(&random))
    case .answerArrives(let echo, let received, let delay):
      outcomes.append(us.onAnswer(echo: echo, received: received, delay: delay, now: now))
    }
  }

  private mutating func schedule(_ what: Happening, after delay: Int64) {
    let due = time + delay
    pending.insert((due, what), at: pending.firstIndex { $0.time > due } ?? pending.count)
  }

  mutating func forgetOutcomes() { outcomes = [] }
}
