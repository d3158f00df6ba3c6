import Glibc
import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Worlds of chance: whatever the network did, every message arrives once and in order, and once the network is good
/// again everything is delivered and every player is still there. `ROAMKEY_WORLDS` says how many; a failing seed is
/// run again alone with `ROAMKEY_SEED`.
@Suite struct RandomWorldTests {
  private static let batches = 20

  private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

  /// The seeds of a batch: worlds run in batches, so that they share the cores.
  private static func seeds(batch: Int) -> [UInt64] {
    if let seed = number("ROAMKEY_SEED") { return batch == 0 ? [seed] : [] }
    let count = number("ROAMKEY_WORLDS") ?? 2000
    return (0..<count).filter { $0 % UInt64(batches) == UInt64(batch) }
  }

  @Test(arguments: 0..<batches)
  func everyPromiseHolds(batch: Int) async {
    for seed in Self.seeds(batch: batch) {
      var story = RandomStory(seed: seed)
      story.run()
      // Minutes of work: others have their turn in between.
      await Task.yield()
    }
  }
}
