/// What is sent beside what the app sends: around a small message, and when there is none.
struct Wire: Workload, Equatable {
  /// How long nothing is sent.
  var seconds: Double

  static let size = 64
  /// Keep-alives are told for so long.
  static let keepAliveInterval = 5.0
  private static let messages = 20
  /// Until the next message: all that has to be said about one is said by then, and few keep-alives come between.
  private static let pause: Duration = .milliseconds(60)
  /// Handshake and probes of the packet size are over.
  private static let settling: Duration = .seconds(4)

  func serve(_ party: some Party, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures {
    while !isOver() { try await party.receive(until: .now + .milliseconds(1)) { _, _ in } }
    return Measures()
  }

  func play(
    _ party: some Party, through network: Relay?, isOver: () -> Bool
  ) async throws(BenchmarkFailure) -> Measures {
    guard let network else { throw BenchmarkFailure("nobody counts without a network") }
    try await party.receive(until: .now + Self.settling) { _, _ in }
    network.beginPhase()
    try await party.receive(until: .now + .seconds(seconds)) { _, _ in }
    let idle = bytes(network.report) / seconds
    network.beginPhase()
    let message = [UInt8](repeating: 0x5a, count: Self.size)
    for _ in 0..<Self.messages {
      _ = try party.send(message, to: 0, .reliable)
      try party.flush()
      try await party.receive(until: .now + Self.pause) { _, _ in }
    }
    let sent = bytes(network.report)
    return Measures([
      "overhead": sent / Double(Self.messages) - Double(Self.size), "keepAlive": idle * Self.keepAliveInterval,
    ])
  }

  /// UDP payload, both ways.
  private func bytes(_ report: Relay.Report) -> Double { Double(report.up.bytes + report.down.bytes) }
}
