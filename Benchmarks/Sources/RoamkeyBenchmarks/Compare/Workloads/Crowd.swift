internal import BenchmarkSockets
internal import Glibc

/// Many clients at once: how long they take to come in, what an idle one costs, and what it costs to play with all.
struct Crowd: Workload, Equatable {
  var peers: Int
  /// Messages a second from each client, and from the server to all.
  var rateIn: Double
  var rateOut: Double
  var sizeIn: Int
  var sizeOut: Int
  /// How long play is measured; 0: only connecting and resting.
  var seconds: Double

  /// After the last one has come in: what handshakes need and do not keep is given back, packet sizes are probed.
  private static let settling: Duration = .seconds(1)
  private static let warmUp: Duration = .milliseconds(500)
  /// A server that sends to each less often has so many ticks a second nevertheless, and sends to some of them at each:
  /// ten thousand acknowledgements at once would find no room in its socket.
  private static let leastTicks = 5.0

  func serve(_ party: some Party, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures {
    let beginning = ProcessorTime.now
    while party.peers < peers { try await party.receive(until: .now + .milliseconds(2)) { _, _ in } }
    let connected = ProcessorTime.now
    try await party.receive(until: .now + Self.settling) { _, _ in }
    bench_trim(0)
    var measures = Measures([
      "connectProcessor": connected - beginning, "memoryEnd": Double(Memory.anonymousBytes),
    ])
    guard seconds > 0 else { return measures }
    var received = 0
    var sent = 0
    var start = (time: Monotonic.now, processor: ProcessorTime.now)
    let first = start.time
    let ticks = Ticks(rate: max(rateOut, Self.leastTicks), notBefore: first, offset: 0)
    let message = [UInt8](repeating: 0x5a, count: sizeOut)
    var tick = 0
    var turns = 0.0
    var isWarm = false
    var datagrams: Double?
    while !isWarm || Monotonic.now - start.time < .seconds(seconds) {
      try await party.receive(until: ticks[tick]) { _, _ in received += 1 }
      tick += 1
      if rateOut < Self.leastTicks {
        let before = Int(turns)
        turns += rateOut * Double(party.peers) / Self.leastTicks
        for turn in before..<Int(turns) { _ = try party.send(message, to: turn % party.peers, .unreliable) }
        sent += Int(turns) - before
      } else {
        try party.broadcast(message, .unreliable)
        sent += party.peers
      }
      try party.flush()
      if !isWarm, Monotonic.now - first > Self.warmUp {
        isWarm = true
        datagrams = await party.datagrams
        start = (.now, .now)
        (received, sent) = (0, 0)
      }
    }
    let time = (Monotonic.now - start.time).inSeconds
    let processor = ProcessorTime.now - start.processor
    measures["share"] = processor / 1e6 / time
    measures["received"] = Double(received)
    measures["sent"] = Double(sent)
    measures["expected"] = rateIn * Double(peers) * time
    measures["perMessage"] = processor / Double(received + sent)
    // Where a message is a datagram nobody need count these.
    let passed = await party.datagrams.flatMap { now in datagrams.map { now - $0 } } ?? Double(received + sent)
    measures["perDatagram"] = processor / passed
    measures["datagrams"] = passed
    return measures
  }

  func play(_ party: some Party, through network: Relay?, isOver: () -> Bool) async throws(BenchmarkFailure) -> Measures
  {
    var message = [UInt8](repeating: 0x5a, count: max(sizeIn, Stamp.size))
    var received = 0
    guard rateIn > 0 else {
      while !isOver() { try await party.receive(until: .now + .milliseconds(5)) { _, _ in received += 1 } }
      return Measures(["received": Double(received)])
    }
    // Each client at its own moment of the interval, in steps of a millisecond.
    let start = Monotonic.now
    var step = 0
    var sent = 0.0
    // Of the clients of this process, which need not be all.
    let peers = party.peers
    let perStep = rateIn * Double(peers) / 1000
    while !isOver() {
      step += 1
      try await party.receive(until: start + .milliseconds(step)) { _, _ in received += 1 }
      let due = Double(step) * perStep
      while sent < due {
        let peer = Int(sent) % peers
        Stamp.write(UInt64(sent), peer: UInt32(peer), into: &message)
        _ = try party.send(message, to: peer, .unreliable)
        sent += 1
      }
      try party.flush()
    }
    return Measures(["received": Double(received), "sent": sent])
  }
}

/// Memory of this process.
enum Memory {
  /// What is its own and there in fact, without code and files (RssAnon), in bytes.
  static var anonymousBytes: Int {
    let descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    while let line = ChildProcess.readLine(from: descriptor) {
      guard line.hasPrefix("RssAnon:") else { continue }
      return (line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
    return 0
  }
}
