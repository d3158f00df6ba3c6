/// One run of lossy delivery, the same for all contestants.
struct LossyScenario: Sendable {
  var messages = 1800
  /// Messages a second.
  var rate = 30.0
  var conditions = LinkConditions(delay: .milliseconds(50), loss: 0.05)
  var seed: UInt64
  /// Where in the interval between two messages this contestant sends, in parts of it.
  var offset = 0.0

  /// Between the handshake and the first message: what the handshake still has to say is said by then.
  static let settling: Duration = .seconds(1)
  static let connectTimeout: Duration = .seconds(15)
  /// How long the last messages may take, from the last `send` on.
  static let grace: Duration = .seconds(20)
  /// How long before a datagram is due the relay stops sleeping.
  static let spin: Duration = .microseconds(150)

  func relay(to server: UInt16) throws(BenchmarkFailure) -> Relay {
    try Relay(to: server, conditions: conditions, seed: seed, spin: Self.spin)
  }

  /// When the messages are sent, for a contestant that is connected now.
  func ticks() -> Ticks { Ticks(rate: rate, notBefore: Monotonic.now + Self.settling, offset: offset) }

  /// Sends all messages on time and blocks until the last is sent. The relay counts from just before the first.
  func sendAll(
    through relay: Relay, _ send: ([UInt8]) throws(BenchmarkFailure) -> Void
  ) throws(BenchmarkFailure) {
    let ticks = ticks()
    for index in 0..<messages {
      ticks[index].sleep()
      if index == 0 { relay.beginPhase() }
      try send(TimedMessage(sequence: UInt64(index), sentAt: .now).bytes)
    }
  }
}

/// What a contestant did in one run.
struct LossyOutcome: Sendable {
  var sent: Int
  /// Messages that had arrived (and what else was known) when the last message arrived or was given up.
  var received: Int
  /// From `send` until the app had the message.
  var percentiles: Percentiles
  var relay: Relay.Report
  /// What went wrong; the figures say nothing then.
  var failure: BenchmarkFailure?

  /// - Parameter promise: where it is `reliableOrdered`, anything missing is a failure.
  init(sent: Int, log: DeliveryLog, relay: Relay.Report, promise: DeliveryLog.Promise) {
    self.sent = sent
    received = log.count
    percentiles = Percentiles(log.ages)
    self.relay = relay
    if promise == .reliableOrdered && log.count < sent {
      failure = BenchmarkFailure("only \(log.count) of \(sent) messages arrived within \(LossyScenario.grace)")
    }
    if relay.overruns > 0 { failure = BenchmarkFailure("the relay lost \(relay.overruns) datagrams it did not read") }
  }

  init(failure: BenchmarkFailure) {
    self.init(sent: 0, log: DeliveryLog(.reliableOrdered), relay: Relay.Report(), promise: .newerOnly)
    self.failure = failure
  }
}
