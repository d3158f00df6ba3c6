internal import DequeModule
public import RoamkeyCrypto
internal import RoamkeyUDP

extension PlayerStorage {
  /// Gives the record of a player who has a new key to that key, or to the one at the end of the chain where that one
  /// was given up as well. From then on the old key is a stranger.
  ///
  ///     let handover = try Handover.all(in: message.text ?? "")[0]
  ///     try heroes.apply(handover)
  ///
  /// Only the first hand-over of a record counts, and another one of the same old key is an error to be told loudly: a
  /// thief of a key can hand it over as well. Which keys were given up is kept with the records, as many as there may
  /// be of those, the latest; where one is forgotten its record is elsewhere all the same. A hand-over of a key without
  /// a record is not noted: apply those of a chain in their order.
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
    // Not to a key that was given up itself: its thief could bring it a record by an older statement, which is public.
    let heir = handovers.current(new)
    var moved = record
    if let there = take(heir) {
      guard let combining else {
        handovers.forget(old)
        throw .occupied(new: heir)
      }
      moved = combining(record, there)
    }
    remove(old)
    put(moved, of: heir, limit: limit)
    givenUp.append((old, new))
    bound(limit)
    return true
  }

  /// What a file says was accepted.
  /// - Throws: where it cannot have been, after what was noted before.
  mutating func note(_ old: PlayerID, _ new: PlayerID, limit: Int) throws(HandoverError) {
    guard try handovers.accept(old, new) else { return }
    givenUp.append((old, new))
    bound(limit)
  }

  private mutating func bound(_ limit: Int) {
    while givenUp.count > limit { handovers.forget(givenUp.removeFirst().old) }
  }
}
