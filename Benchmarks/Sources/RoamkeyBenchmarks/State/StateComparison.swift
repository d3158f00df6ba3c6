internal import Roamkey
internal import RoamkeyState

/// What the states of one world take as differences to those some ticks before, by ours and by zstd.
struct StateComparison {
  /// A way to write them.
  struct Row {
    var name: String
    var bytes: Double
    /// Of the same states, each as the difference to nothing.
    var whole: Double
    /// Microseconds for writing and reading.
    var encode: Double
    var decode: Double
  }

  /// What was measured of each state.
  private struct Samples {
    var bytes: [Double] = []
    var whole: [Double] = []
    var encode: [Double] = []
    var decode: [Double] = []

    func row(_ name: String) -> Row {
      Row(
        name: name, bytes: mean(bytes), whole: mean(whole), encode: median(encode), decode: median(decode))
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }

    private func median(_ values: [Double]) -> Double {
      let sorted = values.sorted()
      return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }
  }

  /// States before those that are measured, so that receipts have begun to come: more than the longest lag.
  private static let head = 20

  let title: String
  private let count: Int
  private var ours: Row?
  private var others: [Row] = []
  /// States that did not come back as they were.
  private(set) var wrong = 0

  init<World: StateWorld>(_ type: World.Type, ticks: Int, lag: Int, seed: UInt64) throws {
    title = World.title
    var random = SeededRandom(seed: seed)
    var world = World(&random)
    var states: [World] = []
    while states.count < ticks + Self.head && !world.isOver {
      states.append(world)
      world.step(&random)
    }
    count = max(0, states.count - Self.head)
    let plain = try states.map { try CBOR.encode($0) }
    try addPlain(states)
    ours = measure("ours", states, lag: lag)
    others.append(measure("ours, without Codable", try states.map { try Value(encoding: $0) }, lag: lag))
    for level in [1, 3, 9, 19] { addZstd("zstd -\(level), CBOR", plain, level: level, lag: lag) }
    let columns = states.map(\.columns)
    for level in [1, 3, 9, 19] { addZstd("zstd -\(level), columns", columns, level: level, lag: lag) }
  }

  private static func microseconds(_ body: () throws -> Void) rethrows -> Double {
    let start = Monotonic.now
    try body()
    return (Monotonic.now - start).inMicroseconds
  }

  private mutating func addPlain<World: StateWorld>(_ states: [World]) throws {
    var samples = Samples()
    for state in states.dropFirst(Self.head) {
      var encoded: [UInt8] = []
      samples.encode.append(try Self.microseconds { encoded = try CBOR.encode(state) })
      samples.decode.append(
        try Self.microseconds { if try CBOR.decode(World.self, from: encoded) != state { wrong += 1 } })
      samples.bytes.append(Double(encoded.count))
      samples.whole.append(Double(encoded.count))
    }
    others.append(samples.row("CBOR"))
  }

  private mutating func measure<State: Codable & Equatable>(_ name: String, _ states: [State], lag: Int) -> Row {
    let server = StateLoopback(lag: lag)
    let whole = StateLoopback(lag: lag)
    var publisher = StatePublisher<State>(channel: 0)
    var subscriber = StateSubscriber<State>(channel: 0)
    var samples = Samples()
    for (tick, state) in states.enumerated() {
      publisher.take(server.takeReceipts())
      let encoding = Self.microseconds { publisher.publish(state, to: server) }
      guard let message = server.takeLast() else {
        wrong += 1
        continue
      }
      let decoding = Self.microseconds { subscriber.take(message) }
      if subscriber.newest != state || subscriber.lastError != nil { wrong += 1 }
      guard tick >= Self.head else { continue }
      samples.encode.append(encoding)
      samples.decode.append(decoding)
      samples.bytes.append(Double(message.body.count))
      // Who has had nothing before reads it from nobody who knows of receipts.
      guard let message = whole.whole(state) else {
        wrong += 1
        continue
      }
      var first = StateSubscriber<State>(channel: 0)
      first.take(message)
      if first.newest != state { wrong += 1 }
      samples.whole.append(Double(message.body.count))
    }
    return samples.row(name)
  }

  private mutating func addZstd(_ name: String, _ states: [[UInt8]], level: Int, lag: Int) {
    guard let codec = ZstdCodec(level: level) else {
      wrong += 1
      return
    }
    var samples = Samples()
    for tick in states.indices.dropFirst(Self.head) {
      let (plain, prefix) = (states[tick], states[tick - lag])
      var packed: [UInt8]?
      samples.encode.append(Self.microseconds { packed = codec.compress(plain, prefix: prefix) })
      var unpacked: [UInt8]?
      samples.decode.append(
        Self.microseconds { unpacked = codec.decompress(packed ?? [], prefix: prefix, limit: plain.count) })
      if unpacked != plain { wrong += 1 }
      samples.bytes.append(Double(packed?.count ?? 0))
      let whole = codec.compress(plain, prefix: nil) ?? []
      if codec.decompress(whole, prefix: nil, limit: plain.count) != plain { wrong += 1 }
      samples.whole.append(Double(whole.count))
    }
    others.append(samples.row(name))
  }

  var text: String {
    let rows = others.prefix(1) + [ours].compactMap(\.self) + others.dropFirst()
    let plain = rows.first?.bytes ?? 1
    let table = Text.table(
      [[title, "bytes", "share", "whole", "write us", "read us"]]
        + rows.map { row in
          [
            row.name, Text.number(row.bytes, decimals: 0), Text.number(row.bytes / plain * 100, decimals: 1) + " %",
            Text.number(row.whole, decimals: 0), Text.number(row.encode, decimals: 0),
            Text.number(row.decode, decimals: 0),
          ]
        })
    let zstd = others.filter { $0.name.hasPrefix("zstd") }
    guard let ours, let bytes = zstd.map(\.bytes).min(), let whole = zstd.map(\.whole).min() else { return table }
    return """
      \(table)
      \(count) states; zstd's best: \(Text.number(bytes / ours.bytes, decimals: 1)) times our bytes, \
      \(Text.number(whole / ours.whole, decimals: 2)) times those of our whole states
      """
  }
}
