/// Datagrams without any library: what the relay and the machine add to every figure, and how much is lost when nothing
/// is repeated.
enum RawPeer {
  static func run(_ scenario: LossyScenario) async throws(BenchmarkFailure) -> LossyOutcome {
    let receiver = try DatagramSocket()
    let relay = try scenario.relay(to: receiver.port)
    defer { relay.stop() }
    let sender = try DatagramSocket(connectedTo: relay.port)
    let isOver = Latch()
    async let receiving = Result.of { () throws(BenchmarkFailure) in
      try await onOwnThread { () throws(BenchmarkFailure) in try collect(from: receiver, until: isOver) }
    }
    defer { isOver.set() }
    try await onOwnThread { () throws(BenchmarkFailure) in
      try scenario.sendAll(through: relay) { sender.send($0) }
      // What is still under way arrives.
      (Monotonic.now + scenario.conditions.delay + .milliseconds(100)).sleep()
    }
    isOver.set()
    return LossyOutcome(
      sent: scenario.messages, log: try await receiving.get(), relay: relay.report, promise: .newerOnly)
  }

  private static func collect(from socket: DatagramSocket, until isOver: Latch) throws(BenchmarkFailure) -> DeliveryLog
  {
    var log = DeliveryLog(.newerOnly)
    var buffer = [UInt8](repeating: 0, count: DatagramSocket.maximumSize)
    while !isOver.isSet {
      DatagramSocket.wait(for: socket.descriptor, atMost: .milliseconds(10))
      while let arrival = socket.receive(into: &buffer) {
        try log.receive(Array(buffer[..<arrival.size]), at: .now)
      }
    }
    return log
  }
}
