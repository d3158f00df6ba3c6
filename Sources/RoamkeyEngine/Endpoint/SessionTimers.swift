import HeapModule

/// Which session wants to be woken when. Entries are not removed when a deadline moves: one that is out of date is
/// recognised when it comes up, so a change costs one insertion at most, and none where the deadline moves later. They
/// name sessions and do not hold them: the keys of one that is gone are to be gone at once.
struct SessionTimers {
  private struct Entry: Comparable {
    let deadline: Instant
    let session: SessionHandle

    static func < (a: Entry, b: Entry) -> Bool { a.deadline < b.deadline }
    static func == (a: Entry, b: Entry) -> Bool { a.deadline == b.deadline }
  }

  private var heap = Heap<Entry>()

  /// The earliest deadline; it may turn out to be out of date.
  var next: Instant? { heap.min?.deadline }

  /// Takes note of the session's next deadline.
  mutating func update(_ session: Session) {
    guard let deadline = session.nextTimeout, deadline < session.scheduledTimeout else { return }
    session.scheduledTimeout = deadline
    heap.insert(Entry(deadline: deadline, session: session.handle))
  }

  /// The next of `sessions` for which something is due; nil when none is.
  mutating func takeDue(now: Instant, of sessions: [SessionHandle: Session]) -> Session? {
    removeOutdated(sessions)
    while let first = heap.min, first.deadline <= now {
      heap.removeMin()
      guard let session = sessions[first.session], session.scheduledTimeout == first.deadline else { continue }
      session.scheduledTimeout = .distantFuture
      if let deadline = session.nextTimeout, deadline <= now { return session }
      update(session)
    }
    return nil
  }

  /// A peer that makes short deadlines come and go leaves a long one behind each time, for hours if its player rests:
  /// what is out of date goes once it is most of the heap.
  private mutating func removeOutdated(_ sessions: [SessionHandle: Session]) {
    guard heap.count > Self.slack + 4 * sessions.count else { return }
    // In place: it happens again and again where players are acknowledged in time.
    heap.removeAll { sessions[$0.session]?.scheduledTimeout != $0.deadline }
  }

  private static let slack = 64
}
