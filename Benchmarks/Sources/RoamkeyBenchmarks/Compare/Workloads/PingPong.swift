/// A message that is sent back as soon as it has come, again and again.
struct PingPong: Workload, Equatable {
  var size: Int
  var seconds: Double

  /// Exchanges before those that count.
  private static let warmUp = 200

  func serve(_ party: some Party, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures {
    var isEnded = false
    var answers = 0
    let start = ProcessorTime.now
    while !isEnded {
      var message: [UInt8] = []
      try await party.receive(until: nil) { _, bytes in message = Array(bytes) }
      isEnded = message.withUnsafeBytes { Stamp.number(of: $0) } == Stamp.end
      guard !message.isEmpty else { continue }
      _ = try party.send(message, to: 0, .reliable)
      try party.flush()
      answers += 1
    }
    return Measures(["answers": Double(answers), "processor": ProcessorTime.now - start])
  }

  func play(_ party: some Party, through network: Relay?, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures
  {
    var message = [UInt8](repeating: 0x5a, count: max(size, Stamp.size))
    var times: [Duration] = []
    let end = Monotonic.now + .seconds(seconds)
    var number: UInt64 = 0
    var now = Monotonic.now
    while now < end {
      number += 1
      Stamp.write(number, into: &message)
      let sent = Monotonic.now
      _ = try party.send(message, to: 0, .reliable)
      try party.flush()
      var isBack = false
      while !isBack {
        try await party.receive(until: nil) { _, bytes in isBack = isBack || Stamp.number(of: bytes) == number }
      }
      now = .now
      if number > Self.warmUp { times.append(now - sent) }
    }
    Stamp.write(Stamp.end, into: &message)
    _ = try party.send(message, to: 0, .reliable)
    try party.flush()
    try await party.receive(until: .now + .milliseconds(20)) { _, _ in }
    let percentiles = Percentiles(times)
    guard let p50 = percentiles[50], let p99 = percentiles[99] else { throw BenchmarkFailure("nothing came back") }
    return Measures(["p50": p50.inMicroseconds, "p99": p99.inMicroseconds, "count": Double(times.count)])
  }
}
