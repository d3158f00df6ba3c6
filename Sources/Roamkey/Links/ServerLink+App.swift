package import RoamkeyCrypto
package import RoamkeyEngine
internal import RoamkeyWire

/// The app's side: from any thread.
extension ServerLink {
  /// Those who are in, in the order in which they came.
  package var players: [PlayerID] { sessions.map(\.player) }

  /// How many they are.
  var playerCount: Int { monitor.withLock { $0.handles.count } }

  /// The same with the handles of their sessions.
  var sessions: [(handle: SessionHandle, player: PlayerID)] {
    let handles = monitor.withLock { $0.handles }
    return handles.sorted { $0.value.rawValue < $1.value.rawValue }.map { ($0.value, $0.key) }
  }

  /// Where a player is, or was last.
  package func address(of player: PlayerID) -> NetworkAddress? {
    monitor.withLock { state in
      state.handles[player].flatMap { state.sessions[$0]?.address } ?? state.departed[player]
    }
  }

  /// What the player calls itself, or called itself until it left; nil where it said nothing, or that is long ago.
  package func name(of player: PlayerID) -> String? { monitor.withLock { $0.names[player] } }

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

  /// Hands `message` over for all `players`, or for all who are in, but not for its `author` nor for `exceptions`, sent
  /// at `now`.
  /// - Returns: for whom it was not taken, and why.
  package func send(
    _ message: Message, _ options: SendOptions, to players: [PlayerID]?, author: PlayerID? = nil,
    except exceptions: Set<PlayerID> = [], at now: Instant
  ) -> [PlayerID: SendError] {
    let content: EncodedMessage
    do throws(SendError) {
      if message.signature == .wanted { throw .notEncodable("a server does not sign messages: its packets are signed") }
      let time = message.originalTime(at: now).map { clock.milliseconds24($0) }
      content = try message.encoded(
        options, author: message.author, proof: message.signature?.passedOn, at: now, time: time)
    } catch {
      let all = (players ?? self.players).filter { $0 != author && !exceptions.contains($0) }
      return Dictionary(all.map { ($0, error) }, uniquingKeysWith: { first, _ in first })
    }
    let (failures, calls) = monitor.withLock { state -> ([PlayerID: SendError], ShardSet) in
      var failures: [PlayerID: SendError] = [:]
      var taken = ShardSet()
      for player in players ?? Array(state.handles.keys) where player != author && !exceptions.contains(player) {
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
}
