/// Whether it was worth asking for help, as far as batches of late can tell.
///
/// Where other programs have all processors, a thread that is woken takes turns with the one that woke it: nothing is
/// gained, and both are in each other's way. Then help is asked for ever more seldom, until it is of use again.
struct HelpRecord {
  /// Batches at most that are not shared before the next try.
  private static let longestPause = 64
  /// The cost of a verification follows one that has become slower by so little a batch: one in so many.
  private static let slowness: Int64 = 64

  /// Nanoseconds of a processor for one verification; nil before the first.
  private var cost: Int64?
  private var pause = 0
  private var left = 0

  /// Asked once for each batch that might be shared.
  mutating func mayAsk() -> Bool {
    guard left > 0 else { return true }
    left -= 1
    return false
  }

  /// A batch was shared.
  /// - Parameters:
  ///   - count: signatures in it.
  ///   - own: those that the owner has verified, in `processorTime`.
  ///   - elapsed: what all of it took by the clock.
  mutating func note(_ count: Int, own: Int, processorTime: Duration, elapsed: Duration) {
    if own > 0 {
      let average = max(processorTime / .nanoseconds(1) / Double(own), 1)
      let latest = Int64(min(average, 1e9))
      cost = cost.map { min(latest, $0 + max($0 / Self.slowness, 1)) } ?? latest
    }
    guard let cost else { return }
    // Worth it is what takes an eighth less than the owner alone would.
    if elapsed < .nanoseconds(cost * Int64(count) / 8 * 7) {
      pause = 0
    } else {
      pause = min(max(2 * pause, 1), Self.longestPause)
      left = pause
    }
  }
}
