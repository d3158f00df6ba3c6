internal import Glibc
internal import Roamkey
internal import Synchronization

/// A server that sends as fast as it may to a client whose app does not read: two processes, and the memory of both.
struct StalledRun: Sendable {
  /// In messages of `BulkPattern.size`.
  var messages = 1024
  /// How long the reader stands still.
  var stall: Duration = .seconds(30)
  /// Of the state, a second.
  var rate = 30.0
  var seed: UInt64

  /// How long the rest may take once the reader goes on.
  static let limit: Duration = .seconds(300)

  func run() async throws(BenchmarkFailure) -> StalledOutcome {
    let server: Server
    do throws(RoamkeyError) {
      server = try await Server(
        key: .generate(), application: RoamkeyPair.application,
        listen: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0), discovery: .off)
    } catch {
      throw BenchmarkFailure(error.description)
    }
    let result = await Result.of { () throws(BenchmarkFailure) in
      let child = try ChildProcess([
        StalledClient.configuration.commandName ?? "", "--port", "\(server.address.port)", "--server", "\(server.id)",
        "--messages", "\(messages)", "--seed", "\(seed)",
      ])
      defer { child.end() }
      return try await measure(server, child)
    }
    await server.close()
    return try result.get()
  }

  private func measure(_ server: Server, _ child: ChildProcess) async throws(BenchmarkFailure) -> StalledOutcome {
    let player = try await joined(server)
    let ending = Task { () -> EndReason? in
      for await event in server.events { if case .left(_, let reason) = event { return reason } }
      return nil
    }
    // What the handshake needs and does not keep is given back by then.
    try? await Task.sleep(for: .seconds(1))
    let watch = try StalledWatch(client: child.id, configuration: RoamkeyConfiguration())
    runOnOwnThread { watch.run() }
    defer { watch.isOver.set() }
    let taken = Mutex(0)
    let start = Monotonic.now
    let transfer = Task { await sendAll(from: server, to: player) { taken.withLock { $0 += 1 } } }
    let state = try await onOwnThread { () throws(BenchmarkFailure) in
      try sendState(from: server, to: player, since: start)
    }
    watch.sample()
    let takenWhileStalled = taken.withLock { $0 }
    let queued = server.queuedBytes(of: player)
    watch.goesOn.set()
    let wentOn = Monotonic.now
    child.tell(StalledClient.goOn)
    let patience = Task {
      try await Task.sleep(for: Self.limit)
      child.end()
    }
    let line = try await onOwnThread { () throws(BenchmarkFailure) in child.nextLine() }
    patience.cancel()
    watch.sample()
    let time = Monotonic.now - wentOn
    transfer.cancel()
    let refusal = await transfer.value
    ending.cancel()
    guard let line else { throw refusal ?? BenchmarkFailure("the client's process ended before all had arrived") }
    let arrived = try StalledArrivals(line: line)
    return StalledOutcome(
      expected: messages, takenWhileStalled: takenWhileStalled, queued: queued, state: state, arrived: arrived,
      time: time, memory: watch.result)
  }

  private func joined(_ server: Server) async throws(BenchmarkFailure) -> PlayerID {
    let end = Monotonic.now + .seconds(15)
    while Monotonic.now < end {
      if let player = server.players.first { return player }
      try? await Task.sleep(for: .milliseconds(20))
    }
    throw BenchmarkFailure("the client's process has not joined")
  }

  private func sendAll(from server: Server, to player: PlayerID, onTaken: () -> Void) async -> BenchmarkFailure? {
    let pattern = BulkPattern(seed: seed)
    for index in 0..<messages {
      let message = pattern.message(index)
      sending: while !Task.isCancelled {
        switch server.send(
          message, as: StalledClient.action(index), to: player, channel: UInt8(index % StalledClient.channels))
        {
        case nil:
          onTaken()
          break sending
        case .queueFull: await server.waitForRoom(for: player)
        case .some(let error): return BenchmarkFailure("message \(index) could not be sent: \(error)")
        }
      }
    }
    return nil
  }

  /// Sends the state on time while the reader stands still, and blocks.
  private func sendState(
    from server: Server, to player: PlayerID, since start: Monotonic
  ) throws(BenchmarkFailure) -> StalledOutcome.State {
    let ticks = Ticks(rate: rate, notBefore: start, offset: 0)
    var state = StalledOutcome.State()
    while ticks[state.sent + state.refused] < start + stall {
      ticks[state.sent + state.refused].sleep()
      let message = TimedMessage(sequence: UInt64(state.sent), sentAt: .now)
      switch StateStream.send(message, from: server, to: player) {
      case nil: state.sent += 1
      case .queueFull: state.refused += 1
      case .some(let error): throw BenchmarkFailure("state could not be sent: \(error)")
      }
    }
    return state
  }
}

/// What came of it.
struct StalledOutcome: Sendable {
  struct State: Sendable {
    var sent = 0
    /// Found the queue full.
    var refused = 0
  }

  var expected: Int
  /// Large messages that `send` took while the reader stood still.
  var takenWhileStalled: Int
  /// Bytes in the server's queue at the end of that.
  var queued: Int
  var state: State
  var arrived: StalledArrivals
  /// From when the reader went on until all had been compared.
  var time: Duration
  var memory: StalledWatch.Books

  /// Every promise that was broken, in a sentence each.
  var failures: [BenchmarkFailure] {
    var failures: [BenchmarkFailure] = []
    if arrived.messages != expected {
      failures.append(BenchmarkFailure("\(arrived.messages) of \(expected) messages arrived"))
    }
    for (name, memory) in [("server", memory.server), ("client", memory.client)] where !memory.isKept {
      failures.append(
        BenchmarkFailure(
          "the \(name) grew by \(memory.growth) bytes, its limits are \(memory.limit) "
            + "and \(StalledMemory.allowance) allowed beside them"))
    }
    // Otherwise nobody stood still, or somebody kept more than is allowed.
    let taken = (takenWhileStalled - StalledClient.taken) * BulkPattern.size
    if taken > memory.server.limit + memory.client.limit || takenWhileStalled >= expected {
      failures.append(BenchmarkFailure("\(takenWhileStalled) messages were taken while nobody read"))
    }
    if taken < RoamkeyConfiguration().receiveCredit {
      failures.append(BenchmarkFailure("the limits were not reached: \(takenWhileStalled) messages were taken"))
    }
    return failures
  }
}
