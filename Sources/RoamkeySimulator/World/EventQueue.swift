import RoamkeyEngine

/// What is to happen, by time; what is due at the same moment happens in the order in which it was put in.
///
/// Items stay in their slots while their times are sorted: every datagram passes through here, and moving whole items
/// up and down was a good part of what a simulation cost.
struct EventQueue<Item> {
  private let times = TimeHeap()
  private var slots: [Item?] = []
  private var free: [Int] = []

  /// When the next item is due.
  var next: Instant? { times.isEmpty ? nil : Instant(nanoseconds: times.earliest) }

  mutating func insert(_ item: Item, at time: Instant) {
    if let slot = free.popLast() {
      slots[slot] = item
      times.insert(time.nanoseconds, slot: slot)
    } else {
      slots.append(item)
      times.insert(time.nanoseconds, slot: slots.count - 1)
    }
  }

  /// The next item that is due.
  mutating func takeDue(now: Instant) -> Item? {
    guard !times.isEmpty, times.earliest <= now.nanoseconds else { return nil }
    let slot = times.removeEarliest()
    free.append(slot)
    return slots[slot].take()
  }
}

/// A binary heap of moments. Plain memory rather than a generic container: in a debug build, in which tests run, it is
/// several times as fast.
private final class TimeHeap {
  private struct Entry {
    let time: Int64
    /// Which one was put in first.
    let order: UInt64
    let slot: Int
  }

  private var entries = UnsafeMutablePointer<Entry>.allocate(capacity: 64)
  private var capacity = 64
  private var count = 0
  private var inserted: UInt64 = 0

  deinit { entries.deallocate() }

  var isEmpty: Bool { count == 0 }

  /// The first moment; there must be one.
  var earliest: Int64 { entries[0].time }

  func insert(_ time: Int64, slot: Int) {
    if count == capacity { grow() }
    let new = Entry(time: time, order: inserted, slot: slot)
    inserted += 1
    // The new one is the last of its moment, so an equal one stays above it.
    var position = count
    count += 1
    while position > 0 {
      let parent = (position - 1) / 2
      if entries[parent].time <= time { break }
      entries[position] = entries[parent]
      position = parent
    }
    entries[position] = new
  }

  /// Takes out the first one, of which there must be one.
  func removeEarliest() -> Int {
    let slot = entries[0].slot
    count -= 1
    let last = entries[count]
    var position = 0
    while true {
      var child = 2 * position + 1
      if child >= count { break }
      if child + 1 < count, isBefore(entries[child + 1], entries[child]) { child += 1 }
      if isBefore(last, entries[child]) { break }
      entries[position] = entries[child]
      position = child
    }
    entries[position] = last
    return slot
  }

  private func isBefore(_ a: Entry, _ b: Entry) -> Bool {
    a.time == b.time ? a.order < b.order : a.time < b.time
  }

  private func grow() {
    let larger = UnsafeMutablePointer<Entry>.allocate(capacity: 2 * capacity)
    larger.moveInitialize(from: entries, count: count)
    entries.deallocate()
    entries = larger
    capacity *= 2
  }
}
