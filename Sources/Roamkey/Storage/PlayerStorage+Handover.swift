internal import DequeModule
public import RoamkeyCrypto
internal import RoamkeyUDP

extension PlayerStorage {
  /// Gives the record of a player who has a new key to that key. From then on the old key is a stranger.
  ///
  ///     let handover = try Handover.all(in: message.text ?? "")[0]
  ///     try heroes.apply(handover)
  ///
  /// Only the first hand-over of a record counts, and another one of the same old key is an error to be told loudly: a
  /// thief of a key can hand it over as well. Which keys were given up is kept with the records, as many as there may
  /// be of those, the latest; where one is forgotten its record is elsewhere all the same.
  /// - Parameters:
  ///   - handover: signed by both keys, whoever has sent it.
  ///   - combining: makes one record of those of the old and of the new key, where the new key has one already; it must
  ///     not come back to this storage. Without it that is an error, and nothing is changed.
  /// - Returns: whether a record was moved: not where there is none, or where it was moved before.
  /// - Throws: ``HandoverError``: `contradiction`, `circle` or `occupied`.
  @discardableResult
  public func apply(
    _ handover: Handover, combining: ((_ old: Record, _ new: Record) -> Record)? = nil
  ) throws(HandoverError) -> Bool {
    let result = shelf.withLock { shelf in
      Result { () throws(HandoverError) in try shelf.move(handover, limit: limit, combining) }
    }
    let isMoved = try result.get()
    if isMoved { file?.changed(shelf) }
    return isMoved
  }
}

extension PlayerShelf {
  fileprivate mutating func move(
    _ handover: Handover, limit: Int, _ combining: ((Record, Record) -> Record)?
  ) throws(HandoverError) -> Bool {
    let (old, new) = (handover.old, handover.new)
    guard try handovers.accept(handover) else { return false }
    // Noted only with a record, so that nobody fills the notes with keys that have never played.
    guard let record = take(old) else {
      handovers.forget(old)
      return false
    }
    var moved = record
    if let there = take(new) {
      guard let combining else {
        handovers.forget(old)
        throw .occupied(new: new)
      }
      moved = combining(record, there)
    }
    remove(old)
    put(moved, of: new, limit: limit)
    givenUp.append((old, new))
    bound(limit)
    return true
  }

  /// What a file says was accepted. What cannot be is left out.
  mutating func note(_ old: PlayerID, _ new: PlayerID, limit: Int) {
    guard let isNews = try? handovers.accept(old, new), isNews else { return }
    givenUp.append((old, new))
    bound(limit)
  }

  private mutating func bound(_ limit: Int) {
    while givenUp.count > limit { handovers.forget(givenUp.removeFirst().old) }
  }
}
