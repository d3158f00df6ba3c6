internal import Roamkey

/// A transfer of large messages from server to client while the game goes on: how fast it is, and how old the game's
/// state is when it arrives beside it.
struct BulkTransfer: Sendable {
  static let action = "bulk"

  /// In messages of `BulkPattern.size`.
  var messages = 1024
  /// Of the state, a second.
  var rate = 30.0
  var conditions = LinkConditions(delay: .milliseconds(25), loss: 0.01)
  var policy = SigningPolicy.everyPacket
  var seed: UInt64
  /// When the transfer is given up.
  var limit: Duration = .seconds(600)

  func run() async throws(BenchmarkFailure) -> BulkOutcome {
    let pair = try await RoamkeyPair(policy) { server throws(BenchmarkFailure) in
      try Relay(to: server, conditions: conditions, seed: seed)
    }
    let result = await Result.of { () throws(BenchmarkFailure) in try await measure(pair) }
    await pair.close()
    return try result.get()
  }

  private func measure(_ pair: RoamkeyPair) async throws(BenchmarkFailure) -> BulkOutcome {
    let player = try await joined(pair.server)
    let isOver = Latch()
    pair.relay.beginPhase()
    let start = Monotonic.now
    let receiving = Task { await receive(pair.client, since: start) }
    let transfer = Task { await sendAll(from: pair.server, to: player) }
    async let stream = Result.of { () throws(BenchmarkFailure) in
      try await onOwnThread { () throws(BenchmarkFailure) in
        try sendState(from: pair.server, to: player, since: start, until: isOver)
      }
    }
    let patience = Task {
      try await Task.sleep(for: limit)
      receiving.cancel()
    }
    var outcome = await receiving.value
    outcome.relay = pair.relay.report
    patience.cancel()
    transfer.cancel()
    isOver.set()
    let sent = try await stream.get()
    outcome.stateSent = sent.taken
    outcome.stateRefused = sent.refused
    let refusal = await transfer.value
    outcome.failure = outcome.failure ?? refusal ?? missing(in: outcome)
    return outcome
  }

  private func missing(in outcome: BulkOutcome) -> BenchmarkFailure? {
    if outcome.relay.overruns > 0 {
      return BenchmarkFailure("the relay lost \(outcome.relay.overruns) datagrams it did not read")
    }
    return outcome.messages < messages
      ? BenchmarkFailure("only \(outcome.messages) of \(messages) messages arrived within \(limit)") : nil
  }

  /// The client, once the server has it.
  private func joined(_ server: Server) async throws(BenchmarkFailure) -> PlayerID {
    let waiting = Task { () -> PlayerID? in
      for await event in server.events { if case .joined(let player) = event { return player } }
      return nil
    }
    let patience = Task {
      try await Task.sleep(for: LossyScenario.connectTimeout)
      waiting.cancel()
    }
    defer { patience.cancel() }
    guard let player = await waiting.value else { throw BenchmarkFailure("the server has not seen its client") }
    return player
  }

  // MARK: The server's side

  private func sendAll(from server: Server, to player: PlayerID) async -> BenchmarkFailure? {
    let pattern = BulkPattern(seed: seed)
    for index in 0..<messages {
      let message = pattern.message(index)
      sending: while !Task.isCancelled {
        switch server.send(message, as: Self.action, to: player) {
        case nil: break sending
        case .queueFull: await server.waitForRoom(for: player)
        case .some(let error): return BenchmarkFailure("message \(index) could not be sent: \(error)")
        }
      }
    }
    return nil
  }

  private func sendState(
    from server: Server, to player: PlayerID, since start: Monotonic, until isOver: Latch
  ) throws(BenchmarkFailure) -> (taken: Int, refused: Int) {
    let ticks = Ticks(rate: rate, notBefore: start, offset: 0)
    var taken = 0
    var refused = 0
    while !isOver.isSet {
      ticks[taken + refused].sleep()
      // A message that found no room is not numbered: the receiver would wait for it.
      switch StateStream.send(TimedMessage(sequence: UInt64(taken), sentAt: .now), from: server, to: player) {
      case nil: taken += 1
      case .queueFull: refused += 1
      case .some(let error): throw BenchmarkFailure("state could not be sent: \(error)")
      }
    }
    return (taken, refused)
  }

  // MARK: The client's side

  private func receive(_ client: Client, since start: Monotonic) async -> BulkOutcome {
    let pattern = BulkPattern(seed: seed)
    var outcome = BulkOutcome()
    var state = DeliveryLog(StateStream.promise)
    do throws(BenchmarkFailure) {
      for await event in client.events {
        switch event {
        case .message(let message) where message.action == Self.action:
          guard message.body == pattern.message(outcome.messages) else {
            throw BenchmarkFailure("message \(outcome.messages) did not arrive as it was sent")
          }
          outcome.messages += 1
        case .message(let message): try state.receive(message.body, at: .now)
        case .roamed, .serverRoamed, .offline, .online: break
        case .reconnected: throw BenchmarkFailure("the session was lost, and another one begun")
        case .disconnected(let reason): throw BenchmarkFailure("the session has ended: \(reason)")
        }
        if outcome.messages == messages { break }
      }
    } catch {
      outcome.failure = error
    }
    outcome.time = Monotonic.now - start
    outcome.stateReceived = state.count
    outcome.stateAges = Percentiles(state.ages)
    return outcome
  }
}

/// What came of a transfer.
struct BulkOutcome: Sendable {
  /// Large messages that arrived, each compared byte by byte.
  var messages = 0
  /// From the first `send` until the last of them was compared.
  var time: Duration = .zero
  var stateSent = 0
  /// Messages of the state that found the queue full.
  var stateRefused = 0
  var stateReceived = 0
  /// From `send` until the app had the message.
  var stateAges = Percentiles([])
  var relay = Relay.Report()
  var failure: BenchmarkFailure?

  /// UDP payload does not count: content of the large messages alone, in 10^6 bytes a second.
  var megabytesPerSecond: Double {
    time > .zero ? Double(messages * BulkPattern.size) / 1e6 / time.inSeconds : 0
  }
}
