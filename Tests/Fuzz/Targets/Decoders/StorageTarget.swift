import Roamkey

extension FuzzTargets {
  /// The file of a `PlayerStorage`, which a crash, an editor or another program may have left as anything.
  static let storage = FuzzTarget(
    "storage", longestInput: 600, milestones: ["read", "players", "damaged", "otherRecords", "limit"]
  ) { input, reached in
    let limit = 1 + input.number(below: 8)
    let bytes = input.rest()
    FuzzFile.shared.write(bytes)
    do throws(PlayerStorageError) {
      let storage = try PlayerStorage(file: FuzzFile.shared.path, default: StorageRecord(), limit: limit)
      reached.reach(0)
      let players = storage.players
      precondition(players.count <= limit && Set(players).count == players.count, "more players than may be")
      if !players.isEmpty { reached.reach(1) }
      if players.count == limit { reached.reach(4) }
      for player in players { precondition(storage.contains(player), "a player who is listed is not there") }
    } catch {
      precondition(!error.description.isEmpty, "an error without words")
      switch error {
      case .damaged: reached.reach(2)
      case .otherRecords: reached.reach(3)
      default: break
      }
    }
  }
}

/// What a game remembers.
private struct StorageRecord: Codable, Sendable {
  var gold = 0
  var home: String?
  var bag: [String: Int] = [:]
}
