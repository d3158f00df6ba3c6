internal import RoamkeyEngine
internal import RoamkeyUDP

extension Server {
  /// Waits until something has happened, and takes all of it, in order; an empty list when `limit` has passed. For
  /// games without tasks.
  ///
  /// It blocks the thread, and needs none of the others: with ``LoopMode/polled`` it carries the datagrams itself, what
  /// was sent before first of all. After ``close()`` it returns at once. Of threads that call it at the same time one
  /// gets each event.
  /// - Parameter limit: how long it waits at most; zero or less takes what is there, as ``takeEvents()`` does.
  @available(*, noasync, message: "it blocks the thread: await 'events' instead")
  public func poll(for limit: Duration) -> [Event] {
    guard limit > .zero else { return takeEvents() }
    let end = Instant.current + limit
    if drivers[0].isPolled {
      carry(until: end)
    } else {
      link.events.wait(until: end)
    }
    return link.takeEvents()
  }

  /// How long who asks on the local network waits for an answer, at most: a wait is cut into pieces of that.
  private static var answerPause: Duration { .milliseconds(50) }

  /// Carries datagrams, those of discovery among them, until there are events or `end` has come.
  private func carry(until end: Instant) {
    guard let announcer else { return drivers[0].poll(until: end) { link.events.hasNews } }
    var pieceEnd: Instant
    repeat {
      announcer.look()
      pieceEnd = min(end, .current + Self.answerPause)
      drivers[0].poll(until: pieceEnd) { link.events.hasNews }
      // A piece that was cut short has events, or the loop has ended.
    } while pieceEnd < end && pieceEnd <= .current && !link.events.hasNews
  }
}
