internal import RoamkeyEngine

/// Events in the order in which they came, out of which a session's oldest unreliable messages can be dropped, and the
/// oldest of all where there are too many.
///
/// An app nearly always takes all that waits, and is handed the array as it is. What was taken one by one, or dropped,
/// leaves a blank; blanks go once they outnumber what waits, so that each step takes the same short time on average,
/// and nothing grows for as long as an app reads nothing.
struct EventList<Event: Sendable>: Sendable {
  /// The unreliable messages of one session, by place.
  private struct Unreliable: Sendable {
    var oldest: Int
    var newest: Int
    var bytes: Int
  }

  private static var none: Int { -1 }
  /// An empty list gives its memory back when it has more places than this.
  private static var sparePlaces: Int { 1024 }
  /// So many blanks may stay, however few events wait.
  private static var spareBlanks: Int { 64 }

  private var batch = EventBatch<Event>()
  /// Before this place all are blank.
  private var first = 0
  private var blanks = 0
  /// For each place that of the session's next unreliable message; shorter where there are none.
  private var newer: [Int] = []
  private var unreliable: [SessionHandle: Unreliable] = [:]
  private let limit: Int
  private let eventLimit: Int
  private let blank: Event

  /// What waits.
  private(set) var backlog = EventBacklog()
  /// Events that made room for newer ones.
  private(set) var dropped: UInt64 = 0

  /// How many places there are, blank ones included.
  var placeCount: Int { batch.count }

  /// - Parameters:
  ///   - limit: how many bytes of unreliable messages it keeps of each session. The newest one stays whatever its size.
  ///   - eventLimit: how many events it keeps at all. The newest one stays.
  ///   - blank: an event that holds no memory of its own.
  init(limit: Int, eventLimit: Int = .max, blank: Event) {
    self.limit = max(0, limit)
    self.eventLimit = max(1, eventLimit)
    self.blank = blank
  }

  // MARK: In

  /// Moves all of `new` to the end; it is empty then.
  mutating func append(moving new: inout EventBatch<Event>) {
    guard batch.isEmpty, !new.hasUnreliable, new.count <= eventLimit else {
      for place in new.events.indices {
        let cost = new.costs[place]
        append(new.take(place, leaving: blank), cost: cost)
      }
      return new.removeAll()
    }
    swap(&batch, &new)
    backlog.events = batch.count
    for cost in batch.costs { backlog.bytes += cost.bytes }
  }

  mutating func append(_ event: consuming Event, cost: EventCost = .nothing) {
    if case .unreliable(let session, let bytes) = cost { makeRoom(for: bytes, of: session) }
    if backlog.events >= eventLimit {
      _ = popFirst()
      dropped += 1
    }
    if blanks > max(backlog.events, Self.spareBlanks) { compact() }
    batch.append(event, cost: cost)
    backlog.events += 1
    backlog.bytes += cost.bytes
    if case .unreliable(let session, let bytes) = cost { link(batch.count - 1, session, bytes) }
  }

  private mutating func makeRoom(for bytes: Int, of session: SessionHandle) {
    while let waiting = unreliable[session], bytes > limit - waiting.bytes {
      _ = remove(waiting.oldest)
      dropped += 1
    }
  }

  /// Adds a place to its session's unreliable messages.
  private mutating func link(_ place: Int, _ session: SessionHandle, _ bytes: Int) {
    while newer.count <= place { newer.append(Self.none) }
    guard let known = unreliable.index(forKey: session) else {
      unreliable[session] = Unreliable(oldest: place, newest: place, bytes: bytes)
      return
    }
    newer[unreliable.values[known].newest] = place
    unreliable.values[known].newest = place
    unreliable.values[known].bytes += bytes
  }

  // MARK: Out

  mutating func popFirst() -> (event: Event, cost: EventCost)? {
    guard backlog.events > 0 else { return nil }
    while case .blank = batch.costs[first] { first += 1 }
    return remove(first)
  }

  /// All that waits, in order.
  mutating func removeAll() -> EventBatch<Event> {
    if blanks > 0 {
      // An app that was woken by the first takes the rest at once.
      while case .blank = batch.costs[first] { first += 1 }
      if blanks == first { batch.removeFirst(first) } else { compact() }
    }
    var all = EventBatch<Event>()
    swap(&all, &batch)
    unreliable.removeAll(keepingCapacity: true)
    restart()
    return all
  }

  /// - Precondition: an unreliable message is the oldest of its session: those who take begin at the front.
  private mutating func remove(_ place: Int) -> (event: Event, cost: EventCost) {
    let cost = batch.costs[place]
    if case .unreliable(let session, let bytes) = cost {
      let next = newer[place]
      if next == Self.none {
        unreliable[session] = nil
      } else {
        unreliable[session]?.oldest = next
        unreliable[session]?.bytes -= bytes
      }
    }
    let event = batch.take(place, leaving: blank)
    blanks += 1
    backlog.events -= 1
    backlog.bytes -= cost.bytes
    if backlog.events == 0 {
      if batch.count > Self.sparePlaces { batch = EventBatch() } else { batch.removeAll() }
      restart()
    }
    return (event, cost)
  }

  // MARK: Blanks

  /// Nothing waits.
  private mutating func restart() {
    backlog = EventBacklog()
    first = 0
    blanks = 0
    newer.removeAll(keepingCapacity: newer.count <= Self.sparePlaces)
  }

  /// Moves together what waits.
  private mutating func compact() {
    var live = EventBatch<Event>()
    live.reserve(2 * backlog.events)
    swap(&live, &batch)
    first = 0
    blanks = 0
    newer.removeAll(keepingCapacity: true)
    unreliable.removeAll(keepingCapacity: true)
    for place in live.events.indices {
      let cost = live.costs[place]
      if case .blank = cost { continue }
      batch.append(live.take(place, leaving: blank), cost: cost)
      if case .unreliable(let session, let bytes) = cost { link(batch.count - 1, session, bytes) }
    }
  }
}
