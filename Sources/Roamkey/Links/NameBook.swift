internal import DequeModule
internal import RoamkeyCrypto

/// What players call themselves: those who are in, and the last of those who have left, so that an app can still say
/// who that was.
struct NameBook: Sendable {
  private struct Entry: Sendable {
    var name: String
    /// The number of its departure; nil while the player is in.
    var departure: UInt64?
  }

  /// Of so many who have left the names are kept: 64 bytes each at most.
  static let limit = 1024

  private var entries: [PlayerID: Entry] = [:]
  private var departures = Deque<(player: PlayerID, number: UInt64)>()
  private var lastDeparture: UInt64 = 0

  /// The player's name; nil where there is none, or where it is long forgotten.
  subscript(player: PlayerID) -> String? { entries[player]?.name }

  /// How many names are kept, for tests.
  var count: Int { entries.count }

  /// Somebody has come, and says so.
  mutating func enter(_ player: PlayerID, _ name: String?) {
    entries[player] = name.map { Entry(name: $0) }
  }

  /// Somebody has gone.
  mutating func leave(_ player: PlayerID) {
    guard entries[player] != nil else { return }
    lastDeparture += 1
    entries[player]?.departure = lastDeparture
    departures.append((player, lastDeparture))
    guard departures.count > Self.limit, let first = departures.popFirst() else { return }
    // Who has come back meanwhile, or left again later, keeps it.
    if entries[first.player]?.departure == first.number { entries[first.player] = nil }
  }
}
