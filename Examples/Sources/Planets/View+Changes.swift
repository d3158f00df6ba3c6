/// What has happened between two views: worth a flash, or a line.
public enum Change: Hashable, Sendable {
  /// A match begins: the countdown.
  case began
  /// A planet has another owner, as far as the viewer can tell. `by` is nil where it was given up to nobody.
  case taken(planet: Int, by: Int?, from: Int?)
  /// A seat has lost everything.
  case out(seat: Int)
  /// A person is not there any more, and a bot plays; or is back.
  case away(seat: Int)
  case back(seat: Int)
  /// Nil where nobody has won.
  case over(winner: Int?)
}

extension View {
  /// What has happened since an older view, in an order fit to be told.
  public func changes(since old: View) -> [Change] {
    guard match == old.match else { return phase == .lobby ? [] : [.began] }
    var changes: [Change] = []
    if phase == .lobby { return changes }
    for (planet, before) in zip(planets, old.planets) where planet.isSeen && planet.owner != before.owner {
      // What was never seen before has not changed hands for the viewer.
      if before.stock != nil { changes.append(.taken(planet: planet.id, by: planet.owner, from: before.owner)) }
    }
    for (seat, (now, before)) in zip(seats, old.seats).enumerated() {
      if now.isOut && !before.isOut { changes.append(.out(seat: seat)) }
      if now.isAway != before.isAway { changes.append(now.isAway ? .away(seat: seat) : .back(seat: seat)) }
    }
    if case .over(let winner) = phase, phase != old.phase { changes.append(.over(winner: winner)) }
    return changes
  }
}
