import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// What players and server say to each other ten times a second while everybody roams: numbered, so that each message
/// can be told from all others, whatever session and whatever process of the server it was for.
final class RoamingTalk {
  private static let period = Duration.milliseconds(100)

  private let world: SimulatedWorld
  private let players: [SimulatedPlayer]
  var isTalking = true
  /// How many messages each player has sent, in all sessions.
  private(set) var said: [Int]
  /// How many the server has sent to each, in each of its sessions.
  private(set) var answers: [[RandomRoaming.SessionKey: Int]]

  init(_ world: SimulatedWorld, _ players: [SimulatedPlayer]) {
    (self.world, self.players) = (world, players)
    said = players.map { _ in 0 }
    answers = players.map { _ in [:] }
  }

  func begin() {
    guard isTalking else { return }
    for player in players {
      world.send(numberedMessage(said[player.index], size: 30), from: player)
      said[player.index] += 1
      guard world.serverHost.isRunning, let session = world.session(of: player) else { continue }
      let key = RandomRoaming.SessionKey(process: world.serverHost.formerProcesses.count, session: session)
      let number = answers[player.index][key, default: 0]
      answers[player.index][key] = number + 1
      world.send(Self.answer(number, key), to: session)
    }
    world.after(Self.period) { [weak self] _ in self?.begin() }
  }

  private static func answer(_ number: Int, _ key: RandomRoaming.SessionKey) -> [UInt8] {
    numberedMessage(
      number | key.process << 32 | Int(truncatingIfNeeded: key.session.rawValue) << 40, size: 30, salt: 1)
  }

  /// A message's number.
  static func number(_ body: [UInt8]) -> Int { body.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) } }

  /// An answer's number, and the session that it was for.
  static func answer(_ body: [UInt8]) -> (number: Int, key: RandomRoaming.SessionKey) {
    let value = number(body)
    let session = SessionHandle(rawValue: UInt64(value >> 40))
    return (value & 0xffff_ffff, RandomRoaming.SessionKey(process: value >> 32 & 0xff, session: session))
  }
}
