import RoamkeyCBOR
import RoamkeySimulator
import Testing

@testable import Roamkey
@testable import RoamkeyState

/// Bytes of strangers: an error or a state within the limits, never a trap.
@Suite struct HostileStateTests {
  private static let limits = StateLimits(maximumValues: 4000, maximumBytes: 4000)

  /// Reads bytes as a state; true where they are one.
  private func reads(_ bytes: [UInt8], _ base: StateTree?, _ older: StateTree?, _ keys: KeyTable) -> Bool {
    var keys = keys
    let limits = Self.limits
    let baselines = StateCoding<RangeDecoder>.Baselines(base: base, older: older, distance: 3, span: 2)
    guard let tree = try? StateCoding.decode(bytes[...], baselines, keys: &keys, limits: limits) else { return false }
    #expect(tree.nodes.count <= limits.maximumValues && tree.heap.count <= limits.maximumBytes)
    #expect((try? tree.value(keys: keys)) != nil)
    return true
  }

  @Test func randomAndMutatedBytesGiveAnErrorOrAState() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    var (read, refused) = (0, 0)
    for round in 0..<150 {
      var keys = KeyTable()
      let limits = StateLimits()
      let older = RandomValues.value(&random)
      let base = RandomValues.mutated(older, &random)
      let next = RandomValues.mutated(base, &random)
      let trees = try [older, base, next].map { try StateTree($0, keys: &keys, limits: limits) }
      let baselines = StateCoding<RangeEncoder>.Baselines(base: trees[1], older: trees[0], distance: 3, span: 2)
      // Few are too large for the limits.
      guard trees[2].nodes.count < 4000, trees[2].heap.count < 2000 else { continue }
      let honest = StateCoding.encode(trees[2], baselines, keys: keys)
      #expect(reads(honest, trees[1], trees[0], keys), "seed \(seed), round \(round)")
      for _ in 0..<40 {
        var bytes = honest
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes = random.bytes(Int.random(in: 0..<60, using: &random))
        case 1: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        case 2: bytes += random.bytes(Int.random(in: 1..<9, using: &random))
        default:
          for _ in 0..<Int.random(in: 1..<4, using: &random) {
            guard let place = bytes.indices.randomElement(using: &random) else { continue }
            bytes[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &random)
          }
        }
        let isWhole = random.chance(0.3)
        if reads(bytes, isWhole ? nil : trees[1], isWhole ? nil : trees[0], keys) { read += 1 } else { refused += 1 }
      }
    }
    // Nearly all that was changed is noticed: the check has 16 bits.
    #expect(refused > 4000, "seed \(seed): \(refused) refused, \(read) read")
  }

  @Test func eachLostByteAtTheEndIsNoticed() throws {
    var random = SeededRandom(seed: 9)
    let world = try Value(encoding: MoverWorld(30, &random))
    var bench = Bench()
    let bytes = try bench.encode(world)
    for count in 0..<bytes.count {
      #expect(throws: StateError.self) { try bench.decode(Array(bytes.prefix(count))) }
    }
  }

  @Test func aFewBytesDoNotBecomeMany() throws {
    var keys = KeyTable()
    let wide = StateLimits(maximumValues: 1 << 20, maximumBytes: 1 << 24)
    let narrow = StateLimits(maximumValues: 1000, maximumBytes: 1000)
    let many = Value.list(Array(repeating: 7, count: 200_000))
    let long = Value.text(String(repeating: "a", count: 200_000))
    let deep = (0..<16).reduce(Value.null) { inner, _ in .list([inner]) }
    for (state, error) in [
      (many, StateError.tooManyValues(limit: 1000)), (long, .tooManyBytes(limit: 1000)),
    ] {
      let tree = try StateTree(state, keys: &keys, limits: wide)
      let bytes = StateCoding<RangeEncoder>.encode(tree, .init(), keys: keys)
      #expect(bytes.count < 1500, "\(bytes.count)")
      var others = KeyTable()
      #expect(throws: error) {
        _ = try StateCoding<RangeDecoder>.decode(bytes[...], .init(), keys: &others, limits: narrow)
      }
      #expect(throws: error) { _ = try StateTree(state, keys: &keys, limits: narrow) }
    }
    #expect(throws: Never.self) { _ = try StateTree(deep, keys: &keys, limits: wide) }
    #expect(throws: StateError.tooDeep(limit: 16)) { _ = try StateTree([deep], keys: &keys, limits: wide) }
  }

  @Test func headersOutOfOrderAreRefused() throws {
    for header in [
      StateHeader(frame: 5), StateHeader(frame: 5, distance: 2),
      StateHeader(frame: 1 << 40, distance: 1, olderDistance: 9),
    ] {
      var bytes = (header.bytes + [1, 2])[...]
      #expect(try StateHeader(&bytes) == header)
      #expect(Array(bytes) == [1, 2])
    }
    for header in [
      StateHeader(frame: 5, distance: 6), StateHeader(frame: 5, distance: 2, olderDistance: 2),
      StateHeader(frame: 5, olderDistance: 2), StateHeader(frame: 1 << 40, distance: 1 << 33),
    ] {
      #expect(throws: StateError.malformed) {
        var bytes = header.bytes[...]
        _ = try StateHeader(&bytes)
      }
    }
    for bytes: [UInt8] in [[], [1], [0x80], Array(repeating: 0xff, count: 30)] {
      #expect(throws: StateError.malformed) {
        var bytes = bytes[...]
        _ = try StateHeader(&bytes)
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func aSubscriberOutlivesWhateverItIsSent(seed: UInt64) throws {
    let server = LossyServer(seed: seed)
    var random = SeededRandom(seed: ~seed)
    let player = PlayerKey.generate().id
    server.join(player)
    var publisher = StatePublisher<Value>()
    var subscriber = StateSubscriber<Value>()
    var state = RandomValues.value(&random)
    var (right, refused) = (0, 0)
    for _ in 0..<300 {
      state = RandomValues.mutated(state, &random, chance: 0.05)
      publisher.take(server.takeReceipts())
      publisher.publish(state, to: server)
      for (message, _) in server.deliver(loss: 0.1, late: 0) {
        if random.chance(0.3) {
          var body = message.body
          if let place = body.indices.randomElement(using: &random) { body[place] ^= UInt8(1 << (random.next() % 8)) }
          subscriber.take(LossyServer.received(Message(body, as: message.action), like: message))
          if subscriber.lastError != nil { refused += 1 }
        } else {
          subscriber.take(message)
          // What was changed and read all the same may be a wrong baseline, which is noticed.
          if subscriber.lastError == nil, subscriber.newest?.isIdentical(state) == true { right += 1 }
        }
        if let request = subscriber.takeRequest() {
          publisher.take(LossyServer.received(request, channel: defaultStateChannel), from: player)
        }
      }
    }
    #expect(right > 50 && refused > 20, "seed \(seed): \(right), \(refused)")
  }
}
