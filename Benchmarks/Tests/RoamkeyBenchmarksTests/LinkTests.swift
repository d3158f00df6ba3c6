import Testing

@testable import RoamkeyBenchmarks

/// One direction of the relay, without sockets and in a time of its own.
@Suite struct LinkTests {
  private let start = Monotonic(nanoseconds: 1_000_000_000)

  private func fates(_ link: inout Link, _ count: Int) -> [Link.Fate] {
    (0..<count).map { link.admit(size: 100, at: start + .microseconds($0)) }
  }

  @Test(arguments: [0, 0.01, 0.05, 0.5, 1])
  func dropsItsShare(_ loss: Double) {
    var link = Link(LinkConditions(loss: loss), seed: 7)
    let dropped = fates(&link, 100_000).count { $0 == .dropped }
    // Four standard deviations of 100,000 draws are at most 632.
    #expect(abs(Double(dropped) - loss * 100_000) <= (loss == 0 || loss == 1 ? 0 : 632))
    #expect(link.counts.lost == dropped)
    #expect(link.counts.datagrams == 100_000)
    #expect(link.counts.bytes == 10_000_000)
  }

  @Test func theSeedDecides() {
    var a = Link(LinkConditions(loss: 0.3), seed: 1)
    var b = Link(LinkConditions(loss: 0.3), seed: 1)
    var other = Link(LinkConditions(loss: 0.3), seed: 2)
    let first = fates(&a, 1000)
    #expect(first == fates(&b, 1000))
    #expect(first != fates(&other, 1000))
  }

  @Test func aPhaseBeginsTheSequenceAnew() {
    var fresh = Link(LinkConditions(loss: 0.3), seed: 1)
    var used = fresh
    _ = fates(&used, 17)
    used.didRelease(due: start, at: start, wasTaken: false)
    used.beginPhase()
    #expect(used.counts == Link.Counts())
    #expect(used.lateness.isEmpty)
    let expected = fates(&fresh, 500).map { $0 == .dropped }
    #expect(fates(&used, 500).map { $0 == .dropped } == expected)
  }

  @Test func delaysFromArrivalAndNeverReorders() {
    var link = Link(LinkConditions(delay: .milliseconds(50)), seed: 1)
    #expect(link.admit(size: 1, at: start) == .leaves(start + .milliseconds(50)))
    #expect(link.admit(size: 1, at: start + .milliseconds(7)) == .leaves(start + .milliseconds(57)))
    // Read late, but come before: it does not overtake.
    #expect(link.admit(size: 1, at: start + .milliseconds(2)) == .leaves(start + .milliseconds(57)))
  }

  @Test func bandwidthSpacesDatagramsOut() {
    // 1000 bytes take a millisecond.
    var link = Link(LinkConditions(delay: .milliseconds(10), bandwidth: 1e6, queueLimit: 3000), seed: 1)
    #expect(link.admit(size: 1000, at: start) == .leaves(start + .milliseconds(11)))
    #expect(link.admit(size: 1000, at: start) == .leaves(start + .milliseconds(12)))
    #expect(link.admit(size: 1000, at: start) == .leaves(start + .milliseconds(13)))
    #expect(link.admit(size: 1000, at: start) == .dropped)
    #expect(link.counts.overflowed == 1)
    // A millisecond later there is room for one again.
    #expect(link.admit(size: 1000, at: start + .milliseconds(1)) == .leaves(start + .milliseconds(14)))
    #expect(link.admit(size: 1000, at: start + .milliseconds(1)) == .dropped)
    // An idle link keeps nothing back.
    #expect(link.admit(size: 1000, at: start + .seconds(1)) == .leaves(start + .milliseconds(1011)))
    #expect(link.counts.lost == 0)
  }
}
