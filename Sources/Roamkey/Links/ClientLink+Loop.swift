package import RoamkeyEngine
internal import RoamkeyWire

/// The loop's side. Where the server has begun anew:
///
///     reset       what it has not confirmed is put aside; what the app sends from now on waits in the ledger
///     joined      both are told and handed over: `reconnected` to the app, what waited to the engine
///     left        else the session has ended, and all of it is `undelivered`
extension ClientLink {
  /// What a turn asks of whoever runs the loop.
  package struct Wishes: Sendable, Equatable {
    /// `work` is to be called, and the endpoint asked for datagrams after it.
    package var work = false
    /// The server's name is to be looked up again (`ClientEndpoint.learn`).
    package var lookup = false
  }

  // MARK: To the engine

  /// Does what the app's threads have asked for.
  package func work(_ endpoint: ClientEndpoint, _ now: Instant) {
    // The lost session can do nothing of it. It stands in the ledger until there is another one.
    let isReconnecting = if case .reconnecting = phase { true } else { endpoint.isReconnecting }
    if isReconnecting { return }
    scratch.withLock { scratch in
      let closes = monitor.withLock { state in
        state.ledger.take(&scratch.work)
        defer { state.closesAfterDelivery = false }
        return state.closesAfterDelivery
      }
      while let message = scratch.work.messages.popFirst() { submit(message, to: endpoint, now, &scratch) }
      scratch.work.forEachCredit { account, credit in
        endpoint.consumed(credit, stream: account.stream, now: now)
      }
      for isResting in scratch.work.rests.values { endpoint.setResting(isResting, now: now) }
      scratch.work.removeAll()
      if closes { endpoint.close(afterDelivery: true, now: now) }
    }
  }

  private func submit(
    _ message: Ledger.Outgoing, to endpoint: ClientEndpoint, _ now: Instant, _ scratch: inout Scratch
  ) {
    do throws(SendError) {
      try endpoint.send(message.content, message.options, now: now)
    } catch {
      // The app was told that it is queued, so it must not vanish in silence. Where the session has ended meanwhile
      // `disconnected` is about to say so.
      if let undelivered = UndeliveredMessage(message) { scratch.strays.append(undelivered) }
      if error != .notConnected { endpoint.close(afterDelivery: false, now: now) }
    }
  }

  /// Ends the session. After delivery: while the server is asked for another session, once it is there and has what
  /// waits for it.
  package func close(_ endpoint: ClientEndpoint, afterDelivery: Bool, _ now: Instant) {
    let waits = monitor.withLock { state in
      let isReconnecting = if case .reconnecting = state.phase { true } else { endpoint.isReconnecting }
      state.closesAfterDelivery = afterDelivery && isReconnecting
      return state.closesAfterDelivery
    }
    if !waits { endpoint.close(afterDelivery: afterDelivery, now: now) }
  }

  // MARK: From the engine

  /// Takes what happened to the app.
  /// - Parameter earlier: what somebody has taken from the endpoint already.
  package func turn(_ endpoint: ClientEndpoint, _ now: Instant, after earlier: [EngineEvent] = []) -> Wishes {
    scratch.withLock { scratch in
      var wishes = Wishes()
      let count = earlier.count + endpoint.eventCount
      let isOverrun = count > 0 && events.backlog.events > configuration.unreadEventLimit
      let (queued, isIdle) = (endpoint.queuedBytes, endpoint.isIdle)
      var end: Phase?
      var hasMessages = false
      scratch.events.reserve(count)
      var next = earlier.makeIterator()
      while let event = next.next() ?? endpoint.takeEvent() {
        if case .message = event { hasMessages = true }
        if let last = follow(event, isOverrun: isOverrun, endpoint, now, &scratch, &wishes) { end = last }
      }
      // The events come first: who waits for the end finds them in the queue.
      events.append(&scratch.events)
      receipts.append(&scratch.receipts)
      let hasEnded = monitor.withLock { state in
        // Whatever is said ends a rest.
        if hasMessages { state.isResting = false }
        if let end { Self.end(end, &state, scratch.undelivered + scratch.strays, now) }
        state.ledger.correct { _ in queued }
        state.isIdle = isIdle
        if case .ended = state.phase { return true } else { return false }
      }
      if hasEnded {
        events.finish()
        receipts.finish()
      }
      return wishes
    }
  }

  /// - Returns: how it has ended, if it has.
  private func follow(
    _ event: consuming EngineEvent, isOverrun: Bool, _ endpoint: ClientEndpoint, _ now: Instant,
    _ scratch: inout Scratch,
    _ wishes: inout Wishes
  ) -> Phase? {
    switch event {
    case .joined(let handle, let id, let address):
      let name = endpoint.serverDisplayName.flatMap(DisplayText.name)
      join(Peer(handle: handle, id: id, address: address, name: name), endpoint, now, &scratch, &wishes)
    case .message(let handle, let message):
      let cost = EventCost(of: message, in: handle)
      scratch.events.append(
        .message(
          Message(message, sender: nil, application: endpoint.application, server: scratch.server)), cost: cost)
    case .roamed(_, let change): roam(change, isOverrun: isOverrun, &scratch)
    case .offline:
      if isOverrun { break }
      scratch.isOffline = true
      scratch.events.append(.offline)
    case .online:
      scratch.isOffline = false
      if !isOverrun { scratch.events.append(.online) }
    case .receipt(_, let number, let outcome):
      guard let server = scratch.server else { break }
      scratch.receipts.append(Receipt(number: number, player: server, outcome: outcome))
    case .searching: wishes.lookup = true
    case .reset(_, let undelivered): lose(undelivered, &scratch)
    case .left(_, let reason): return leave(reason, endpoint, &scratch)
    case .connectFailed(let error): return fail(error, &scratch)
    }
    return nil
  }

  private func join(
    _ peer: Peer, _ endpoint: ClientEndpoint, _ now: Instant, _ scratch: inout Scratch, _ wishes: inout Wishes
  ) {
    scratch.server = peer.id
    let longest = endpoint.maximumMessageSize
    let renewal = monitor.withLock { state -> (tooLong: [Ledger.Outgoing], isClosing: Bool)? in
      switch state.phase {
      case .connecting:
        state.phase = .connected(peer)
        state.ledger.open(peer.handle, longest: longest)
        return nil
      case .reconnecting(let old):
        state.phase = .connected(peer)
        let tooLong = state.ledger.resume(old.handle, as: peer.handle, longest: longest)
        if state.isResting { state.ledger.setResting(true, of: peer.handle) }
        return (tooLong, state.isClosing)
      case .connected, .failed, .ended: return nil
      }
    }
    guard let renewal else { return }
    wishes.work = true
    if scratch.isOffline { scratch.events.append(.online) }
    scratch.isOffline = false
    scratch.undelivered += renewal.tooLong.compactMap { UndeliveredMessage($0) }
    let undelivered = scratch.undelivered.compactMap { Undelivered($0, at: now) }
    scratch.events.append(.reconnected(undelivered: undelivered))
    // An app that is closing can send nothing again: it finds them at the end.
    if !renewal.isClosing { scratch.undelivered = [] }
  }

  /// The server has begun anew.
  private func lose(_ undelivered: [UndeliveredMessage], _ scratch: inout Scratch) {
    let waiting = monitor.withLock { state -> [Ledger.Outgoing] in
      guard case .connected(let peer) = state.phase else { return [] }
      state.phase = .reconnecting(peer)
      state.restarts += 1
      return state.ledger.suspend(peer.handle)
    }
    scratch.undelivered += undelivered + waiting.compactMap { UndeliveredMessage($0) }
  }

  private func roam(_ change: AddressChange, isOverrun: Bool, _ scratch: inout Scratch) {
    switch change.side {
    case .own:
      if !isOverrun { scratch.events.append(.roamed(from: change.from, to: change.to)) }
    case .peer:
      monitor.withLock { state in
        guard case .connected(var peer) = state.phase else { return }
        peer.address = change.to
        state.phase = .connected(peer)
      }
      if !isOverrun { scratch.events.append(.serverRoamed(from: change.from, to: change.to)) }
    }
  }

  // MARK: The end

  private func leave(_ reason: EndReason, _ endpoint: ClientEndpoint, _ scratch: inout Scratch) -> Phase? {
    let phase = phase
    guard let peer = phase.peer else { return nil }
    if phase.isConnected { scratch.undelivered += endpoint.undelivered }
    scratch.events.append(.disconnected(reason))
    return .ended(peer, reason)
  }

  private func fail(_ error: ConnectError, _ scratch: inout Scratch) -> Phase? {
    switch phase {
    case .connecting: return .failed(error)
    case .reconnecting(let peer):
      let reason: EndReason = error == .closed ? .closed : .notReadmitted(error)
      scratch.events.append(.disconnected(reason))
      return .ended(peer, reason)
    case .connected, .failed, .ended: return nil
    }
  }

  private static func end(_ end: Phase, _ state: inout State, _ undelivered: [UndeliveredMessage], _ now: Instant) {
    if let peer = end.peer {
      let waiting = state.ledger.takeWaiting(for: peer.handle).compactMap { UndeliveredMessage($0) }
      state.undelivered = (undelivered + waiting).compactMap { Undelivered($0, at: now) }
      state.ledger.close(peer.handle)
    }
    state.phase = end
  }
}
