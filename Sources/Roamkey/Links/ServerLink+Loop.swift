package import RoamkeyEngine
internal import RoamkeyWire

/// The loops' side.
extension ServerLink {
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
        Self.apply(event, isOverrun: isOverrun, to: &state, &scratch, endpoint)
      }
      state.ledgers[shard].correct { endpoint.queuedBytes(of: $0) }
      state.isIdle[shard] = state.isClosed && endpoint.isIdle
    }
    events.append(&scratch.events)
    receipts.append(&scratch.receipts)
  }

  private static func apply(
    _ event: consuming EngineEvent, isOverrun: Bool, to state: inout State, _ scratch: inout Scratch,
    _ endpoint: ServerEndpoint
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
        state.ledgers[state.shard(of: handle)].open(handle, longest: endpoint.maximumMessageSize(of: handle))
        join(handle, Session(player: player, address: address), &state, &scratch)
        state.names.enter(player, endpoint.displayName(of: handle).flatMap(DisplayText.name))
      }
    case .message(let handle, let message):
      if state.last?.handle != handle { state.last = state.sessions[handle].map { (handle, $0.player) } }
      guard let player = state.last?.player else { return }
      let cost = EventCost(of: message, in: handle)
      let received = Message(message, sender: player, application: endpoint.application, server: endpoint.id)
      scratch.events.append(.message(received, player), cost: cost)
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
    if state.handles[session.player] == handle {
      state.handles[session.player] = nil
      state.names.leave(session.player)
    }
    state.departed[session.player] = session.address
    state.ledgers[state.shard(of: handle)].close(handle)
    scratch.events.append(.left(session.player, reason), cost: .farewell)
  }
}
