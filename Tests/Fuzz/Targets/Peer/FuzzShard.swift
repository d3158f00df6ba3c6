import RoamkeyCrypto
import RoamkeyEngine
import Synchronization

/// A server of one thread that has idle ones beside it: they verify its signatures ahead, and nothing else is theirs.
enum FuzzShard {
  static func make() -> ServerShard {
    ServerShard(
      index: 0, map: ShardMap(key: (1, 2), count: 1), clock: LocalClock(random: 7), registry: Registry(),
      board: Board(),
      handOver: { _, _, _ in })
  }

  /// Everybody has a place.
  private final class Registry: ShardRegistry {
    private let number = Mutex<UInt64>(0)

    func nextNumber() -> UInt64 {
      number.withLock { number in
        number += 1
        return number
      }
    }

    func enter(
      _ player: PlayerID, prefix: UInt128, shard: Int, _ configuration: RoamkeyConfiguration
    ) -> UInt64? { nextNumber() }

    func leave(_ player: PlayerID, number: UInt64) {}
  }

  private struct Board: VerificationBoard {
    var hasIdleHelpers: Bool { true }

    func verify(_ tasks: UnsafeMutableBufferPointer<Verification>) -> Int {
      for place in tasks.indices { tasks[place].run() }
      return tasks.count
    }
  }
}
