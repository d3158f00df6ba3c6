import RoamkeyEngine

/// Random numbers that can be had again from their seed (SplitMix64): every world draws from one of these alone, so a
/// run is repeated exactly by its seed.
public struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The same seed gives the same numbers, on every machine.
  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }

  /// True in so many of all cases: 0 is never, 1 always.
  public mutating func chance(_ probability: Double) -> Bool {
    guard probability > 0 else { return false }
    return Double(next() >> 11) * 0x1p-53 < probability
  }

  /// A duration from zero to below `limit`, in whole nanoseconds; zero where there is none below it.
  public mutating func duration(below limit: Duration) -> Duration {
    let nanoseconds = limit.inNanoseconds
    return nanoseconds > 0 ? .nanoseconds(Int64.random(in: 0..<nanoseconds, using: &self)) : .zero
  }

  /// So many random bytes; none for a negative count.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<max(0, count)).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
  }
}
