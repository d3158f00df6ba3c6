import HeapModule
import RoamkeyCrypto

/// Which session wants to be woken when.
///
/// What each wants stands in a table of its own, so that the deadlines of thousands of sessions are moved, and found to
/// have moved, without a look at the sessions themselves: nothing of most of them is in the processor's caches.
/// Entries are not removed when a deadline moves: one that is out of date is recognised when it comes up, so a
/// change costs one insertion at most, and none where the deadline moves later.
///
/// Where there are many sessions, what is due within a quarter of a second waits in a ring, and comes into the heap of
/// what is next some milliseconds before its time. By then most of it has moved on: heaps of thousands, which touch a
/// line of memory for each doubling, are left to what is far.
///
/// The table names sessions and does not hold them: the keys of one that is gone are to be gone at once.
struct SessionTimers {
  private struct Entry: Comparable {
    let deadline: Instant
    /// Where it stands in the table.
    let place: UInt32

    static func < (a: Entry, b: Entry) -> Bool { a.deadline < b.deadline }
    static func == (a: Entry, b: Entry) -> Bool { a.deadline == b.deadline }
  }

  private struct Place {
    let session: SessionHandle
    /// What the session said last.
    var deadline = Instant.distantFuture
    /// The deadline of the entry that counts; other entries of this place are out of date.
    var scheduled = Instant.distantFuture
  }

  private var next = Heap<Entry>()
  private var soon = DeadlineRing<Entry>()
  private var far = Heap<Entry>()
  /// Reused: what comes out of the ring.
  private var begun: [Entry] = []
  private var places: [Place] = []
  /// Places of sessions that are gone.
  private var free: [UInt32] = []

  /// The earliest deadline; it may turn out to be out of date, or to be some milliseconds later.
  var nextDeadline: Instant? {
    let deadlines = (
      next.min?.deadline ?? .distantFuture, soon.start ?? .distantFuture, far.min?.deadline ?? .distantFuture
    )
    let earliest = min(deadlines.0, deadlines.1, deadlines.2)
    return earliest == .distantFuture ? nil : earliest
  }

  /// Takes note of the session's next deadline.
  mutating func update(_ session: Session) {
    let place = session.timerPlace ?? add(session)
    let deadline = session.nextTimeout ?? .distantFuture
    places[Int(place)].deadline = deadline
    schedule(place)
  }

  /// Asks for a session's place in the table.
  func prefetch(_ session: Session) {
    guard let place = session.timerPlace, let start = places.withUnsafeBufferPointer({ $0.baseAddress }) else { return }
    RoamkeyCrypto.prefetch(start + Int(place), bytes: MemoryLayout<Place>.size)
  }

  /// Forgets a session. Entries of its place may come up for whoever has it next, and are out of date then.
  mutating func remove(_ session: Session) {
    guard let place = session.timerPlace else { return }
    session.timerPlace = nil
    places[Int(place)].deadline = .distantFuture
    places[Int(place)].scheduled = .distantFuture
    free.append(place)
  }

  /// The next of `sessions` for which something is due; nil when none is.
  mutating func takeDue(now: Instant, of sessions: SessionTable<SessionHandle>) -> Session? {
    removeOutdated()
    takeBegun(now: now)
    while let first = popDue(now: now) {
      let place = Int(first.place)
      guard places[place].scheduled == first.deadline else { continue }
      places[place].scheduled = .distantFuture
      guard places[place].deadline <= now else {
        schedule(first.place)
        continue
      }
      guard let session = sessions[places[place].session] else { continue }
      if let deadline = session.nextTimeout, deadline <= now { return session }
      update(session)
    }
    return nil
  }

  private mutating func add(_ session: Session) -> UInt32 {
    let place = free.popLast() ?? UInt32(places.count)
    if place == places.count {
      places.append(Place(session: session.handle))
    } else {
      places[Int(place)] = Place(session: session.handle)
    }
    session.timerPlace = place
    return place
  }

  private mutating func schedule(_ place: UInt32) {
    let deadline = places[Int(place)].deadline
    guard deadline < places[Int(place)].scheduled else { return }
    places[Int(place)].scheduled = deadline
    let entry = Entry(deadline: deadline, place: place)
    guard isMany else { return next.insert(entry) }
    switch soon.insert(entry, deadline: deadline) {
    case .near: next.insert(entry)
    case .inside: break
    case .far: far.insert(entry)
    }
  }

  /// Fewer are sorted as fast in a heap, and nobody is woken some milliseconds early for them.
  private var isMany: Bool { places.count - free.count >= Self.many }

  private static let many = 64

  /// What begins in the ring's next milliseconds is to come in its order.
  private mutating func takeBegun(now: Instant) {
    soon.takeBegun(by: now, into: &begun)
    for entry in begun where places[Int(entry.place)].scheduled == entry.deadline {
      if places[Int(entry.place)].deadline == entry.deadline {
        next.insert(entry)
      } else {
        // It has moved on, and goes where it belongs now without having been sorted.
        places[Int(entry.place)].scheduled = .distantFuture
        schedule(entry.place)
      }
    }
    begun.removeAll(keepingCapacity: true)
  }

  private mutating func popDue(now: Instant) -> Entry? {
    let nearest = next.min?.deadline ?? .distantFuture
    let farthest = far.min?.deadline ?? .distantFuture
    guard min(nearest, farthest) <= now else { return nil }
    return nearest <= farthest ? next.popMin() : far.popMin()
  }

  /// A peer that makes short deadlines come and go leaves a long one behind each time, for hours if its player rests:
  /// what is out of date goes once it is most of the heap.
  private mutating func removeOutdated() {
    let limit = Self.slack + 4 * (places.count - free.count)
    // In place: it happens again and again where players are acknowledged in time.
    if next.count > limit { Self.removeOutdated(from: &next, places) }
    if far.count > limit { Self.removeOutdated(from: &far, places) }
  }

  private static func removeOutdated(from heap: inout Heap<Entry>, _ places: [Place]) {
    heap.removeAll { places[Int($0.place)].scheduled != $0.deadline }
  }

  private static let slack = 64
}
