import RoamkeyEngine
import Testing

@testable import RoamkeySimulator

/// One direction of a network, datagram by datagram.
@Suite struct AccessLinkTests {
  private var random = SeededRandom(seed: 1)

  private static func moment(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

  /// When a datagram arrives; nil when it does not.
  private mutating func arrival(_ size: Int, over link: inout AccessLink, at milliseconds: Int64 = 0) -> Instant? {
    switch link.carry(size, now: Self.moment(milliseconds), using: &random) {
    case .carried(let transit, _): transit.arrival
    case .dropped: nil
    }
  }

  // MARK: Bandwidth

  @Test mutating func bytesTakeTheirTime() {
    var link = AccessLink(NetworkConditions(delay: .milliseconds(7), bandwidth: 100_000))
    // 1000 bytes at 100 kB/s: 10 ms each, one after the other, then the delay.
    #expect((0..<4).map { _ in arrival(1000, over: &link) } == [17, 27, 37, 47].map(Self.moment))
    #expect(link.wait(at: Self.moment(0)) == .milliseconds(40) && link.wait(at: Self.moment(35)) == .milliseconds(5))
    // What comes when the line is idle does not wait.
    #expect(link.wait(at: Self.moment(100)) == .zero)
    #expect(arrival(500, over: &link, at: 100) == Self.moment(112))
  }

  @Test mutating func aFractionOfANanosecondCountsAsAWholeOne() {
    var link = AccessLink(NetworkConditions(bandwidth: 3))
    #expect(arrival(1, over: &link) == Instant(nanoseconds: 333_333_334))
  }

  @Test mutating func whatFindsNoRoomIsLost() {
    var link = AccessLink(NetworkConditions(bandwidth: 100_000, queue: 2500))
    #expect((0..<4).map { _ in arrival(1000, over: &link) } == [Self.moment(10), Self.moment(20), nil, nil])
    // A small one still fits behind the two; a bite later a large one does.
    #expect(arrival(500, over: &link) == Self.moment(25))
    #expect(arrival(500, over: &link) == nil)
    #expect(arrival(1000, over: &link, at: 9) == nil)
    #expect(arrival(1000, over: &link, at: 10) == Self.moment(35))
    #expect(link.statistics.carried == 4 && link.statistics.overflowed == 4 && link.statistics.offered == 8)
    #expect(link.statistics.bytesCarried == 3500)
  }

  @Test mutating func anIdleLineTakesAnyDatagram() {
    var link = AccessLink(NetworkConditions(bandwidth: 1000, queue: 0))
    #expect(arrival(1000, over: &link) == Self.moment(1000))
    #expect(arrival(1, over: &link, at: 999) == nil)
    #expect(arrival(1, over: &link, at: 1000) == Self.moment(1001))
  }

  @Test mutating func aQueueWithoutLimit() {
    var link = AccessLink(NetworkConditions(bandwidth: 1_000_000, queue: nil))
    var last: Instant?
    for _ in 0..<10_000 { last = arrival(1000, over: &link) }
    #expect(last == Self.moment(10_000))
  }

  @Test mutating func anotherNetworkHasAQueueOfItsOwn() {
    var link = AccessLink(NetworkConditions(keepsOrder: true, bandwidth: 1000))
    #expect(arrival(1000, over: &link) == Self.moment(1000))
    link.change(to: NetworkConditions(delay: .milliseconds(3), keepsOrder: true, bandwidth: 1_000_000))
    #expect(arrival(1000, over: &link) == Self.moment(4))
    #expect(link.statistics.carried == 2)
  }

  // MARK: Size

  @Test mutating func largerOnesVanish() {
    var link = AccessLink(NetworkConditions(mtu: 1200))
    #expect(arrival(1200, over: &link) == Self.moment(0))
    #expect(arrival(1201, over: &link) == nil)
    #expect(link.statistics.tooLarge == 1 && link.statistics.carried == 1)
  }

  // MARK: Order

  /// So many datagrams, a millisecond apart: how often a later one arrives before an earlier one.
  private mutating func overtakings(_ conditions: NetworkConditions, count: Int64 = 1000) -> Int {
    var link = AccessLink(conditions)
    let arrivals = (0..<count).compactMap { arrival(100, over: &link, at: $0) }
    #expect(arrivals.count == count)
    return zip(arrivals, arrivals.dropFirst()).count { $0 > $1 }
  }

  @Test mutating func jitterReordersUnlessTheLinkKeepsTheOrder() {
    let jitter = Duration.milliseconds(50)
    #expect(overtakings(NetworkConditions(jitter: jitter)) > 300)
    #expect(overtakings(NetworkConditions(jitter: jitter, keepsOrder: true)) == 0)
    #expect(overtakings(NetworkConditions(jitter: .microseconds(900))) == 0)
  }

  @Test mutating func aShareIsHeldBack() {
    let conditions = NetworkConditions(
      jitter: .milliseconds(50), keepsOrder: true, reordering: 0.1, reorderingDelay: .milliseconds(60))
    #expect((60...120).contains(overtakings(conditions)))
    var link = AccessLink(NetworkConditions(reordering: 1, reorderingDelay: .milliseconds(5)))
    #expect(arrival(100, over: &link) == Self.moment(5))
    #expect(link.statistics.reordered == 1)
  }

  // MARK: Chance

  /// What is given is what is counted: each datagram has one fate, and shares are about those asked for.
  @Test mutating func everyDatagramIsCountedOnce() {
    var link = AccessLink(
      NetworkConditions(
        loss: 0.1, duplication: 0.2, corruption: 0.05, delay: .milliseconds(1), jitter: .milliseconds(3),
        reordering: 0.03, bandwidth: 1_000_000, queue: 5000, mtu: 1300))
    var (arrived, copies, damaged, dropped) = (0, 0, 0, [DropCause: Int]())
    for i in 0..<20_000 {
      let size = i % 50 == 0 ? 1400 : Int.random(in: 20...1200, using: &random)
      switch link.carry(size, now: Self.moment(Int64(i / 3)), using: &random) {
      case .dropped(let cause): dropped[cause, default: 0] += 1
      case .carried(let transit, let copy):
        arrived += 1
        copies += copy == nil ? 0 : 1
        damaged += (transit.isCorrupted ? 1 : 0) + (copy?.isCorrupted == true ? 1 : 0)
      }
    }
    let counted = link.statistics
    #expect(counted.offered == 20_000 && counted.carried == arrived)
    #expect(counted.duplicated == copies && counted.corrupted == damaged)
    #expect(dropped == [.lost: counted.lost, .overflowed: counted.overflowed, .tooLarge: counted.tooLarge])
    #expect(counted.tooLarge == 400 && counted.overflowed > 3000)
    let sent = Double(counted.carried + counted.lost)
    #expect(abs(Double(counted.lost) / sent - 0.1) < 0.01)
    #expect(abs(Double(copies) / Double(arrived) - 0.2) < 0.02)
    #expect(abs(Double(damaged) / Double(arrived + copies) - 0.05) < 0.01)
    #expect(abs(Double(counted.reordered) / Double(arrived + copies) - 0.03) < 0.01)
  }

  @Test mutating func burstsLoseInARow() {
    var link = AccessLink(NetworkConditions(bursts: .init(begin: 0.01, end: 0.1)))
    let fates = (0..<50_000).map { arrival(100, over: &link, at: $0) == nil }
    let runs = fates.split(separator: false)
    let lost = fates.count { $0 }
    // In a burst for 1 / (1 + 0.1 / 0.01) of the time, ten datagrams long on average.
    #expect(abs(Double(lost) / 50_000 - 1 / 11) < 0.02)
    #expect(abs(Double(lost) / Double(runs.count) - 10) < 2)
  }

  @Test mutating func aPerfectLinkDrawsNoChances() {
    var link = AccessLink(.perfect)
    let before = random
    #expect(arrival(1400, over: &link) == Self.moment(0))
    var (a, b) = (before, random)
    #expect(a.next() == b.next())
  }
}
