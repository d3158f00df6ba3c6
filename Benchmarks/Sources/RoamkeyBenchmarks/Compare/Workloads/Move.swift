/// A client that sends all the time and is sent it back, and whose address changes in the middle of it.
struct Move: Workload, Equatable {
  /// In milliseconds, each way.
  var delay: Double

  private static let size = 64
  private static let interval: Duration = .milliseconds(10)
  /// Of these intervals: when it moves, and when it ends.
  private static let moveTick = 150
  private static let ticks = 450
  /// Who has not been heard for so long at the end is gone.
  private static let patience: Duration = .seconds(1)

  func serve(_ party: some Party, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures {
    var echoes: [[UInt8]] = []
    while !isOver() {
      try await party.receive(until: .now + .milliseconds(1)) { _, bytes in echoes.append(Array(bytes)) }
      for echo in echoes { _ = try party.send(echo, to: 0, .unreliable) }
      if !echoes.isEmpty { try party.flush() }
      echoes.removeAll(keepingCapacity: true)
    }
    return Measures()
  }

  func play(
    _ party: some Party, through network: Relay?, isOver: () -> Bool
  ) async throws(BenchmarkFailure) -> Measures {
    guard let network else { throw BenchmarkFailure("nobody moves without a network") }
    var message = [UInt8](repeating: 0x5a, count: Self.size)
    let start = Monotonic.now + Self.interval
    var log = EchoLog()
    for tick in 0..<Self.ticks {
      if tick == Self.moveTick { network.moveClients() }
      Stamp.write(UInt64(tick), into: &message)
      _ = try party.send(message, to: 0, .unreliable)
      try party.flush()
      // In small steps, since one who looks later sees a longer gap.
      while Monotonic.now < start + Self.interval * tick {
        try await party.receive(until: .now + .milliseconds(1)) { _, _ in log.note(.now) }
      }
    }
    let isLost = log.last.map { Monotonic.now - $0 > Self.patience } ?? true
    return Measures(isLost ? ["lost": 1] : ["gap": log.longest.inMilliseconds])
  }
}

/// When something came, again and again.
struct EchoLog: Sendable {
  private(set) var last: Monotonic?
  /// Between two that came one after the other.
  private(set) var longest: Duration = .zero

  mutating func note(_ moment: Monotonic) {
    if let last { longest = max(longest, moment - last) }
    last = moment
  }
}
