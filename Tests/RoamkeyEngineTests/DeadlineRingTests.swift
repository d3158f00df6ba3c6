import RoamkeySimulator
import Testing

@testable import RoamkeyEngine

@Suite struct DeadlineRingTests {
  private func at(_ milliseconds: Double) -> Instant { Instant(nanoseconds: Int64(milliseconds * 1e6)) }

  @Test func nothingIsInsideBeforeTheTimeIsKnown() {
    var ring = DeadlineRing<Int>()
    #expect(ring.insert(1, deadline: at(100)) == .far)
    #expect(ring.start == nil)
  }

  @Test func whatIsNearOrFarIsRefused() {
    var ring = DeadlineRing<Int>()
    var begun: [Int] = []
    ring.takeBegun(by: at(1000), into: &begun)
    #expect(ring.insert(1, deadline: at(900)) == .near && ring.insert(1, deadline: at(1000)) == .near)
    #expect(ring.insert(1, deadline: at(1300)) == .far && ring.insert(1, deadline: .distantFuture) == .far)
    #expect(ring.start == nil)
    #expect(ring.insert(1, deadline: at(1200)) == .inside)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func whateverIsInsideComesOutInItsSlice(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var ring = DeadlineRing<Instant>()
    var waiting: [Instant] = []
    var now = Instant(nanoseconds: .random(in: -1_000_000_000...1 << 60, using: &random))
    var taken: [Instant] = []
    ring.takeBegun(by: now, into: &taken)
    for _ in 0..<2000 {
      let deadline = now + random.duration(below: .milliseconds(400)) - .milliseconds(20)
      switch ring.insert(deadline, deadline: deadline) {
      case .near: #expect(deadline < now + .milliseconds(5))
      case .inside: waiting.append(deadline)
      case .far: #expect(deadline > now + .milliseconds(250))
      }
      // The first slice begins before what is first in it, and by no more than its length.
      #expect((ring.start == nil) == waiting.isEmpty)
      if let start = ring.start, let first = waiting.min() {
        #expect(start <= first && first < start + .milliseconds(5) && start > now, "seed \(seed)")
      }
      if random.chance(0.3) {
        now = now + random.duration(below: random.chance(0.02) ? .seconds(3) : .milliseconds(20))
        ring.takeBegun(by: now, into: &taken)
        #expect(taken.allSatisfy { $0 < now + .milliseconds(5) })
        #expect(Set(taken).isSubset(of: waiting))
        waiting.removeAll { Set(taken).contains($0) }
        #expect(waiting.allSatisfy { $0 > now }, "seed \(seed): something was left behind")
        taken.removeAll()
      }
    }
  }
}
