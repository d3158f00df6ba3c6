internal import Roamkey
internal import RoamkeyState

/// What the states of one world take as differences to those some ticks before, by ours and by zstd.
struct StateComparison {
  /// A way to write them.
  struct Row {
    var name: String
    var bytes: Double
    /// Of a state that is the difference to nothing.
    var whole: Double
    /// Microseconds for writing and reading, values of the type included.
    var encode: Double
    var decode: Double
  }

  let title: String
  private(set) var rows: [Row] = []
  /// States that did not come back as they were.
  private(set) var wrong = 0

  init<World: StateWorld>(_ type: World.Type, ticks: Int, lag: Int, seed: UInt64) throws {
    title = World.title
    var random = SeededRandom(seed: seed)
    var world = World(&random)
    var states: [World] = []
    for _ in 0..<ticks + 20 {
      states.append(world)
      world.step(&random)
    }
    try addPlain(states)
    try addOurs(states, lag: lag)
    for level in [1, 3, 9, 19] {
      try addZstd("zstd -\(level), CBOR", states, level: level, lag: lag) { try CBOR.encode($0) }
    }
    for level in [1, 3, 9, 19] {
      try addZstd("zstd -\(level), columns", states, level: level, lag: lag) { $0.columns }
    }
  }

  private static func microseconds(_ body: () throws -> Void) rethrows -> Double {
    let start = Monotonic.now
    try body()
    return (Monotonic.now - start).inMicroseconds
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

  private mutating func addPlain<World: StateWorld>(_ states: [World]) throws {
    var (encode, decode, bytes): ([Double], [Double], [Double]) = ([], [], [])
    for state in states.dropFirst(20) {
      var encoded: [UInt8] = []
      encode.append(try Self.microseconds { encoded = try CBOR.encode(state) })
      decode.append(try Self.microseconds { if try CBOR.decode(World.self, from: encoded) != state { wrong += 1 } })
      bytes.append(Double(encoded.count))
    }
    let mean = bytes.reduce(0, +) / Double(bytes.count)
    rows.append(Row(name: "CBOR", bytes: mean, whole: mean, encode: Self.median(encode), decode: Self.median(decode)))
  }

  private mutating func addOurs<World: StateWorld>(_ states: [World], lag: Int) throws {
    let server = StateLoopback(lag: lag)
    var publisher = StatePublisher<World>(channel: 0)
    var subscriber = StateSubscriber<World>(channel: 0)
    var (encode, decode, bytes, whole): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    for (tick, state) in states.enumerated() {
      publisher.take(server.takeReceipts())
      let encoding = Self.microseconds { publisher.publish(state, to: server) }
      guard let message = server.last else { continue }
      let decoding = Self.microseconds { subscriber.take(message) }
      if subscriber.newest != state || subscriber.lastError != nil { wrong += 1 }
      if tick < lag { whole.append(Double(message.body.count)) }
      guard tick >= 20 else { continue }
      encode.append(encoding)
      decode.append(decoding)
      bytes.append(Double(message.body.count))
    }
    rows.append(
      Row(
        name: "ours", bytes: bytes.reduce(0, +) / Double(bytes.count), whole: whole.reduce(0, +) / Double(whole.count),
        encode: Self.median(encode), decode: Self.median(decode)))
  }

  private mutating func addZstd<World: StateWorld>(
    _ name: String, _ states: [World], level: Int, lag: Int, _ encoded: (World) throws -> [UInt8]
  ) throws {
    guard let codec = ZstdCodec(level: level) else { return }
    var (encode, decode, bytes, whole): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    for tick in 20..<states.count {
      let prefix = try encoded(states[tick - lag])
      let plain = try encoded(states[tick])
      var packed: [UInt8]?
      encode.append(Self.microseconds { packed = codec.compress(plain, prefix: prefix) })
      var unpacked: [UInt8]?
      decode.append(
        Self.microseconds { unpacked = codec.decompress(packed ?? [], prefix: prefix, limit: plain.count) })
      if unpacked != plain { wrong += 1 }
      bytes.append(Double(packed?.count ?? 0))
      whole.append(Double(codec.compress(plain, prefix: nil)?.count ?? 0))
    }
    rows.append(
      Row(
        name: name, bytes: bytes.reduce(0, +) / Double(bytes.count), whole: whole.reduce(0, +) / Double(whole.count),
        encode: Self.median(encode), decode: Self.median(decode)))
  }

  var text: String {
    let head = [title, "bytes", "share", "whole", "write us", "read us"]
    let plain = rows.first?.bytes ?? 1
    return Text.table(
      [head]
        + rows.map { row in
          [
            row.name, Text.number(row.bytes, decimals: 0), Text.number(row.bytes / plain * 100, decimals: 1) + " %",
            Text.number(row.whole, decimals: 0), Text.number(row.encode, decimals: 0),
            Text.number(row.decode, decimals: 0),
          ]
        })
  }
}
