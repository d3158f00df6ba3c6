import Roamkey

/// The server's half of the game: it alone decides where a dot is, and who has a coin.
public struct Referee: Sendable {
  private struct Player: Sendable {
    var place = Place(x: World.width / 2, y: World.height / 2)
    var move = Move.stay
  }

  /// Coins are kept for those who come back, by their keys.
  private let coinsOf = PlayerStorage(default: 0)
  private var players: [PlayerID: Player] = [:]
  private var coins: [Place] = []
  private var frames = 0
  private var random: SystemRandomNumberGenerator

  public init() { random = SystemRandomNumberGenerator() }

  /// How many are in.
  public var count: Int { players.count }

  /// One frame.
  public mutating func tick(_ server: some GameServer) {
    for event in server.takeEvents() {
      switch event {
      case .joined(let player): players[player] = Player()
      case .message(let message, let player):
        if let move = message.text.flatMap(Move.init) { players[player]?.move = move }
      case .left(let player, _): players[player] = nil
      case .offline(let player): players[player]?.move = .stay
      case .roamed, .online: break
      }
    }
    frames += 1
    if frames.isMultiple(of: 6) { step() }
    if frames.isMultiple(of: 2) { tell(server) }
    server.flush()
  }

  /// Ten times a second the dots take a step.
  private mutating func step() {
    while coins.count < 8 {
      coins.append(
        Place(x: .random(in: 0..<World.width, using: &random), y: .random(in: 0..<World.height, using: &random)))
    }
    for (id, player) in players {
      let place = player.place.moved(player.move)
      players[id]?.place = place
      let before = coins.count
      coins.removeAll { $0 == place }
      if coins.count < before { coinsOf[id] += before - coins.count }
    }
  }

  private func tell(_ server: some GameServer) {
    let ids = server.players.filter { players[$0] != nil }
    var world = World(coins: coins)
    world.dots = ids.map { id in
      Dot(name: server.name(of: id), place: players[id]?.place ?? Place(x: 0, y: 0), coins: coinsOf[id])
    }
    for (number, id) in ids.enumerated() {
      world.you = number
      server.send(world, as: "world", to: id, delivery: .latest, priority: .high)
    }
  }
}

extension Place {
  /// One step on, and never over the edge.
  func moved(_ move: Move) -> Place {
    switch move {
    case .up: Place(x: x, y: max(0, y - 1))
    case .down: Place(x: x, y: min(World.height - 1, y + 1))
    case .left: Place(x: max(0, x - 1), y: y)
    case .right: Place(x: min(World.width - 1, x + 1), y: y)
    case .stay: self
    }
  }
}
