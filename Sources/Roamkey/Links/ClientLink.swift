package import RoamkeyCrypto
package import RoamkeyEngine
package import RoamkeyWire

/// What a client's app and its loop share. Both sides hold it for moments only, under one lock.
///
/// It names neither a thread nor a socket: a loop in virtual time runs it as well.
package final class ClientLink: Sendable {
  typealias Item = EventQueue<Client.Event>.Item

  /// How far the session is.
  package enum Phase: Sendable {
    case connecting
    case connected(Peer)
    case failed(ConnectError)
    case ended(Peer, EndReason)
  }

  /// The server.
  package struct Peer: Sendable {
    var handle: SessionHandle
    package var id: PlayerID
    package var address: NetworkAddress
  }

  private struct State: Sendable {
    var phase = Phase.connecting
    var ledger: Ledger
    /// The app is closing: it cannot send any more.
    var isClosing = false
    var isIdle = false
    var finalStatistics: Statistics?
  }

  /// The loop's own, reused from turn to turn.
  private struct Scratch: Sendable {
    var work = Ledger.Work()
    var drained: [EngineEvent] = []
    var items: [Item] = []
    var receipts: [EventQueue<Receipt>.Item] = []
  }

  let events: EventQueue<Client.Event>
  let receipts: EventQueue<Receipt>
  private let configuration: RoamkeyConfiguration
  private let clock: LocalClock
  private let monitor: Monitor<State>
  /// Only the loop takes this lock, so it is never contended.
  private let scratch = Locked(Scratch())

  /// - Parameter clock: what messages say when they were sent by.
  package init(_ configuration: RoamkeyConfiguration, clock: LocalClock) {
    self.configuration = configuration
    self.clock = clock
    events = EventQueue(unreliableLimit: configuration.unreadUnreliableLimit)
    receipts = EventQueue(eventLimit: configuration.unreadEventLimit)
    monitor = Monitor(State(ledger: Ledger(configuration)))
  }

  // MARK: From any thread

  /// How far the session is.
  package var phase: Phase { monitor.withLock { $0.phase } }

  var peer: Peer? {
    switch phase {
    case .connected(let peer), .ended(let peer, _): peer
    case .connecting, .failed: nil
    }
  }

  /// Returns once it is decided whether there is a session, or when the task is cancelled.
  func waitUntilConnected() async {
    await monitor.wait { if case .connecting = $0.phase { false } else { true } }
  }

  /// Returns once the session has ended, or when the task is cancelled.
  func waitUntilEnded() async {
    await monitor.wait { if case .ended = $0.phase { true } else { false } }
  }

  /// Returns once the session has ended and the engine has nothing more to say.
  func waitUntilIdle() async {
    await monitor.wait { state in
      if case .ended = state.phase { state.isIdle } else { false }
    }
  }

  /// Returns once the queue is at most half full, or the session has ended, or the task is cancelled.
  func waitForRoom() async {
    await monitor.wait { state in
      if case .connected(let peer) = state.phase { state.ledger.hasRoom(peer.handle) } else { true }
    }
  }

  /// Bytes queued for the server: not sent yet, or not acknowledged.
  package var queuedBytes: Int {
    monitor.withLock { state in
      if case .connected(let peer) = state.phase { state.ledger.queuedBytes(of: peer.handle) } else { 0 }
    }
  }

  /// Hands `message` over, sent at `now`.
  /// - Returns: whether the loop must be called.
  package func send(_ message: Message, _ options: SendOptions, at now: Instant) throws(SendError) -> Bool {
    // What this player passes on is its own message, and sent now.
    let content = try message.encoded(options, at: now, time: clock.milliseconds24(now))
    let result = monitor.withLock { state -> Result<Bool, SendError> in
      guard case .connected(let peer) = state.phase, !state.isClosing else { return .failure(.notConnected) }
      do throws(SendError) {
        try state.ledger.send(content, to: peer.handle)
      } catch {
        return .failure(error)
      }
      return .success(state.ledger.callForMessage(options.priority))
    }
    return try result.get()
  }

  /// Notes that the player rests, or does no more.
  /// - Returns: whether the loop must be called.
  package func setResting(_ isResting: Bool) -> Bool {
    monitor.withLock { state in
      guard case .connected(let peer) = state.phase, !state.isClosing else { return false }
      state.ledger.setResting(isResting, of: peer.handle)
      return state.ledger.call()
    }
  }

  /// From now on `send` throws `notConnected`.
  package func refuseMessages() { monitor.withLock { $0.isClosing = true } }

  /// Notes what the app has taken.
  /// - Returns: whether the loop must be called.
  func taken(_ item: Item, isLast: Bool) -> Bool {
    guard item.credit != nil || isLast else { return false }
    return monitor.withLock { $0.ledger.giveBack(item.credit, isLast: isLast) && $0.ledger.call() }
  }

  /// All events that wait.
  /// - Returns: also whether the loop must be called.
  package func takeEvents() -> (events: [Client.Event], calls: Bool) {
    let items = events.takeAll()
    var calls = false
    for (index, item) in items.enumerated() where taken(item, isLast: index == items.count - 1) { calls = true }
    return (items.map(\.event), calls)
  }

  /// All receipts that wait.
  package func takeReceipts() -> [Receipt] { receipts.takeAll().map(\.event) }

  /// Events and receipts that were dropped unread.
  package var unreadDropped: UInt64 { events.dropped + receipts.dropped }

  var finalStatistics: Statistics? {
    get { monitor.withLock { $0.finalStatistics } }
    set { monitor.withLock { $0.finalStatistics = newValue } }
  }

  // MARK: From the loop

  /// Does what the app's threads have asked for.
  package func work(_ endpoint: ClientEndpoint, _ now: Instant) {
    scratch.withLock { scratch in
      monitor.withLock { $0.ledger.take(&scratch.work) }
      for message in scratch.work.messages {
        do throws(SendError) {
          try endpoint.send(message.content, message.options, now: now)
        } catch .notConnected {
          // The session ended meanwhile: `disconnected` says so, as for all that was still queued.
        } catch {
          // The app was told that it is queued, so it must not vanish in silence.
          endpoint.close(afterDelivery: false, now: now)
        }
      }
      scratch.work.forEachCredit { account, credit in
        endpoint.consumed(credit, stream: account.stream, now: now)
      }
      for isResting in scratch.work.rests.values { endpoint.setResting(isResting, now: now) }
      scratch.work.removeAll()
    }
  }

  /// Takes what happened to the app.
  /// - Parameter earlier: what somebody has taken from the endpoint already.
  package func turn(_ endpoint: ClientEndpoint, _ now: Instant, after earlier: [EngineEvent] = []) {
    scratch.withLock { scratch in
      scratch.drained.append(contentsOf: earlier)
      endpoint.drainEvents(into: &scratch.drained)
      let isOverrun = !scratch.drained.isEmpty && events.backlog.events > configuration.unreadEventLimit
      let (queued, longest, isIdle) = (endpoint.queuedBytes, endpoint.maximumMessageSize, endpoint.isIdle)
      // The events come first: who waits for the end finds them in the queue.
      for event in scratch.drained {
        Self.translate(event, isOverrun: isOverrun, into: &scratch.items)
        if case .receipt(_, let number, let outcome) = event, let server = peer?.id {
          scratch.receipts.append(.init(event: Receipt(number: number, player: server, outcome: outcome)))
        }
      }
      events.append(&scratch.items)
      receipts.append(&scratch.receipts)
      let hasEnded = monitor.withLock { state in
        for event in scratch.drained { Self.follow(event, &state, longest: longest) }
        state.ledger.correct { _ in queued }
        state.isIdle = isIdle
        if case .ended = state.phase { return true } else { return false }
      }
      scratch.drained.removeAll(keepingCapacity: true)
      if hasEnded {
        events.finish()
        receipts.finish()
      }
    }
  }

  private static func translate(_ event: EngineEvent, isOverrun: Bool, into items: inout [Item]) {
    switch event {
    case .joined, .connectFailed, .searching, .reset, .receipt: break
    case .message(let handle, let message):
      items.append(Item(event: .message(Message(message, sender: nil)), cost: .init(of: message, in: handle)))
    case .roamed(_, let change):
      if isOverrun { return }
      switch change.side {
      case .own: items.append(Item(event: .roamed(from: change.from, to: change.to)))
      case .peer: items.append(Item(event: .serverRoamed(from: change.from, to: change.to)))
      }
    case .offline: if !isOverrun { items.append(Item(event: .offline)) }
    case .online: if !isOverrun { items.append(Item(event: .online)) }
    case .left(_, let reason): items.append(Item(event: .disconnected(reason)))
    }
  }

  private static func follow(_ event: EngineEvent, _ state: inout State, longest: Int) {
    switch (event, state.phase) {
    case (.joined(let handle, let id, let address), .connecting):
      state.phase = .connected(Peer(handle: handle, id: id, address: address))
      state.ledger.open(handle, longest: longest)
    case (.connectFailed(let error), .connecting): state.phase = .failed(error)
    case (.roamed(_, let change), .connected(var peer)) where change.side == .peer:
      peer.address = change.to
      state.phase = .connected(peer)
    case (.left(_, let reason), .connected(let peer)):
      state.phase = .ended(peer, reason)
      state.ledger.close(peer.handle)
    case (.joined, _), (.connectFailed, _), (.message, _), (.roamed, _), (.offline, _), (.online, _), (.left, _),
      (.receipt, _), (.searching, _), (.reset, _):
      break
    }
  }
}
