import Planets
import Roamkey

/// What guests want: each message is looked at before anything follows from it.
extension PlanetsHost {
  mutating func take(_ message: Message, from player: PlayerID, _ server: some GameServer, _ now: GameTime) {
    guard message.action == PlanetsWire.command, message.body.count <= PlanetsWire.longestCommand,
      let command = try? message.decode(Command.self)
    else { return strike(player, server, now) }
    let isAllowed = people[player]?.conduct.spend(command.cost, at: now) == true
    if !isAllowed { strike(player, server, now, isTooFast: true) }
    switch command {
    case .order(let match, let number, let order):
      follow(order, match: match, number: number, of: player, isAllowed: isAllowed, server, now)
    case .ready(let isReady) where isAllowed: setReady(isReady, player)
    case .say(let text) where isAllowed: say(text, by: player, server, now)
    case .start where isAllowed && player == hostingPlayer: begin()
    case .configure(let settings) where isAllowed && player == hostingPlayer:
      // Only somebody else's program sends what ours never would.
      if settings.isSound { configure(settings) } else { strike(player, server, now) }
    case .lobby where isAllowed && player == hostingPlayer: backToLobby()
    // Too fast, or of one who was the host a moment ago.
    case .here, .ready, .say, .start, .configure, .lobby: break
    }
  }

  private mutating func follow(
    _ order: Order, match number: Int, number orderNumber: Int, of player: PlayerID, isAllowed: Bool,
    _ server: some GameServer, _ now: GameTime
  ) {
    // Orders come in their order, each once: whoever counts otherwise is no guest of ours.
    guard let person = people[player], orderNumber == person.handledOrder + 1 else {
      return strike(player, server, now)
    }
    people[player]?.handledOrder = orderNumber
    do throws(OrderError) {
      guard isAllowed else { throw .tooFast }
      // One for a match that is over by now is no fault.
      guard match?.number == number, let seat = match?.seat(of: player) else { throw .notPlaying }
      _ = try match?.game.order(order, by: seat)
    } catch {
      if error == .noSuchPlanet { strike(player, server, now) }
      server.send(Refusal(number: orderNumber, reason: error), as: PlanetsWire.refused, to: player)
    }
  }

  private mutating func setReady(_ isReady: Bool, _ player: PlayerID) {
    switch phase {
    case .lobby, .over:
      if people[player]?.isReady != isReady { hasNews = true }
      people[player]?.isReady = isReady
    case .countdown, .playing: break
    }
  }

  private mutating func say(_ text: String, by player: PlayerID, _ server: some GameServer, _ now: GameTime) {
    let line = Message(text).shownText
    guard !line.isEmpty, text.utf8.count <= PlanetsWire.longestLine else { return strike(player, server, now) }
    let said = Said(name: people[player]?.name ?? "", seat: seat(of: player), text: line)
    for listener in present { people[listener]?.isResting = false }
    server.broadcast(said, as: PlanetsWire.said, channel: PlanetsWire.chatChannel)
  }
}

extension Command {
  /// What it takes of what a player may do in a time.
  fileprivate var cost: Double {
    switch self {
    case .order, .here: 1
    // All are told of these.
    case .ready, .say, .start, .configure, .lobby: 5
    }
  }
}
