internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyUDP

/// The players of a server with several threads: one session each, wherever it is, and limits that count all of them.
///
/// Its lock is taken once when a session begins and once when it ends.
final class PlayerRegistry: ShardRegistry {
  private struct Place: Sendable {
    var number: UInt64
    var shard: Int
    var prefix: UInt128
  }

  private struct State: Sendable {
    var places: [PlayerID: Place] = [:]
    var perPrefix: [UInt128: Int] = [:]
    var lastNumber: UInt64 = 0

    mutating func nextNumber() -> UInt64 {
      lastNumber += 1
      return lastNumber
    }

    mutating func vacate(_ player: PlayerID) {
      guard let place = places.removeValue(forKey: player) else { return }
      let left = (perPrefix[place.prefix] ?? 0) - 1
      perPrefix[place.prefix] = left > 0 ? left : nil
    }
  }

  private let state = Locked(State())
  /// Ends a session, on the thread that has it.
  private let supersede: @Sendable (SessionHandle) -> Void

  /// - Parameter supersede: ends a session whose player has come to another shard.
  init(supersede: @escaping @Sendable (SessionHandle) -> Void) { self.supersede = supersede }

  func nextNumber() -> UInt64 { state.withLock { $0.nextNumber() } }

  func enter(_ player: PlayerID, prefix: UInt128, shard: Int, _ configuration: RoamkeyConfiguration) -> UInt64? {
    let (number, older) = state.withLock { state -> (UInt64?, Place?) in
      let older = state.places[player]
      let fromThere = state.perPrefix[prefix] ?? 0
      // Who comes back takes their own place.
      let hasPlace =
        older != nil
        || state.places.count < configuration.maximumSessions && fromThere < configuration.maximumSessionsPerPrefix
      guard hasPlace else { return (nil, nil) }
      state.vacate(player)
      let number = state.nextNumber()
      state.places[player] = Place(number: number, shard: shard, prefix: prefix)
      state.perPrefix[prefix, default: 0] += 1
      return (number, older)
    }
    if let older, older.shard != shard { supersede(ServerShard.handle(older.number, shard: older.shard)) }
    return number
  }

  func leave(_ player: PlayerID, number: UInt64) {
    state.withLock { state in
      if state.places[player]?.number == number { state.vacate(player) }
    }
  }

  /// How many have a place, and how many addresses they come from; for tests.
  var counts: (players: Int, prefixes: Int) { state.withLock { ($0.places.count, $0.perPrefix.count) } }
}
