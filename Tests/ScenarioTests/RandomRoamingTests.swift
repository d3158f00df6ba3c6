import Glibc
import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Worlds of chance in which everybody roams. `ROAMKEY_MOVES` says how many things happen in all; a failing seed is run
/// again alone with `ROAMKEY_SEED`.
@Suite struct RandomRoamingTests {
  private static let batches = 10
  private static let eventsOfAWorld = 40

  private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }

  /// The seeds of a batch: worlds run in batches, so that they share the cores.
  private static func seeds(batch: Int) -> [UInt64] {
    if let seed = number("ROAMKEY_SEED") { return batch == 0 ? [seed] : [] }
    let events = number("ROAMKEY_MOVES") ?? 800
    let count = (events + UInt64(eventsOfAWorld) - 1) / UInt64(eventsOfAWorld)
    return (0..<count).filter { $0 % UInt64(batches) == UInt64(batch) }
  }

  @Test(arguments: 0..<batches)
  func everyPromiseHolds(batch: Int) {
    for seed in Self.seeds(batch: batch) {
      var story = RandomRoaming(seed: seed)
      story.run(events: Self.eventsOfAWorld)
    }
  }
}
