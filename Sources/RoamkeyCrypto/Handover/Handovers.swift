/// Which keys have handed over to which, as far as somebody has accepted it: the first word of an old key counts.
///
///     var handovers = Handovers()
///     try handovers.accept(Handover.load("player.handover")[0])
///     handovers.current(known)  // who that is now
///
/// A thief of an old key can hand it over as well. Nobody can tell the two statements apart, so the one that came first
/// stays, and the other is refused with an error that should be told loudly.
public struct Handovers: Hashable, Sendable {
  private var successors: [PlayerID: PlayerID] = [:]

  /// None.
  public init() {}

  /// How many old keys there are.
  public var count: Int { successors.count }

  /// Accepts that one key takes the place of another.
  /// - Returns: whether it is news.
  /// - Throws: ``HandoverError/contradiction(old:accepted:offered:)`` where the old key has handed over to another one
  ///   already; ``HandoverError/circle(old:new:)`` where the new key is one that was given up.
  @discardableResult
  public mutating func accept(_ handover: Handover) throws(HandoverError) -> Bool {
    try accept(handover.old, handover.new)
  }

  /// Who has taken the place of `player`, at the end of the chain; `player` itself where nobody has.
  public func current(_ player: PlayerID) -> PlayerID {
    var last = player
    // There are no circles, since none is accepted.
    while let next = successors[last] { last = next }
    return last
  }

  /// The same of keys whose statement was seen before.
  @discardableResult
  package mutating func accept(_ old: PlayerID, _ new: PlayerID) throws(HandoverError) -> Bool {
    if let accepted = successors[old] {
      guard accepted == new else { throw .contradiction(old: old, accepted: accepted, offered: new) }
      return false
    }
    guard current(new) != old, old != new else { throw .circle(old: old, new: new) }
    successors[old] = new
    return true
  }

  /// Forgets that a key was given up.
  package mutating func forget(_ old: PlayerID) { successors[old] = nil }
}
