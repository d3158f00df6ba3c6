import Planets
import Roamkey

/// Who sees what.
extension PlanetsHost {
  /// One moment's views of all players, each calculated once.
  struct Views {
    let ofSeats: [View]
    let ofOthers: View
    let seats: [PlayerID: Int]
    let handled: [PlayerID: Int]

    func view(of player: PlayerID) -> View {
      var view = seats[player].map { ofSeats[$0] } ?? ofOthers
      view.handledOrder = handled[player] ?? 0
      return view
    }
  }

  /// What a player is shown, or would be; a stranger sees what watchers see.
  public func view(of player: PlayerID) -> View { views().view(of: player) }

  func views() -> Views {
    let ids = match?.chairs.map(\.player) ?? nextPlayers.map(\.player)
    var seats: [PlayerID: Int] = [:]
    for (seat, player) in ids.enumerated() {
      if case .person(let id) = player { seats[id] = seat }
    }
    let chairs = shownSeats(ids)
    return Views(
      ofSeats: ids.indices.map { view(for: $0, chairs) }, ofOthers: view(for: nil, chairs), seats: seats,
      handled: people.mapValues(\.handledOrder))
  }

  /// A player's seat in what is shown now.
  func seat(of player: PlayerID) -> Int? {
    match?.seat(of: player) ?? (match == nil ? nextPlayers.firstIndex { $0.player == .person(player) } : nil)
  }

  private func view(for seat: Int?, _ seats: [View.Seat]) -> View {
    var view = match?.game.view(for: seat) ?? lobby(for: seat, seats.count)
    view.frame = frame
    view.match = match?.number ?? 0
    view.seats = seats
    return view
  }

  private func lobby(for seat: Int?, _ seats: Int) -> View {
    var view = View()
    view.you = seat
    view.rules = settings.rules
    view.planets = Game.preview(seed: nextSeed, seats: seats)
    return view
  }

  private func shownSeats(_ players: [Match.Player]) -> [View.Seat] {
    let host = hostingPlayer
    return players.enumerated().map { number, player in
      var seat = View.Seat(name: name(of: number, player), colour: number)
      if let standing = match?.game.standing(of: number) {
        (seat.ships, seat.planets, seat.isOut) = (standing.ships, standing.planets, standing.isOut)
      }
      switch player {
      case .bot(let level):
        seat.bot = level
        seat.isReady = match == nil
      case .person(let id):
        seat.isHost = id == host
        seat.isAway = people[id] == nil
        seat.isReady = people[id]?.isReady ?? false
        seat.isOffline = people[id]?.isOffline ?? false
      }
      return seat
    }
  }

  private func name(of seat: Int, _ player: Match.Player) -> String {
    if let match { return match.chairs[seat].name }
    return nextPlayers[seat].name
  }

  /// Who would play if a match began now: people in the order in which they came, then bots.
  var nextPlayers: [(player: Match.Player, name: String)] {
    let seated = present.prefix(Rules.seats.upperBound)
    let bots = max(
      Rules.seats.lowerBound - seated.count, min(settings.bots, Rules.seats.upperBound - seated.count))
    return seated.map { (.person($0), people[$0]?.name ?? "") }
      + Self.botNames.prefix(bots).map { (.bot(settings.level), $0) }
  }

  private static let botNames = ["Orion", "Lyra", "Draco", "Corvus", "Hydra", "Cygnus"]
}
