internal import DequeModule
public import RoamkeyCrypto
internal import RoamkeyUDP

/// What a game remembers of each player: points, a home, the last words. The key is the player, so it is still there
/// when somebody leaves and comes back, from wherever.
///
///     let points = PlayerStorage(default: 0)
///     points[player] += 10
///
///     let heroes = try PlayerStorage(file: "data/heroes", default: Hero())  // kept from run to run
///     heroes[player].gold -= 5
///
/// All of it may be called from any thread. A change as above reads and writes, one after the other: where several
/// threads change the same record use ``update(_:_:)``.
///
/// Of more than `limit` players those are forgotten whose records were read or written longest ago. Who has no record
/// gets the default, and costs nothing until something is written.
public final class PlayerStorage<Record: Sendable>: Sendable {
  /// The most players that it remembers.
  public let limit: Int
  /// Its file; nil where it is forgotten with the process.
  public var path: String? { file?.path }
  let shelf: Locked<PlayerShelf<Record>>
  private let initial: @Sendable () -> Record
  let file: PlayerFile<Record>?

  /// In memory only: forgotten with the process.
  /// - Parameters:
  ///   - default: the record of a player of whom nothing is known; made anew for each.
  ///   - limit: the most players that it remembers, at least 1.
  public init(default: @autoclosure @escaping @Sendable () -> Record, limit: Int = 10_000) {
    initial = `default`
    self.limit = max(1, limit)
    shelf = Locked(PlayerShelf())
    file = nil
  }

  /// Kept in a file, which is read now and made with the first record (mode 0600, its directory 0700).
  ///
  /// What is changed is in the file a second later, and when the storage is let go; ``save()`` writes it at once. It is
  /// written as a whole or not at all: a crash leaves the file as it was before. Two storages must not have one file.
  /// It has at most 1 GiB: bound what a player can put into a record.
  /// - Parameters:
  ///   - path: where it is. It is CBOR (RFC 8949); copy it as you like.
  ///   - default: the record of a player of whom nothing is known; made anew for each.
  ///   - limit: the most players that it remembers, at least 1.
  /// - Throws: ``PlayerStorageError`` where there is a file that cannot be read: it is never overwritten.
  public convenience init(
    file path: String, default: @autoclosure @escaping @Sendable () -> Record, limit: Int = 10_000
  ) throws(PlayerStorageError) where Record: Codable {
    try self.init(PlayerFile(path), default: `default`(), limit: limit)
  }

  init(
    _ file: PlayerFile<Record>, default: @autoclosure @escaping @Sendable () -> Record, limit: Int
  ) throws(PlayerStorageError) {
    initial = `default`
    self.limit = max(1, limit)
    var shelf = PlayerShelf<Record>()
    let contents = try file.read()
    for (player, record) in contents.records { shelf.put(record, of: player, limit: self.limit) }
    for (old, new) in contents.handovers { shelf.note(old, new, limit: self.limit) }
    self.shelf = Locked(shelf)
    self.file = file
  }

  deinit { if let file { try? file.write(shelf) } }

  /// A player's record; the default where there is none.
  public subscript(player: PlayerID) -> Record {
    get { shelf.withLock { $0.take(player) } ?? initial() }
    set {
      shelf.withLock { $0.put(newValue, of: player, limit: limit) }
      file?.changed(shelf)
    }
  }

  /// Changes a player's record in one go: no other thread comes between.
  /// - Parameters:
  ///   - player: whose.
  ///   - body: must be short, and must not come back to this storage.
  /// - Returns: what `body` returns.
  @discardableResult
  public func update<Result>(_ player: PlayerID, _ body: (inout Record) -> Result) -> Result {
    let result = shelf.withLock { shelf in
      var record = shelf.take(player) ?? initial()
      defer { shelf.put(record, of: player, limit: limit) }
      return body(&record)
    }
    file?.changed(shelf)
    return result
  }

  /// Whether there is a record of a player, and not only the default.
  public func contains(_ player: PlayerID) -> Bool { shelf.withLock { $0.contains(player) } }

  /// Forgets a player.
  public func remove(_ player: PlayerID) {
    shelf.withLock { $0.remove(player) }
    file?.changed(shelf)
  }

  /// Those of whom there is a record; whose was used last comes last.
  public var players: [PlayerID] { shelf.withLock { $0.inOrder }.map(\.player) }

  /// Writes what has changed to the file, and returns when it is there. Nothing happens without a file.
  /// - Throws: ``PlayerStorageError``; the file is as it was then, and the next change or `save` tries again.
  public func save() throws(PlayerStorageError) { try file?.write(shelf) }

  /// Why the last attempt to write the file failed; nil where it did not, and without a file.
  public var problem: PlayerStorageError? { file?.problem }
}

/// Records by player, and when each was used last.
struct PlayerShelf<Record: Sendable>: Sendable {
  private struct Entry: Sendable {
    var record: Record
    var used: UInt64
  }

  private var entries: [PlayerID: Entry] = [:]
  /// Counts uses.
  private var uses: UInt64 = 0
  /// Counts changes, so that a file knows what it has.
  private(set) var changes: UInt64 = 0
  /// Whose record is another's now, oldest first (PlayerStorage+Handover.swift).
  var handovers = Handovers()
  var givenUp: Deque<(old: PlayerID, new: PlayerID)> = []

  func contains(_ player: PlayerID) -> Bool { entries[player] != nil }

  /// By use: the longest gone first.
  var inOrder: [(player: PlayerID, record: Record)] {
    entries.sorted { $0.value.used < $1.value.used }.map { ($0.key, $0.value.record) }
  }

  /// A record that is used now.
  mutating func take(_ player: PlayerID) -> Record? {
    guard let place = entries.index(forKey: player) else { return nil }
    uses += 1
    entries.values[place].used = uses
    return entries.values[place].record
  }

  mutating func put(_ record: Record, of player: PlayerID, limit: Int) {
    uses += 1
    changes += 1
    entries[player] = Entry(record: record, used: uses)
    // One came, so one goes. It takes a look at each, which only newcomers beyond the limit cost.
    guard entries.count > limit, let oldest = entries.min(by: { $0.value.used < $1.value.used }) else { return }
    entries[oldest.key] = nil
  }

  mutating func remove(_ player: PlayerID) {
    changes += 1
    entries[player] = nil
  }
}
