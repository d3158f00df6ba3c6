/// The events of a server or client, one after the other as they are taken from its queue.
///
/// Not an `AsyncStream`, which costs 1 to 2 us an event: as long as the queue holds events, the next one costs a lock
/// and no suspension. The iterator keeps nothing back, so a loop that is left and entered again goes on where it was.
struct EventSequence<Event: Sendable>: AsyncSequence, Sendable {
  let queue: EventQueue<Event>
  /// Told of every event that was taken, and whether the queue is empty now.
  let onTaken: @Sendable (Event, EventCost, _ isLast: Bool) -> Void

  struct Iterator: AsyncIteratorProtocol {
    let sequence: EventSequence

    /// The next event; nil after the last one, or when the task was cancelled.
    mutating func next(isolation: isolated (any Actor)?) async -> Event? {
      while true {
        switch sequence.queue.takeFirst() {
        case .event(let event, let cost, let isLast):
          sequence.onTaken(event, cost, isLast)
          return event
        case .finished: return nil
        case .nothingYet:
          if Task.isCancelled { return nil }
          await sequence.queue.wait(isolation: isolation)
        }
      }
    }

    mutating func next() async -> Event? { await next(isolation: nil) }
  }

  func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }
}
