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
    for seed in UInt64(1)...400 {
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

  @Test func figures() throws {
    var random = SeededRandom(seed: 1)
    var world = MoverWorld(200, &random)
    var states: [Value] = []
    for _ in 0..<40 {
      states.append(try Value(encoding: world))
      world.step(&random)
    }
    var bench = Bench()
    print("full", try bench.carry(states[20]).1.count, "cbor", try states[20].cbor().count)
    for d in 1...4 {
      for s in [1, 4, 8] {
        let sizes = try (20..<40).map {
          try bench.carry(states[$0], from: states[$0 - d], distance: Int64(d), states[$0 - d - s], span: Int64(s)).1
            .count
        }
        print("d", d, "s", s, sizes.reduce(0, +) / sizes.count)
      }
      let sizes = try (20..<40).map { try bench.carry(states[$0], from: states[$0 - d], distance: Int64(d)).1.count }
      print("d", d, "alone", sizes.reduce(0, +) / sizes.count)
    }
  }
}
