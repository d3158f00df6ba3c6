package import RoamkeyCrypto
package import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

/// What a server's app and its loops share. All sides hold it for moments only, under one lock.
///
/// There is a loop for each shard of the server (`ServerShard`), nearly always a single one. What is asked of a session
/// goes to the loop that has it; what happened goes into one list, in the order of the turns.
package final class ServerLink: Sendable {
  private struct Session: Sendable {
    var player: PlayerID
    var address: NetworkAddress
  }

  private struct State: Sendable {
    var sessions: [SessionHandle: Session] = [:]
    var handles: [PlayerID: SessionHandle] = [:]
    /// Where those were last whose `left` the app has not taken yet.
    var departed: [PlayerID: NetworkAddress] = [:]
    /// One for each shard.
    var ledgers: [Ledger]
    /// Whose message came last: many come at once, and need not be looked up one by one.
    var last: (handle: SessionHandle, player: PlayerID)?
    /// Sessions that began when the app had too much unread; ended before anybody hears of them.
    var unwelcome: Set<SessionHandle> = []
    /// Whether each shard has nothing more to send.
    var isIdle: [Bool]
    var isClosed = false
    var isStopped = false
    var finalStatistics: Statistics?

    /// Which shard has a session.
    func shard(of handle: SessionHandle) -> Int { ledgers.count == 1 ? 0 : ServerShard.shard(of: handle) }
  }

  /// A loop's own, reused from turn to turn.
  private struct Scratch: Sendable {
    var work = Ledger.Work()
    var events = EventBatch<Server.Event>()
    var receipts = EventBatch<Receipt>()
    var toClose: [SessionHandle] = []
  }

  /// Weak, since the driver holds the link.
  private struct Driver: Sendable {
    weak var driver: UDPDriver<ServerEndpoint>?
    /// A call that waits for a loop that is no driver's.
    var isCalled = false
  }

  let events: EventQueue<Server.Event>
  let receipts: EventQueue<Receipt>
  private let configuration: RoamkeyConfiguration
  private let clock: LocalClock
  private let monitor: Monitor<State>
  /// One for each shard. Only its loop takes the lock, so it is never contended.
  private let scratch: [Locked<Scratch>]
  /// What the loops of several shards take turns with, so that events come in the order in which they were applied: the
  /// number of such turns.
  private let order = Locked(0)
  private let drivers: Locked<[Driver]>

  /// - Parameters:
  ///   - clock: what messages say when they were sent by.
  ///   - shards: how many loops there are.
  package init(_ configuration: RoamkeyConfiguration, clock: LocalClock, shards: Int = 1) {
    self.configuration = configuration
    self.clock = clock
    events = EventQueue(
      unreliableLimit: configuration.unreadUnreliableLimit, blank: .online(PlayerID(publicKey: Digest())))
    receipts = EventQueue(eventLimit: configuration.unreadEventLimit, blank: .blank)
    scratch = (0..<shards).map { _ in Locked(Scratch()) }
    drivers = Locked(Array(repeating: Driver(), count: shards))
    monitor = Monitor(
      State(
        ledgers: Array(repeating: Ledger(configuration), count: shards),
        isIdle: Array(repeating: false, count: shards)))
  }

  /// Tells whose loop it is. Without a driver whoever runs the loop asks `takeCall`.
  func attach(_ driver: UDPDriver<ServerEndpoint>, shard: Int) { drivers.withLock { $0[shard].driver = driver } }

  /// Makes the loops come for what is to be done.
  private func callLoops(_ shards: ShardSet) {
    for shard in shards {
      let driver = drivers.withLock { holders in
        if holders[shard].driver == nil { holders[shard].isCalled = true }
        return holders[shard].driver
      }
      driver?.perform { [self] endpoint, now in work(endpoint, now) }
    }
  }

  /// Ends a session whose player has come to another shard.
  func supersede(_ handle: SessionHandle) {
    let driver = drivers.withLock { $0[ServerShard.shard(of: handle)].driver }
    driver?.perform { endpoint, now in endpoint.supersede(handle, now: now) }
  }

  /// Whether there is something to be done since the last time, where no driver was attached.
  package func takeCall() -> Bool {
    drivers.withLock { holders in
      defer { holders[0].isCalled = false }
      return holders[0].isCalled
    }
  }

  // MARK: From any thread

  /// Those who are in, in the order in which they came.
  package var players: [PlayerID] { sessions.map(\.player) }

  /// How many they are.
  var playerCount: Int { monitor.withLock { $0.handles.count } }

  /// The same with the handles of their sessions.
  var sessions: [(handle: SessionHandle, player: PlayerID)] {
    let handles = monitor.withLock { $0.handles }
    return handles.sorted { $0.value.rawValue < $1.value.rawValue }.map { ($0.value, $0.key) }
  }

  func address(of player: PlayerID) -> NetworkAddress? {
    monitor.withLock { state in
      state.handles[player].flatMap { state.sessions[$0]?.address } ?? state.departed[player]
    }
  }

  /// The player's session; nil for one who is not in.
  package func handle(of player: PlayerID) -> SessionHandle? { monitor.withLock { $0.handles[player] } }

  /// Bytes queued for a player: not sent yet, or not acknowledged.
  package func queuedBytes(of player: PlayerID) -> Int {
    monitor.withLock { state in
      state.handles[player].map { state.ledgers[state.shard(of: $0)].queuedBytes(of: $0) } ?? 0
    }
  }

  /// Returns once the player's queue is at most half full, or the player has left, or the task is cancelled.
  func waitForRoom(for player: PlayerID) async {
    await monitor.wait { state in state.handles[player].map { state.ledgers[state.shard(of: $0)].hasRoom($0) } ?? true }
  }

  /// Hands `message` over for all `players`, or for all who are in but `exception`, sent at `now`.
  /// - Returns: for whom it was not taken, and why.
  package func send(
    _ message: Message, _ options: SendOptions, to players: [PlayerID]?, except exception: PlayerID? = nil,
    at now: Instant
  ) -> [PlayerID: SendError] {
    let content: EncodedMessage
    do throws(SendError) {
      let time = message.originalTime(at: now).map { clock.milliseconds24($0) }
      content = try message.encoded(options, author: message.author, at: now, time: time)
    } catch {
      let all = (players ?? self.players).filter { $0 != exception }
      return Dictionary(all.map { ($0, error) }, uniquingKeysWith: { first, _ in first })
    }
    let (failures, calls) = monitor.withLock { state -> ([PlayerID: SendError], ShardSet) in
      var failures: [PlayerID: SendError] = [:]
      var taken = ShardSet()
      for player in players ?? Array(state.handles.keys) where player != exception {
        do throws(SendError) {
          guard let handle = state.handles[player] else { throw .notConnected }
          let shard = state.shard(of: handle)
          try state.ledgers[shard].send(content, to: handle)
          taken.insert(shard)
        } catch {
          failures[player] = error
        }
      }
      return (failures, taken.filter { state.ledgers[$0].callForMessage(options.priority) })
    }
    callLoops(calls)
    return failures
  }

  /// Notes that a player rests, or does no more.
  package func setResting(_ isResting: Bool, of player: PlayerID) {
    let calls = monitor.withLock { state in
      guard let handle = state.handles[player] else { return ShardSet() }
      let shard = state.shard(of: handle)
      state.ledgers[shard].setResting(isResting, of: handle)
      return ShardSet(shard).filter { state.ledgers[$0].call() }
    }
    callLoops(calls)
  }

  /// Notes what the app has taken.
  func taken(_ event: Server.Event, _ cost: EventCost, isLast: Bool) {
    callLoops(
      monitor.withLock { state in
        if case .farewell = cost { Self.forget(event, &state) }
        let shard = cost.credit.map { state.shard(of: $0.account.handle) }
        // The last one lets go what any of them has withheld.
        let concerned = isLast ? ShardSet(all: state.ledgers.count) : ShardSet(shard)
        return concerned.filter {
          state.ledgers[$0].giveBack($0 == shard ? cost.credit : nil, isLast: isLast) && state.ledgers[$0].call()
        }
      })
  }

  /// All events that wait.
  package func takeEvents() -> [Server.Event] {
    let batch = events.takeAll()
    guard !batch.isEmpty else { return [] }
    let calls = monitor.withLock { state in
      for (place, cost) in batch.costs.enumerated() {
        if case .farewell = cost { Self.forget(batch.events[place], &state) }
      }
      batch.forEachCredit { credit in
        _ = state.ledgers[state.shard(of: credit.account.handle)].giveBack(credit, isLast: false)
      }
      return ShardSet(all: state.ledgers.count).filter {
        state.ledgers[$0].giveBack(nil, isLast: true) && state.ledgers[$0].call()
      }
    }
    callLoops(calls)
    return batch.events
  }

  /// The app knows of somebody's end.
  private static func forget(_ event: Server.Event, _ state: inout State) {
    if case .left(let player, _) = event { state.departed[player] = nil }
  }

  /// All receipts that wait.
  package func takeReceipts() -> [Receipt] { receipts.takeAll().events }

  /// Events and receipts that were dropped unread.
  package var unreadDropped: UInt64 { events.dropped + receipts.dropped }

  /// False when it was closed before.
  func beginClosing() -> Bool {
    monitor.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
  }

  func endClosing() { monitor.withLock { $0.isStopped = true } }

  var isStopped: Bool { monitor.withLock { $0.isStopped } }

  func waitUntilStopped() async { await monitor.wait { $0.isStopped } }

  /// Returns once the engine has nothing more to send.
  func waitUntilIdle() async { await monitor.wait { $0.isIdle.allSatisfy(\.self) } }

  var finalStatistics: Statistics? {
    get { monitor.withLock { $0.finalStatistics } }
    set { monitor.withLock { $0.finalStatistics = newValue } }
  }

  // MARK: From the loop

  /// Does what the app's threads have asked for.
  package func work(_ endpoint: ServerEndpoint, _ now: Instant) {
    let shard = endpoint.shardIndex
    scratch[shard].withLock { scratch in
      monitor.withLock { $0.ledgers[shard].take(&scratch.work) }
      while let message = scratch.work.messages.popFirst() {
        do throws(SendError) {
          try endpoint.send(message.content, message.options, to: message.handle, now: now)
        } catch .notConnected {
          // The session ended meanwhile: `left` says so, as for all that was still queued.
        } catch {
          // The app was told that it is queued, so it must not vanish in silence.
          endpoint.close(message.handle, code: .tooSlow, reason: "", now: now)
        }
      }
      scratch.work.forEachCredit { account, credit in
        endpoint.consumed(credit, stream: account.stream, of: account.handle, now: now)
      }
      for (handle, isResting) in scratch.work.restsInOrder { endpoint.setResting(isResting, of: handle, now: now) }
      scratch.work.removeAll()
    }
  }

  /// Takes what happened to the app.
  /// - Parameter earlier: what somebody has taken from the endpoint already.
  package func turn(_ endpoint: ServerEndpoint, _ now: Instant, after earlier: [EngineEvent] = []) {
    let shard = endpoint.shardIndex
    scratch[shard].withLock { scratch in
      if drivesAlone || earlier.isEmpty && endpoint.eventCount == 0 {
        publish(&scratch, endpoint, shard, after: earlier)
      } else {
        order.withLock { turns in
          turns += 1
          publish(&scratch, endpoint, shard, after: earlier)
        }
      }
      guard !scratch.toClose.isEmpty else { return }
      for handle in scratch.toClose {
        endpoint.close(handle, code: .kicked, reason: "the server is too busy: try again later", now: now)
      }
      scratch.toClose.removeAll(keepingCapacity: true)
      // This turn has sent what it had; the farewells need another one.
      callLoops(ShardSet(shard))
    }
  }

  private var drivesAlone: Bool { scratch.count == 1 }

  private func publish(
    _ scratch: inout Scratch, _ endpoint: ServerEndpoint, _ shard: Int, after earlier: [EngineEvent]
  ) {
    let count = earlier.count + endpoint.eventCount
    let backlog = count == 0 ? .init() : events.backlog
    let isOverrun = backlog.events > configuration.unreadEventLimit || backlog.bytes > configuration.unreadByteLimit
    scratch.events.reserve(count)
    var next = earlier.makeIterator()
    monitor.withLock { state in
      while let event = next.next() ?? endpoint.takeEvent() {
        Self.apply(event, isOverrun: isOverrun, to: &state, &scratch, longest: endpoint.maximumMessageSize(of:))
      }
      state.ledgers[shard].correct { endpoint.queuedBytes(of: $0) }
      state.isIdle[shard] = state.isClosed && endpoint.isIdle
    }
    events.append(&scratch.events)
    receipts.append(&scratch.receipts)
  }
}

extension ServerLink {
  private static func apply(
    _ event: consuming EngineEvent, isOverrun: Bool, to state: inout State, _ scratch: inout Scratch,
    longest: (SessionHandle) -> Int
  ) {
    switch event {
    case .joined(let handle, let player, let address):
      // Of a player's sessions on several shards the latest counts, also when it is heard of first.
      let isOutdated = state.handles[player].map { $0.rawValue > handle.rawValue } ?? false
      if isOutdated {
        state.unwelcome.insert(handle)
      } else if isOverrun {
        state.unwelcome.insert(handle)
        scratch.toClose.append(handle)
      } else {
        state.ledgers[state.shard(of: handle)].open(handle, longest: longest(handle))
        join(handle, Session(player: player, address: address), &state, &scratch)
      }
    case .message(let handle, let message):
      if state.last?.handle != handle { state.last = state.sessions[handle].map { (handle, $0.player) } }
      guard let player = state.last?.player else { return }
      let cost = EventCost(of: message, in: handle)
      scratch.events.append(.message(Message(message, sender: player), player), cost: cost)
    case .roamed(let handle, let change):
      guard change.side == .peer, let player = state.sessions[handle]?.player else { return }
      state.sessions[handle]?.address = change.to
      if !isOverrun { scratch.events.append(.roamed(player, from: change.from, to: change.to)) }
    case .offline(let handle):
      guard let player = state.sessions[handle]?.player, !isOverrun else { return }
      scratch.events.append(.offline(player))
    case .online(let handle):
      guard let player = state.sessions[handle]?.player, !isOverrun else { return }
      scratch.events.append(.online(player))
    case .left(let handle, let reason):
      if state.unwelcome.remove(handle) == nil { leave(handle, reason, &state, &scratch) }
    case .receipt(let handle, let number, let outcome):
      guard let player = state.sessions[handle]?.player else { return }
      scratch.receipts.append(Receipt(number: number, player: player, outcome: outcome))
    case .connectFailed, .searching, .reset:
      // A client's.
      break
    }
  }

  private static func join(_ handle: SessionHandle, _ session: Session, _ state: inout State, _ scratch: inout Scratch)
  {
    // One session a player: for the app the old one has ended before the new one begins, whichever way round the
    // engine tells it.
    if let old = state.handles[session.player] { leave(old, .replaced, &state, &scratch) }
    state.sessions[handle] = session
    state.handles[session.player] = handle
    scratch.events.append(.joined(session.player))
  }

  private static func leave(
    _ handle: SessionHandle, _ reason: EndReason, _ state: inout State, _ scratch: inout Scratch
  ) {
    guard let session = state.sessions.removeValue(forKey: handle) else { return }
    state.last = nil
    if state.handles[session.player] == handle { state.handles[session.player] = nil }
    state.departed[session.player] = session.address
    state.ledgers[state.shard(of: handle)].close(handle)
    scratch.events.append(.left(session.player, reason), cost: .farewell)
  }
}
