internal import Roamkey

/// Roamkey through its public interface and nothing else: a server whose events a task reads, a client that sends from
/// a thread.
struct RoamkeyPair: Sendable {
  static let application = "benchmark/1"

  let server: Server
  let client: Client
  let relay: Relay

  /// A client that is connected to its server through a relay.
  init(
    _ policy: SigningPolicy, configuration: RoamkeyConfiguration = .init(),
    relay makeRelay: (UInt16) throws(BenchmarkFailure) -> Relay
  ) async throws(BenchmarkFailure) {
    do throws(RoamkeyError) {
      server = try await Server(
        key: .generate(), application: Self.application, listen: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0),
        signingPolicy: policy, discovery: .off, configuration: configuration)
    } catch {
      throw BenchmarkFailure(error.description)
    }
    relay = try makeRelay(server.address.port)
    do throws(RoamkeyError) {
      client = try await Client(
        key: .generate(), application: Self.application, server: "127.0.0.1:\(relay.port)", pinned: server.id,
        requiring: policy, configuration: configuration)
    } catch {
      relay.stop()
      throw BenchmarkFailure(error.description)
    }
  }

  /// Ends both sides, then the network between them.
  func close() async {
    await client.close(afterDelivery: false)
    await server.close()
    relay.stop()
  }
}

/// Roamkey under one signing policy, as a contestant of lossy delivery.
enum RoamkeyPeer {
  static func run(_ scenario: LossyScenario, _ policy: SigningPolicy) async throws(BenchmarkFailure) -> LossyOutcome {
    let pair = try await RoamkeyPair(policy) { server throws(BenchmarkFailure) in try scenario.relay(to: server) }
    let result = await measure(scenario, pair)
    await pair.close()
    return try result.get()
  }

  private static func measure(
    _ scenario: LossyScenario, _ pair: RoamkeyPair
  ) async -> Result<LossyOutcome, BenchmarkFailure> {
    let receiving = Task {
      await Result.of { () throws(BenchmarkFailure) in try await receive(scenario, pair) }
    }
    do throws(BenchmarkFailure) {
      try await onOwnThread { () throws(BenchmarkFailure) in
        try scenario.sendAll(through: pair.relay) { message throws(BenchmarkFailure) in
          do throws(SendError) {
            try pair.client.send(message)
          } catch {
            throw BenchmarkFailure("Roamkey's client does not send: \(error)")
          }
        }
      }
    } catch {
      receiving.cancel()
      return .failure(error)
    }
    // A task that is cancelled gets no more events, so the reader ends with what it has.
    let patience = Task {
      try await Task.sleep(for: LossyScenario.grace)
      receiving.cancel()
    }
    defer { patience.cancel() }
    return await receiving.value
  }

  private static func receive(_ scenario: LossyScenario, _ pair: RoamkeyPair) async throws(BenchmarkFailure)
    -> LossyOutcome
  {
    var log = DeliveryLog(.reliableOrdered)
    events: for await event in pair.server.events {
      switch event {
      case .message(let message, _):
        try log.receive(message.body, at: .now)
        if log.count == scenario.messages { break events }
      case .joined, .roamed, .offline, .online: break
      case .left(_, let reason): throw BenchmarkFailure("Roamkey's session has ended: \(reason)")
      }
    }
    return LossyOutcome(sent: scenario.messages, log: log, relay: pair.relay.report, promise: .reliableOrdered)
  }
}
