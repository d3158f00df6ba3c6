/// ENet in its default settings, with reliable messages: client and server on a thread each, serviced when something
/// arrives and every millisecond besides.
enum EnetPeer {
  private static let serviceInterval: Duration = .milliseconds(1)

  static func run(_ scenario: LossyScenario) async throws(BenchmarkFailure) -> LossyOutcome {
    let server = try EnetHost.server()
    let relay = try scenario.relay(to: server.port)
    defer { relay.stop() }
    let client = try EnetHost.client(of: relay.port)
    // Set by whoever is through first: the server with the last message in hand, the client with no more patience.
    let isOver = Latch()
    async let receiving = Result.of { () throws(BenchmarkFailure) in
      try await onOwnThread { () throws(BenchmarkFailure) in
        defer { isOver.set() }
        return try receive(server, scenario, relay, until: isOver)
      }
    }
    try await onOwnThread { () throws(BenchmarkFailure) in
      defer { isOver.set() }
      try connect(client)
      try send(client, scenario, relay, until: isOver)
      client.disconnect()
    }
    return try await receiving.get()
  }

  private static func receive(
    _ server: EnetHost, _ scenario: LossyScenario, _ relay: Relay, until isOver: Latch
  ) throws(BenchmarkFailure) -> LossyOutcome {
    var log = DeliveryLog(.reliableOrdered)
    while log.count < scenario.messages && !isOver.isSet {
      server.wait(atMost: serviceInterval)
      while let event = try server.service() {
        switch event {
        case .message(let bytes): try log.receive(bytes, at: .now)
        case .connected: break
        case .disconnected: throw BenchmarkFailure("ENet's server has lost its client")
        }
      }
    }
    return LossyOutcome(sent: scenario.messages, log: log, relay: relay.report, promise: .reliableOrdered)
  }

  private static func connect(_ client: EnetHost) throws(BenchmarkFailure) {
    let end = Monotonic.now + LossyScenario.connectTimeout
    while Monotonic.now < end {
      client.wait(atMost: serviceInterval)
      if case .connected = try client.service() { return }
    }
    throw BenchmarkFailure("ENet's client did not get through")
  }

  private static func send(
    _ client: EnetHost, _ scenario: LossyScenario, _ relay: Relay, until isOver: Latch
  ) throws(BenchmarkFailure) {
    let ticks = scenario.ticks()
    let end = ticks[scenario.messages] + LossyScenario.grace
    var next = 0
    while !isOver.isSet && Monotonic.now < end {
      if next < scenario.messages, ticks[next] <= Monotonic.now {
        if next == 0 { relay.beginPhase() }
        try client.send(TimedMessage(sequence: UInt64(next), sentAt: .now).bytes)
        next += 1
      }
      client.wait(atMost: min(serviceInterval, ticks[next] - .now))
      while let event = try client.service() {
        if case .disconnected = event { throw BenchmarkFailure("ENet's client has lost its server") }
      }
    }
  }
}
