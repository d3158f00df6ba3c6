import HeapModule
import RoamkeyEngine

/// What is to happen, by time; what is due at the same moment happens in the order in which it was put in.
struct EventQueue<Item> {
  private struct Entry: Comparable {
    let time: Instant
    let order: UInt64
    let item: Item

    static func < (a: Entry, b: Entry) -> Bool { (a.time, a.order) < (b.time, b.order) }
    static func == (a: Entry, b: Entry) -> Bool { a.order == b.order }
  }

  private var heap = Heap<Entry>()
  private var inserted: UInt64 = 0

  var next: Instant? { heap.min?.time }

  mutating func insert(_ item: Item, at time: Instant) {
    heap.insert(Entry(time: time, order: inserted, item: item))
    inserted += 1
  }

  /// The next item that is due.
  mutating func takeDue(now: Instant) -> Item? {
    guard let first = heap.min, first.time <= now else { return nil }
    return heap.removeMin().item
  }
}
