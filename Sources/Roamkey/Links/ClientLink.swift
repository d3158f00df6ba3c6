package import RoamkeyCrypto
package import RoamkeyEngine
internal import RoamkeyUDP
package import RoamkeyWire

/// What a client's app and its loop share. Both sides hold it for moments only, under one lock.
///
/// It names neither a thread nor a socket: a loop in virtual time runs it as well. A session that the server has
/// forgotten is followed by another one (ClientLink+Loop.swift): to the app they are one.
package final class ClientLink: Sendable {
  /// How far the session is.
  package enum Phase: Sendable {
    case connecting
    case connected(Peer)
    /// The server has begun anew, and is being asked for another session.
    case reconnecting(Peer)
    case failed(ConnectError)
    case ended(Peer, EndReason)
  }

  /// The server.
  package struct Peer: Sendable {
    /// Of the session that is open, or was last.
    var handle: SessionHandle
    package var id: PlayerID
    package var address: NetworkAddress
    /// What it calls itself; nil where it said nothing.
    package var name: String?
  }

  struct State: Sendable {
    var phase = Phase.connecting
    var ledger: Ledger
    /// How often the server was found to have begun anew.
    var restarts = 0
    /// The app has said that its player rests, and nobody has said anything since.
    var isResting = false
    /// The app is closing: it cannot send any more.
    var isClosing = false
    /// It is to be closed once there is a session again, and everything is delivered.
    var closesAfterDelivery = false
    var isIdle = false
    /// What the server has not confirmed, once the session has ended.
    var undelivered: [Undelivered] = []
    var finalStatistics: Statistics?
  }

  /// The loop's own, reused from turn to turn.
  struct Scratch: Sendable {
    var work = Ledger.Work()
    var events = EventBatch<Client.Event>()
    var receipts = EventBatch<Receipt>()
    /// Once there is one.
    var server: PlayerID?
    /// What the engine did not take.
    var strays: [UndeliveredMessage] = []
    /// What the lost session has not delivered, until the next one is there.
    var undelivered: [UndeliveredMessage] = []
    /// `offline` was told, and `online` was not.
    var isOffline = false
  }

  let events: EventQueue<Client.Event>
  let receipts: EventQueue<Receipt>
  let configuration: RoamkeyConfiguration
  private let clock: LocalClock
  let monitor: Monitor<State>
  /// Only the loop takes this lock, so it is never contended.
  let scratch = Locked(Scratch())

  /// - Parameter clock: what messages say when they were sent by.
  package init(_ configuration: RoamkeyConfiguration, clock: LocalClock) {
    self.configuration = configuration
    self.clock = clock
    events = EventQueue(unreliableLimit: configuration.unreadUnreliableLimit, blank: .online)
    receipts = EventQueue(eventLimit: configuration.unreadEventLimit, blank: .blank)
    monitor = Monitor(State(ledger: Ledger(configuration)))
  }

  // MARK: How far it is

  /// How far the session is.
  package var phase: Phase { monitor.withLock { $0.phase } }

  /// How often the server was found to have begun anew: tells its sessions apart.
  package var restarts: Int { monitor.withLock { $0.restarts } }

  var peer: Peer? { phase.peer }

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

  // MARK: Messages

  /// Bytes queued for the server: not sent yet, or not acknowledged.
  package var queuedBytes: Int {
    monitor.withLock { state in state.phase.openHandle.map { state.ledger.queuedBytes(of: $0) } ?? 0 }
  }

  /// Returns once the queue is at most half full, or the session has ended, or the task is cancelled.
  func waitForRoom() async {
    await monitor.wait { state in state.phase.openHandle.map { state.ledger.hasRoom($0) } ?? true }
  }

  /// Returns once the server has acknowledged all that was sent in the session after so many restarts, or that one is
  /// lost, or the task is cancelled.
  func waitUntilDelivered(restarts: Int) async {
    await monitor.wait { state in
      guard state.restarts == restarts, let handle = state.phase.openHandle else { return true }
      return state.ledger.queuedBytes(of: handle) == 0
    }
  }

  /// Hands `message` over, sent at `now`. While the server is asked for another session it waits for that.
  /// - Parameter restarts: only in the session after so many of them, while that one is open; nil: in any.
  /// - Returns: whether the loop must be called; nil where it was not taken, since it is another session.
  package func send(
    _ message: Message, _ options: SendOptions, at now: Instant, restarts: Int? = nil
  ) throws(SendError) -> Bool? {
    // What this player passes on is its own message, and sent now.
    let content = try message.encoded(
      options, author: nil, proof: message.signature?.forServer, at: now, time: clock.milliseconds24(now))
    let result = monitor.withLock { state -> Result<Bool?, SendError> in
      guard let handle = state.phase.openHandle, !state.isClosing else { return .failure(.notConnected) }
      if let restarts, restarts != state.restarts || !state.phase.isConnected { return .success(nil) }
      do throws(SendError) {
        try state.ledger.send(content, to: handle)
      } catch {
        return .failure(error)
      }
      state.isResting = false
      return .success(state.ledger.callForMessage(options.priority))
    }
    return try result.get()
  }

  /// What the server has not confirmed, once the session has ended.
  package var undelivered: [Undelivered] { monitor.withLock { $0.undelivered } }

  // MARK: Resting

  /// Notes that the player rests, or does no more.
  /// - Returns: whether the loop must be called.
  package func setResting(_ isResting: Bool) -> Bool {
    monitor.withLock { state in
      guard let handle = state.phase.openHandle, !state.isClosing else { return false }
      state.isResting = isResting
      // The next session is told when it is there.
      guard state.phase.isConnected else { return false }
      state.ledger.setResting(isResting, of: handle)
      return state.ledger.call()
    }
  }

  // MARK: Events

  /// Notes what the app has taken.
  /// - Returns: whether the loop must be called.
  func taken(_ cost: EventCost, isLast: Bool) -> Bool {
    guard cost.credit != nil || isLast else { return false }
    return monitor.withLock { $0.ledger.giveBack(cost.credit, isLast: isLast) && $0.ledger.call() }
  }

  /// All events that wait.
  /// - Returns: also whether the loop must be called.
  package func takeEvents() -> (events: [Client.Event], calls: Bool) {
    let batch = events.takeAll()
    guard !batch.isEmpty else { return ([], false) }
    let calls = monitor.withLock { state in
      batch.forEachCredit { _ = state.ledger.giveBack($0, isLast: false) }
      return state.ledger.giveBack(nil, isLast: true) && state.ledger.call()
    }
    return (batch.events, calls)
  }

  /// All receipts that wait.
  package func takeReceipts() -> [Receipt] { receipts.takeAll().events }

  /// Events and receipts that were dropped unread.
  package var unreadDropped: UInt64 { events.dropped + receipts.dropped }

  // MARK: The end

  /// From now on `send` throws `notConnected`.
  package func refuseMessages() { monitor.withLock { $0.isClosing = true } }

  var finalStatistics: Statistics? {
    get { monitor.withLock { $0.finalStatistics } }
    set { monitor.withLock { $0.finalStatistics = newValue } }
  }
}

extension ClientLink.Phase {
  /// The server, once there was a session.
  package var peer: ClientLink.Peer? {
    switch self {
    case .connected(let peer), .reconnecting(let peer), .ended(let peer, _): peer
    case .connecting, .failed: nil
    }
  }

  /// Under which messages are taken.
  var openHandle: SessionHandle? {
    switch self {
    case .connected(let peer), .reconnecting(let peer): peer.handle
    case .connecting, .failed, .ended: nil
    }
  }

  /// Whether there is a session.
  package var isConnected: Bool {
    switch self {
    case .connected: true
    case .connecting, .reconnecting, .failed, .ended: false
    }
  }
}
