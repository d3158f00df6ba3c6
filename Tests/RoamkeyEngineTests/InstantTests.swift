import RoamkeySimulator
import Testing

@testable import RoamkeyEngine

/// Moments and durations as whole nanoseconds: the same as by the standard library's own, slower ways.
@Suite struct InstantTests {
  /// By way of `components`, and saturating.
  private static func nanoseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return Int64(clamping: Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000))
  }

  private static let edges: [Duration] = {
    var edges: [Duration] = []
    for middle in [Int64.max, .min, 0] {
      for step in -2...2 {
        // Around what 64 bits of attoseconds hold, and around what 64 bits of nanoseconds do.
        let attoseconds = Int128(middle) + Int128(step)
        edges.append(Duration(attoseconds: attoseconds))
        edges.append(Duration(attoseconds: attoseconds * 1_000_000_000 + Int128(step)))
      }
    }
    for seconds in [Int64.max, .min, 9_223_372_036, 9_223_372_037, -9_223_372_037] { edges.append(.seconds(seconds)) }
    return edges
  }()

  @Test("durations that 64 bits of attoseconds hold, that they do not, and that no Instant can count", arguments: edges)
  func edge(_ duration: Duration) {
    #expect(duration.inNanoseconds == Self.nanoseconds(duration))
  }

  @Test func anyDuration() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    for _ in 0..<10_000 {
      let attoseconds = Int128(Int64(bitPattern: random.next())) << Int128(random.next() % 40)
      let duration = Duration(attoseconds: attoseconds)
      #expect(duration.inNanoseconds == Self.nanoseconds(duration), "seed \(seed)")
      let (a, b) = (Instant(nanoseconds: Int64(bitPattern: random.next())), Instant(nanoseconds: 1_000_000_000))
      #expect(a - b == .nanoseconds(a.nanoseconds &- b.nanoseconds), "seed \(seed)")
    }
  }

  @Test func sumsSaturate() {
    let now = Instant(nanoseconds: 5)
    #expect(now + .seconds(Int64.max) == .distantFuture)
    #expect(now - .seconds(Int64.max) == Instant(nanoseconds: .min) + .nanoseconds(6))
    #expect(Instant(nanoseconds: -5) + .seconds(Int64.min) == Instant(nanoseconds: .min))
  }
}
