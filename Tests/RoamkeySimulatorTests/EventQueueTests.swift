import RoamkeyEngine
import Testing

@testable import RoamkeySimulator

@Suite struct EventQueueTests {
  @Test func byTimeAndThenInTheOrderOfInsertion() {
    var queue = EventQueue<Int>()
    let times: [Int64] = [30, 10, 20, 10, 10, 20]
    for (item, time) in times.enumerated() { queue.insert(item, at: Instant(nanoseconds: time)) }
    #expect(queue.next == Instant(nanoseconds: 10))
    #expect(queue.takeDue(now: Instant(nanoseconds: 9)) == nil)
    let now = Instant(nanoseconds: 20)
    #expect((0..<6).map { _ in queue.takeDue(now: now) } == [1, 3, 4, 2, 5, nil])
    #expect(queue.next == Instant(nanoseconds: 30))
    #expect(queue.takeDue(now: .distantFuture) == 0 && queue.next == nil)
  }

  /// Against a sorted array, with insertions and removals in turn.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func likeASortedArray(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var queue = EventQueue<Int>()
    var model: [(time: Int64, item: Int)] = []
    for item in 0..<5000 {
      if random.chance(item < 2500 ? 0.7 : 0.4) {
        let time = Int64.random(in: 0..<200, using: &random)
        queue.insert(item, at: Instant(nanoseconds: time))
        model.insert((time, item), at: model.firstIndex { $0.time > time } ?? model.count)
      } else {
        let now = Int64.random(in: 0..<200, using: &random)
        let isDue = model.first.map { $0.time <= now } ?? false
        let expected = isDue ? model.removeFirst().item : nil
        #expect(queue.takeDue(now: Instant(nanoseconds: now)) == expected, "seed \(seed)")
      }
      #expect(queue.next?.nanoseconds == model.first?.time, "seed \(seed)")
    }
  }

  /// What is taken out is let go.
  @Test func itemsAreReleased() {
    final class Item {}
    var queue = EventQueue<Item>()
    weak var item: Item?
    do {
      let new = Item()
      item = new
      queue.insert(new, at: Instant(nanoseconds: 1))
    }
    #expect(item != nil)
    _ = queue.takeDue(now: .distantFuture)
    #expect(item == nil)
  }
}
