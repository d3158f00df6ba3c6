internal import RoamkeyEngine
internal import RoamkeyWire

/// What a reliable message costs of its sender's credit until the app has taken it.
struct Credit: Sendable {
  /// Credit is kept for each of these by itself.
  struct Account: Sendable, Hashable {
    var handle: SessionHandle
    var stream: StreamID
  }

  var account: Account
  var bytes: Int
}

/// The events that the app has not taken yet.
///
/// The loop appends a batch a turn, any thread takes. Reliable messages are bounded by the credit of their senders,
/// which is given back only for what was taken; unreliable ones have none, so the oldest of a session make room for
/// newer ones; the rest is bounded by whoever appends, who sees `backlog`, or by `eventLimit`.
final class EventQueue<Event: Sendable>: Sendable {
  /// What keeps an event from costing memory without end.
  enum Cost: Sendable {
    /// Events that are few, or that their cause bounds.
    case nothing
    case credit(Credit)
    /// May be dropped for newer ones of its session.
    case unreliable(SessionHandle, bytes: Int)

    /// Bytes of memory, about.
    var bytes: Int {
      switch self {
      case .nothing: 0
      case .credit(let credit): credit.bytes
      case .unreliable(_, let bytes): bytes
      }
    }

    /// Of a message that arrived.
    init(of message: InboundMessage, in handle: SessionHandle) {
      let stream = message.stream
      self =
        stream.delivery.isReliable
        ? .credit(Credit(account: .init(handle: handle, stream: stream), bytes: message.credit))
        : .unreliable(
          handle, bytes: message.content.action.utf8.count + message.content.body.count + EventQueue.unreliableOverhead)
    }
  }

  struct Item: Sendable {
    var event: Event
    var cost: Cost

    init(event: Event, cost: Cost = .nothing) {
      self.event = event
      self.cost = cost
    }

    /// What goes back to the sender when the app takes it.
    var credit: Credit? { if case .credit(let credit) = cost { credit } else { nil } }
  }

  /// What waits to be taken.
  struct Backlog: Sendable {
    var events = 0
    /// The bytes of its messages.
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
    var list: EventList<Event>
    var isFinished = false
  }

  /// What an unreliable message counts beside its action and body: its place in the list, and two small blocks of
  /// memory, as measured.
  static var unreliableOverhead: Int { 288 }

  private let monitor: Monitor<State>

  /// - Parameter unreliableLimit: how many bytes of unreliable messages may wait, of each session.
  init(unreliableLimit: Int) { monitor = Monitor(State(list: EventList(limit: unreliableLimit))) }

  /// - Parameter eventLimit: beyond so many events that wait the oldest are dropped, whatever they are.
  init(eventLimit: Int) { monitor = Monitor(State(list: EventList(limit: 0, eventLimit: eventLimit))) }

  /// Adds `items` and empties the array, which keeps its room. What comes after `finish` is dropped.
  func append(_ items: inout [Item]) {
    guard !items.isEmpty else { return }
    monitor.withLock { state in
      guard !state.isFinished else { return }
      for item in items { state.list.append(item) }
    }
    items.removeAll(keepingCapacity: true)
  }

  var backlog: Backlog { monitor.withLock { $0.list.backlog } }

  /// Events that were dropped unread.
  var dropped: UInt64 { monitor.withLock { $0.list.dropped } }

  /// After what waits now there is nothing more.
  func finish() { monitor.withLock { $0.isFinished = true } }

  func takeFirst() -> Next {
    monitor.withLock { state in
      guard let item = state.list.popFirst() else { return state.isFinished ? .finished : .nothingYet }
      return .item(item, isLast: state.list.backlog.events == 0)
    }
  }

  /// All that waits, in order.
  func takeAll() -> [Item] { monitor.withLock { $0.list.removeAll() } }

  /// Returns when there is something to take, or never will be, or the task is cancelled.
  func wait(isolation: isolated (any Actor)?) async {
    await monitor.wait(isolation: isolation) { $0.list.backlog.events > 0 || $0.isFinished }
  }
}
