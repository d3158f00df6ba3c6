internal import Roamkey

/// A game that goes on while its network is cut, again and again, and an app that does nothing about it.
struct CutsRun: Sendable {
  var length: Duration
  var schedule: CutSchedule
  var conditions = LinkConditions(delay: .milliseconds(25), loss: 0.01)
  var policy = SigningPolicy.everyPacket
  var seed: UInt64

  /// How long what is reliable may take after the last of it was sent.
  static let grace: Duration = .seconds(30)
  /// A cut so long must be told as `offline`, one so short must not (20 s by default, counted from the last datagram
  /// that was heard; with room for that and for a busy machine).
  static let surelyOffline: Duration = .seconds(27)
  static let surelyOnline: Duration = .seconds(13)

  func run() async throws(BenchmarkFailure) -> CutsOutcome {
    let pair = try await RoamkeyPair(policy) { server throws(BenchmarkFailure) in
      try Relay(to: server, conditions: conditions, seed: seed)
    }
    let (server, client) = (CutsSide(), CutsSide())
    let reading = [Task { await server.read(pair.server) }, Task { await client.read(pair.client) }]
    let result = await Result.of { () throws(BenchmarkFailure) in try await measure(pair, server, client) }
    for task in reading { task.cancel() }
    await pair.close()
    return try result.get()
  }

  private func measure(
    _ pair: RoamkeyPair, _ server: CutsSide, _ client: CutsSide
  ) async throws(BenchmarkFailure) -> CutsOutcome {
    let player = pair.client.id
    try await waitUntil(.seconds(10), "the server has not seen its client") { pair.server.players == [player] }
    pair.relay.beginPhase()
    let start = Monotonic.now
    let end = start + length
    async let down = Result.of { () throws(BenchmarkFailure) in
      try await onOwnThread { () throws(BenchmarkFailure) in
        var sender = CutsSender()
        try sender.run(
          from: start, until: end, queue: { pair.server.queuedBytes(of: player) },
          send: { message, stream in
            pair.server.send(
              message.bytes, as: stream.rawValue, to: player, delivery: stream.delivery, channel: stream.channel)
          })
        return sender
      }
    }
    async let up = Result.of { () throws(BenchmarkFailure) in
      try await onOwnThread { () throws(BenchmarkFailure) in
        var sender = CutsSender()
        try sender.run(
          from: start, until: end, queue: { pair.client.queuedBytes },
          send: { message, stream in
            do throws(SendError) {
              try pair.client.send(
                message.bytes, as: stream.rawValue, delivery: stream.delivery, channel: stream.channel)
              return nil
            } catch {
              return error
            }
          })
        return sender
      }
    }
    let cuts = try await onOwnThread { () throws(BenchmarkFailure) in cut(pair.relay, since: start) }
    let (upward, downward) = (try await up.get(), try await down.get())
    try? await waitUntil(Self.grace, "") {
      server.isComplete(upward.sent) && client.isComplete(downward.sent)
    }
    // What comes twice comes a little later.
    try? await Task.sleep(for: .seconds(2))
    return CutsOutcome(
      cuts: cuts, up: .init(sender: upward, inbox: server.snapshot),
      down: .init(sender: downward, inbox: client.snapshot),
      sessions: await pair.server.statistics().sessions, relay: pair.relay.report)
  }

  /// Cuts the network on time.
  private func cut(_ relay: Relay, since start: Monotonic) -> [CutsOutcome.Cut] {
    schedule.cuts.enumerated().map { index, cut in
      (start + cut.start).sleep()
      let before = relay.report
      relay.setCut(true)
      let cutAt = Monotonic.now
      Console.note(
        "cut \(index + 1) of \(schedule.cuts.count) at \(Text.number(cut.start.inSeconds, decimals: 1)) s")
      (cutAt + cut.length).sleep()
      // Before it is mended: what comes from here on counts as after the cut.
      let mendedAt = Monotonic.now
      relay.setCut(false)
      let after = relay.report
      return CutsOutcome.Cut(
        start: cutAt, end: mendedAt, bytesUp: after.up.cutBytes - before.up.cutBytes,
        bytesDown: after.down.cutBytes - before.down.cutBytes)
    }
  }

  private func waitUntil(
    _ limit: Duration, _ failure: String, _ condition: () -> Bool
  ) async throws(BenchmarkFailure) {
    let end = Monotonic.now + limit
    while !condition() {
      guard Monotonic.now < end else { throw BenchmarkFailure(failure) }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}
