import RoamkeyCBOR
import RoamkeySimulator
import Testing

@testable import RoamkeyState

/// The engine of differences: what is read is what was written (STATE §4 to §6).
@Suite struct CodingTests {
  @Test func everyLeafComesThroughWhole() throws {
    var bench = Bench()
    let leaves: [Value] = [
      .null, .undefined, true, false, 0, -1, .integer(Int128(Int64.min)), .integer(Int128(UInt64.max)),
      .integer(-1 - Int128(UInt64.max)), .number(-0.0), .number(.nan), .number(.signalingNaN), .number(-.infinity),
      .number(0.1), .number(12.34), .number(.leastNonzeroMagnitude), .bytes([]), .bytes([0, 255]), "", "e\u{301}", "é",
      .simple(19), .simple(255), .tagged(7, "x"), [], .dictionary([:]),
    ]
    for leaf in leaves {
      let (whole, _) = try bench.carry(leaf)
      #expect(whole.isIdentical(leaf), "\(leaf)")
      for other in leaves {
        let (changed, _) = try bench.carry(leaf, from: other, other)
        #expect(changed.isIdentical(leaf), "\(other) to \(leaf)")
      }
    }
    let (all, _) = try bench.carry(.list(leaves))
    #expect(all.isIdentical(.list(leaves)))
  }

  @Test func whatDoesNotChangeCostsNothing() throws {
    var random = SeededRandom(seed: 1)
    let world = try Value(encoding: MoverWorld(200, &random))
    var bench = Bench()
    let (same, bytes) = try bench.carry(world, from: world)
    #expect(same == world && bytes.count <= 3)
  }

  @Test func randomTreesAndTheirDifferences() throws {
    for seed in UInt64(1)...250 {
      var random = SeededRandom(seed: seed)
      var bench = Bench()
      var states = [RandomValues.value(&random)]
      for _ in 0..<8 {
        let last = states[states.count - 1]
        let next = RandomValues.mutated(last, &random, chance: random.chance(0.5) ? 0.15 : 0.02)
        let base = states.indices.randomElement(using: &random) ?? 0
        let older = base > 0 && random.chance(0.8) ? Int.random(in: 0..<base, using: &random) : nil
        let (read, bytes) = try bench.carry(
          next, from: states[base], distance: Int64(states.count - base), older.map { states[$0] },
          span: Int64(base - (older ?? base - 1)))
        #expect(read.isIdentical(next), "seed \(seed): \(next) from \(states[base]), \(bytes.count) bytes")
        states.append(next)
      }
    }
  }

  /// What the classes of numbers, two guesses and short lists are for.
  @Test func thingsInSteadyMotionCostLittle() throws {
    var random = SeededRandom(seed: 1)
    var world = MoverWorld(100, &random)
    var states: [Value] = []
    for _ in 0..<12 {
      states.append(try Value(encoding: world))
      world.step(&random)
    }
    var bench = Bench()
    let plain = try states[9].cbor().count
    let (whole, full) = try bench.carry(states[9])
    let (moved, one) = try bench.carry(states[9], from: states[7], distance: 2)
    let (guessed, two) = try bench.carry(states[9], from: states[7], distance: 2, states[3], span: 4)
    #expect(whole == states[9] && moved == states[9] && guessed == states[9])
    #expect(full.count * 4 < plain && one.count * 10 < plain && two.count * 30 < plain)
  }

  @Test func listsThatShiftAreKnownAgain() throws {
    var bench = Bench()
    let trail = (0..<40).map { Value.list([.integer(Int128($0 * 7919 % 1000)), .number(Double($0) * 1.37)]) }
    let (moved, bytes) = try bench.carry(.list(Array(trail[5...])), from: .list(Array(trail[4..<39])))
    #expect(moved == .list(Array(trail[5...])) && bytes.count < 24, "\(bytes.count)")
    let (cut, less) = try bench.carry(.list(Array(trail[..<9] + trail[10...])), from: .list(trail))
    #expect(cut == .list(Array(trail[..<9] + trail[10...])) && less.count < 12, "\(less.count)")
  }

  /// The format is these bytes: whoever changes one of them changes it for all who have been written already.
  @Test func theBytesStayWhatTheyAre() throws {
    var bench = Bench()
    let one: Value = [
      "t": 1,
      "ships": [["id": 1, "x": 10, "hull": 0.5, "mode": "idle"], ["id": 2, "x": 30, "hull": 12.25, "mode": "idle"]],
    ]
    let two: Value = [
      "t": 2,
      "ships": [["id": 1, "x": 14, "hull": 0.5, "mode": "idle"], ["id": 2, "x": 33, "hull": 12, "mode": "fire"]],
    ]
    let three: Value = [
      "t": 3,
      "ships": [["id": 1, "x": 18, "hull": 0.5, "mode": "idle"], ["id": 3, "x": 7, "hull": 12, "mode": "fire"]],
    ]
    let bytes = [
      try bench.encode(one), try bench.encode(two, from: one), try bench.encode(three, from: two, one),
      try bench.encode([.null, true, -1, .number(-.infinity), .bytes([1, 2]), .tagged(3, "é"), .integer(1 << 63)]),
    ]
    let hexadecimal = bytes.map { $0.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }
    #expect(
      hexadecimal == [
        "a112dcda26c066da01c7d668a49ef66fe6ff157e54e9f33efbdb5f18ed97eb23ad2afccf3c64",
        "542b530a1a4518ccd37f29fc75f814", "54156981c1f8a423721a28cb5f7b11c45d",
        "93bfcdc9c4dfdfe18002fdf81bd9021b43a1747b29143e000000000005d2df",
      ])
  }
}
