import DequeModule
package import RoamkeyEngine
import RoamkeyWire

/// One run of an endpoint and its app on a host. Who starts anew gets another one, and handles of sessions begin at 1
/// again: so the books are kept for each run.
package final class SimulatedProcess {
  /// A message that waits for room in the engine's queue.
  private struct Outgoing {
    let session: SessionHandle
    let content: [UInt8]
    let options: MessageOptions
  }

  /// A message that arrived.
  package struct Delivered {
    package let message: InboundMessage
    /// When the datagram left that made it complete; of several that came at once, the first.
    package let carriedAt: Instant
  }

  let endpoint: any SimulatedEndpoint
  /// A game's side of it: it sends and gets everything then, and no books are kept here.
  var app: (any SimulatedApp)?

  /// Everything but messages that the engine reported, in order.
  package private(set) var events: [EngineEvent] = []
  /// The bodies of the messages of each session, in order.
  package private(set) var inbox: [SessionHandle: [[UInt8]]] = [:]
  /// All messages with what the engine says of them, while `keepsMessages`.
  package private(set) var messages: [SessionHandle: [Delivered]] = [:]
  package var keepsMessages = false
  /// Messages that the app could not send, since their session had ended.
  package private(set) var undeliverable = 0
  /// Credit of messages that the app has not taken.
  private var unread: [(session: SessionHandle, stream: StreamID, credit: Int)] = []
  private var outbox = Deque<Outgoing>()
  private var carriedAt = Instant.distantFuture

  init(_ endpoint: any SimulatedEndpoint) { self.endpoint = endpoint }

  /// What its endpoint has counted.
  package var statistics: EndpointStatistics { endpoint.statistics }

  /// Messages that still wait for room in the engine's queue.
  package var waitingMessages: Int { outbox.count }

  /// Bytes of messages, as the engine counts them, that arrived and were not taken by the app.
  package var unreadBytes: Int { unread.reduce(0) { $0 + $1.credit } }

  func enqueue(_ content: [UInt8], _ options: MessageOptions, to session: SessionHandle) {
    outbox.append(Outgoing(session: session, content: content, options: options))
  }

  /// Nobody is there to send it.
  func reject() { undeliverable += 1 }

  /// Hands the engine as many waiting messages as it takes.
  func pump(now: Instant) {
    if let app { return app.work(now: now) }
    while let first = outbox.first {
      do throws(SendError) {
        try endpoint.submit(first.content, first.options, to: first.session, now: now)
      } catch {
        switch error {
        case .queueFull: return
        case .tooLarge, .notConnected, .notEncodable: undeliverable += 1
        }
      }
      outbox.removeFirst()
    }
  }

  /// A datagram is handed to the engine that left at that moment.
  func noteArrival(sentAt: Instant) { carriedAt = min(carriedAt, sentAt) }

  /// Takes note of what the engine reports.
  func receive(_ new: [EngineEvent], now: Instant) {
    defer { carriedAt = .distantFuture }
    if let app { return app.turn(new, now: now) }
    for event in new {
      guard case .message(let session, let message) = event else {
        note(event)
        continue
      }
      if message.stream == MessageOptions().stream { inbox[session, default: []].append(message.content.body) }
      if keepsMessages { messages[session, default: []].append(Delivered(message: message, carriedAt: carriedAt)) }
      if message.credit > 0 { unread.append((session, message.stream, message.credit)) }
    }
  }

  private func note(_ event: EngineEvent) {
    events.append(event)
    switch event {
    // What a session gave credit for has ended with it.
    case .left(let session, _), .reset(let session, _): unread.removeAll { $0.session == session }
    case .joined, .message, .roamed, .offline, .online, .receipt, .connectFailed, .searching: break
    }
  }

  /// The app takes all that has arrived.
  func takeUnread(now: Instant) {
    for (session, stream, credit) in unread {
      endpoint.release(credit, stream: stream, of: session, now: now)
    }
    unread.removeAll(keepingCapacity: true)
  }
}
