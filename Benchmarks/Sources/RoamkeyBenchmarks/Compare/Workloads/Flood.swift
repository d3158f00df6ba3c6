/// A client that sends messages as fast as it may, in one session.
struct Flood: Workload, Equatable {
  /// Bytes of a message, at least `Stamp.size`.
  var size: Int
  var promise: Promise
  /// How long it sends.
  var seconds: Double
  /// Messages after which it ends before that; 0: none.
  var limit = 0

  /// The clock is read, and what has no room of its own is flushed, once for so many messages or bytes.
  private static let batch = 64
  private static let batchBytes = 64 << 10
  /// How long what is under way and unreliable may take, until it counts as lost.
  private static let rest: Duration = .milliseconds(50)
  /// What says that it is the end may be lost, where nothing is repeated.
  private static let ends = 3

  func serve(_ party: some Party, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures {
    var count = 0
    var bytes = 0
    var next: UInt64 = 0
    var misplaced = 0
    var isEnded = false
    var first: (time: Monotonic, processor: ProcessorTime, count: Int, bytes: Int)?
    var last = Monotonic.now
    var processor = ProcessorTime.now
    while !isEnded {
      try await party.receive(until: nil) { _, message in
        let number = Stamp.number(of: message)
        if number == Stamp.end {
          isEnded = true
          return
        }
        if number != next { misplaced += 1 }
        next = number + 1
        count += 1
        bytes += message.count
      }
      if isEnded { processor = .now }
      if !isEnded || promise == .reliable { last = .now }
      if first == nil, count > 0 { first = (last, .now, count, bytes) }
    }
    for _ in 0..<Self.ends { try await say(Stamp.end, party) }
    guard let first, count > 0 else { throw BenchmarkFailure("nothing arrived") }
    return Measures([
      "received": Double(count), "bytes": Double(bytes), "misplaced": Double(misplaced),
      "rate": Double(count - first.count) / (last - first.time).inSeconds,
      "byteRate": Double(bytes - first.bytes) / (last - first.time).inSeconds,
      "processor": processor - first.processor,
    ])
  }

  func play(_ party: some Party, through network: Relay?, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures
  {
    var message = [UInt8](repeating: 0x5a, count: max(size, Stamp.size))
    let batch = max(1, min(Self.batch, Self.batchBytes / message.count))
    let processor = ProcessorTime.now
    let start = Monotonic.now
    let end = start + .seconds(seconds)
    var sent: UInt64 = 0
    let limit = self.limit == 0 ? UInt64.max : UInt64(self.limit)
    while Monotonic.now < end && sent < limit {
      for _ in 0..<batch where sent < limit {
        Stamp.write(sent, into: &message)
        guard try party.send(message, to: 0, promise) else {
          try await party.waitForRoom(0)
          break
        }
        sent += 1
      }
      try party.flush()
    }
    let sending = ProcessorTime.now - processor
    if promise == .unreliable { try await party.receive(until: .now + Self.rest) { _, _ in } }
    for _ in 0..<Self.ends { try await say(Stamp.end, party) }
    var isAnswered = false
    while !isAnswered { try await party.receive(until: nil) { _, _ in isAnswered = true } }
    // The rest and what follows it are no part of sending without promises.
    let all = promise == .reliable ? ProcessorTime.now - processor : sending
    var measures = Measures([
      "sent": Double(sent), "seconds": (Monotonic.now - start).inSeconds, "processor": all,
    ])
    measures["datagrams"] = await party.datagramsSent
    return measures
  }

  private func say(_ number: UInt64, _ party: some Party) async throws(BenchmarkFailure) {
    var message = [UInt8](repeating: 0, count: Stamp.size)
    Stamp.write(number, into: &message)
    while !(try party.send(message, to: 0, .reliable)) { try await party.waitForRoom(0) }
    try party.flush()
  }
}
