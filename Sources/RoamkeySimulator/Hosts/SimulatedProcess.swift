import DequeModule
package import RoamkeyEngine

/// One run of an endpoint and its app on a host. Who starts anew gets another one, and handles of sessions begin at 1
/// again: so the books are kept for each run.
package final class SimulatedProcess {
  /// A message that waits for room in the engine's queue.
  private struct Outgoing {
    let session: SessionHandle
    let content: [UInt8]
  }

  let endpoint: any SimulatedEndpoint

  /// Everything but messages that the engine reported, in order.
  package private(set) var events: [EngineEvent] = []
  /// The bodies of the messages of each session, in order.
  package private(set) var inbox: [SessionHandle: [[UInt8]]] = [:]
  /// Messages that the app could not send, since their session had ended.
  package private(set) var undeliverable = 0
  /// Credit of messages that the app has not taken.
  private var unread: [(session: SessionHandle, credit: Int)] = []
  private var outbox = Deque<Outgoing>()

  init(_ endpoint: any SimulatedEndpoint) { self.endpoint = endpoint }

  /// What its endpoint has counted.
  package var statistics: EndpointStatistics { endpoint.statistics }

  /// Messages that still wait for room in the engine's queue.
  package var waitingMessages: Int { outbox.count }

  /// Bytes of messages, as the engine counts them, that arrived and were not taken by the app.
  package var unreadBytes: Int { unread.reduce(0) { $0 + $1.credit } }

  func enqueue(_ content: [UInt8], to session: SessionHandle) {
    outbox.append(Outgoing(session: session, content: content))
  }

  /// Nobody is there to send it.
  func reject() { undeliverable += 1 }

  /// Hands the engine as many waiting messages as it takes.
  func pump(now: Instant) {
    while let first = outbox.first {
      do throws(SendError) {
        try endpoint.submit(first.content, to: first.session, now: now)
      } catch {
        switch error {
        case .queueFull: return
        case .tooLarge, .notConnected: undeliverable += 1
        }
      }
      outbox.removeFirst()
    }
  }

  /// Takes note of what the engine reports.
  func receive(_ new: [EngineEvent]) {
    for event in new {
      guard case .message(let session, let message) = event else {
        events.append(event)
        continue
      }
      inbox[session, default: []].append(message.content.body)
      unread.append((session, message.credit))
    }
  }

  /// The app takes all that has arrived.
  func takeUnread(now: Instant) {
    for (session, credit) in unread { endpoint.release(credit, of: session, now: now) }
    unread.removeAll(keepingCapacity: true)
  }
}
