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
    let idle = network.report
    network.beginPhase()
    let message = [UInt8](repeating: 0x5a, count: Self.size)
    for _ in 0..<Self.messages {
      _ = try party.send(message, to: 0, .reliable)
      try party.flush()
      try await party.receive(until: .now + Self.pause) { _, _ in }
    }
    let sent = network.report
    func overhead(_ bytes: Int) -> Double { Double(bytes) / Double(Self.messages) - Double(Self.size) }
    func keepAlive(_ bytes: Int) -> Double { Double(bytes) / seconds * Self.keepAliveInterval }
    return Measures([
      "overhead": overhead(sent.up.bytes), "overheadBothWays": overhead(sent.up.bytes + sent.down.bytes),
      "keepAlive": keepAlive(idle.up.bytes), "keepAliveBothWays": keepAlive(idle.up.bytes + idle.down.bytes),
    ])
  }
}
