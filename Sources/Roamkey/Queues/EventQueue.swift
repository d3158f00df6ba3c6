internal import RoamkeyEngine

/// What a message costs of its sender's credit until the app has taken it.
struct Credit: Sendable {
  var handle: SessionHandle
  var bytes: Int
}

/// The events that the app has not taken yet.
///
/// The loop appends a batch a turn, any thread takes. It does not bound itself: messages are bounded by the credit of
/// their senders, which is given back only for what was taken; the rest is bounded by whoever appends, who sees
/// `backlog`.
final class EventQueue<Event: Sendable>: Sendable {
  struct Item: Sendable {
    var event: Event
    /// Only messages have some.
    var credit: Credit?
  }

  /// What waits to be taken.
  struct Backlog: Sendable {
    var events = 0
    /// The credit withheld by it, in bytes.
    var bytes = 0
  }

  enum Next {
    /// `isLast`: nothing else waits.
    case item(Item, isLast: Bool)
    case nothingYet
    /// There will be no more.
    case finished
  }

  private struct State: Sendable {
    /// Taken from its end, so that no event is moved to make room.
    var front: [Item] = []
    var back: [Item] = []
    var backlog = Backlog()
    var isFinished = false

    mutating func takeFirst() -> Next {
      if front.isEmpty {
        swap(&front, &back)
        front.reverse()
      }
      guard let item = front.popLast() else { return isFinished ? .finished : .nothingYet }
      backlog.events -= 1
      backlog.bytes -= item.credit?.bytes ?? 0
      return .item(item, isLast: backlog.events == 0)
    }
  }

  private let monitor = Monitor(State())

  /// Adds `items` and empties the array, which keeps its room. What comes after `finish` is dropped.
  func append(_ items: inout [Item]) {
    guard !items.isEmpty else { return }
    monitor.withLock { state in
      guard !state.isFinished else { return }
      state.backlog.events += items.count
      for item in items { state.backlog.bytes += item.credit?.bytes ?? 0 }
      state.back.append(contentsOf: items)
    }
    items.removeAll(keepingCapacity: true)
  }

  var backlog: Backlog { monitor.withLock { $0.backlog } }

  /// After what waits now there is nothing more.
  func finish() { monitor.withLock { $0.isFinished = true } }

  func takeFirst() -> Next { monitor.withLock { $0.takeFirst() } }

  /// All that waits, in order.
  func takeAll() -> [Item] {
    monitor.withLock { state in
      var items = state.front
      items.reverse()
      items += state.back
      state.front = []
      state.back = []
      state.backlog = Backlog()
      return items
    }
  }

  /// Returns when there is something to take, or never will be, or the task is cancelled.
  func wait(isolation: isolated (any Actor)?) async {
    await monitor.wait(isolation: isolation) { $0.backlog.events > 0 || $0.isFinished }
  }
}
