internal import RoamkeyEngine

/// What waits to be taken.
struct EventBacklog: Sendable {
  var events = 0
  /// The bytes of its messages.
  var bytes = 0
}

/// The events that the app has not taken yet.
///
/// The loop appends a batch a turn, any thread takes. Reliable messages are bounded by the credit of their senders,
/// which is given back only for what was taken; unreliable ones have none, so the oldest of a session make room for
/// newer ones; the rest is bounded by whoever appends, who sees `backlog`, or by `eventLimit`.
final class EventQueue<Event: Sendable>: Sendable {
  enum Next {
    /// `isLast`: nothing else waits.
    case event(Event, EventCost, isLast: Bool)
    case nothingYet
    /// There will be no more.
    case finished
  }

  private struct State: Sendable {
    var list: EventList<Event>
    var isFinished = false

    var hasNews: Bool { list.backlog.events > 0 || isFinished }
  }

  private let monitor: Monitor<State>

  /// - Parameters:
  ///   - unreliableLimit: how many bytes of unreliable messages may wait, of each session.
  ///   - eventLimit: beyond so many events that wait the oldest are dropped, whatever they are.
  ///   - blank: an event that holds no memory of its own.
  init(unreliableLimit: Int = 0, eventLimit: Int = .max, blank: Event) {
    monitor = Monitor(State(list: EventList(limit: unreliableLimit, eventLimit: eventLimit, blank: blank)))
  }

  /// Takes all of `batch`, which is empty then. What comes after `finish` is dropped.
  func append(_ batch: inout EventBatch<Event>) {
    guard !batch.isEmpty else { return }
    monitor.withLock { state in
      if state.isFinished { batch.removeAll() } else { state.list.append(moving: &batch) }
    }
  }

  var backlog: EventBacklog { monitor.withLock { $0.list.backlog } }

  /// Events that were dropped unread.
  var dropped: UInt64 { monitor.withLock { $0.list.dropped } }

  /// After what waits now there is nothing more.
  func finish() { monitor.withLock { $0.isFinished = true } }

  func takeFirst() -> Next {
    monitor.withLock { state in
      guard let (event, cost) = state.list.popFirst() else { return state.isFinished ? .finished : .nothingYet }
      return .event(event, cost, isLast: state.list.backlog.events == 0)
    }
  }

  /// All that waits, in order.
  func takeAll() -> EventBatch<Event> { monitor.withLock { $0.list.removeAll() } }

  /// Whether there is something to take, or never will be.
  var hasNews: Bool { monitor.withLock { $0.hasNews } }

  /// Blocks the thread until there is something to take, or never will be, or until `limit`.
  func wait(until limit: Instant) { monitor.wait(until: limit) { $0.hasNews } }

  /// Returns when there is something to take, or never will be, or the task is cancelled.
  func wait(isolation: isolated (any Actor)?) async {
    await monitor.wait(isolation: isolation) { $0.hasNews }
  }
}
