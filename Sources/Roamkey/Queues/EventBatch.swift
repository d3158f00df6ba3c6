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

/// What keeps an event that waits from costing memory without end, and what its taking means.
enum EventCost: Sendable {
  /// Events that are few, or that their cause bounds.
  case nothing
  case credit(Credit)
  /// May be dropped for newer ones of its session.
  case unreliable(SessionHandle, bytes: Int)
  /// The end of a session: what is still kept of it goes once the app has heard.
  case farewell
  /// Nothing waits here any more.
  case blank

  /// What an unreliable message counts beside its action and body: its place in the list, and two small blocks of
  /// memory, as measured.
  static var unreliableOverhead: Int { 296 }

  /// What an author's signature takes besides: the object that holds it, its bytes, and what it is checked against.
  static var signatureOverhead: Int { 256 }

  /// Bytes of memory, about.
  var bytes: Int {
    switch self {
    case .nothing, .farewell, .blank: 0
    case .credit(let credit): credit.bytes
    case .unreliable(_, let bytes): bytes
    }
  }

  /// What goes back to the sender when the app takes it.
  var credit: Credit? { if case .credit(let credit) = self { credit } else { nil } }

  /// Of a message that arrived.
  init(of message: borrowing InboundMessage, in handle: SessionHandle) {
    let stream = message.stream
    self =
      stream.delivery.isReliable
      ? .credit(Credit(account: .init(handle: handle, stream: stream), bytes: message.credit))
      : .unreliable(
        handle,
        bytes: message.content.action.utf8.count + message.content.body.count + Self.unreliableOverhead
          + (message.content.proof == nil ? 0 : Self.signatureOverhead))
  }
}

/// Events in order, and beside each what it costs: two arrays, so that the app is handed the first as it is.
struct EventBatch<Event: Sendable>: Sendable {
  private(set) var events: [Event] = []
  private(set) var costs: [EventCost] = []
  /// Whether one of them may be dropped for newer ones.
  private(set) var hasUnreliable = false

  var isEmpty: Bool { events.isEmpty }
  var count: Int { events.count }

  mutating func append(_ event: consuming Event, cost: EventCost = .nothing) {
    events.append(event)
    costs.append(cost)
    if case .unreliable = cost { hasUnreliable = true }
  }

  /// The event at `place`, moved out: a message is several references.
  mutating func take(_ place: Int, leaving blank: Event) -> Event {
    costs[place] = .blank
    var event = blank
    swap(&event, &events[place])
    return event
  }

  /// Calls `body` with what is to be given back for them. Neighbours are nearly always of one account: they are added
  /// up first.
  func forEachCredit(_ body: (Credit) -> Void) {
    var sum: Credit?
    for cost in costs {
      guard case .credit(let credit) = cost else { continue }
      if let known = sum, known.account == credit.account {
        sum?.bytes += credit.bytes
      } else {
        if let sum { body(sum) }
        sum = credit
      }
    }
    if let sum { body(sum) }
  }

  mutating func reserve(_ count: Int) {
    events.reserveCapacity(count)
    costs.reserveCapacity(count)
  }

  mutating func removeFirst(_ count: Int) {
    events.removeFirst(count)
    costs.removeFirst(count)
  }

  /// Empties it; the room stays.
  mutating func removeAll() {
    events.removeAll(keepingCapacity: true)
    costs.removeAll(keepingCapacity: true)
    hasUnreliable = false
  }
}
