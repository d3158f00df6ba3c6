import RoamkeyCBOR
import RoamkeySimulator
import RoamkeyWire

@testable import Roamkey
@testable import RoamkeyState

/// A server as a publisher sees it, and a network between it and its players that does all that `latest` allows:
/// messages and receipts are lost, late and out of order, sessions end and begin.
final class LossyServer: GameServer {
  struct Sent {
    var message: Message
    var receipt: UInt64?
    var session: UInt64
    var player: PlayerID
  }

  let id = PlayerKey.generate().id
  var players: [PlayerID] = []
  var random: SeededRandom
  /// What is under way, to be delivered or lost.
  var flight: [Sent] = []
  var receipts: [Receipt] = []
  private var sessions: [PlayerID: UInt64] = [:]
  private var nextID: [PlayerID: UInt64] = [:]
  private var handedOut: [PlayerID: UInt64] = [:]
  private var lastSession: UInt64 = 0
  /// Every message is refused with it.
  var refusal: SendError?

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  func join(_ player: PlayerID) {
    leave(player)
    lastSession += 1
    sessions[player] = lastSession
    nextID[player] = 0
    handedOut[player] = nil
    players.append(player)
  }

  func leave(_ player: PlayerID) {
    sessions[player] = nil
    players.removeAll { $0 == player }
    flight.removeAll { $0.player == player }
  }

  func sessionNumber(of player: PlayerID) -> UInt64? { sessions[player] }

  func send(_ message: Message, to player: PlayerID, options: SendOptions) -> SendError? {
    if let refusal { return refusal }
    guard let session = sessions[player], let number = nextID[player] else { return .notConnected }
    nextID[player] = number + 1
    let sent = Message(
      id: number, format: .bytes, author: nil, action: message.action, body: message.body,
      stream: StreamID(channel: options.channel, delivery: options.delivery))
    flight.append(Sent(message: sent, receipt: options.receipt, session: session, player: player))
    return nil
  }

  /// Delivers some of what is under way, in any order; the receipts of it, of what was lost, and some false ones follow.
  func deliver(loss: Double, late: Double) -> [(Message, PlayerID)] {
    var delivered: [(Message, PlayerID)] = []
    var left: [Sent] = []
    if random.chance(0.3) { flight.shuffle(using: &random) }
    for sent in flight {
      if random.chance(late) {
        left.append(sent)
        continue
      }
      // Latest: within a session, only forwards.
      let isLate = handedOut[sent.player].map { sent.message.id <= $0 } ?? false
      if random.chance(loss) || isLate {
        // What is told of it may be wrong: it came, and its receipt did not.
        note(sent, [.lost, .superseded, .expired].randomElement(using: &random) ?? .lost)
        continue
      }
      handedOut[sent.player] = sent.message.id
      delivered.append((sent.message, sent.player))
      if !random.chance(loss) { note(sent, random.chance(0.05) ? .superseded : .delivered) }
    }
    flight = left
    return delivered
  }

  private func note(_ sent: Sent, _ outcome: DeliveryOutcome) {
    if let number = sent.receipt { receipts.append(Receipt(number: number, player: sent.player, outcome: outcome)) }
  }

  func takeReceipts() -> [Receipt] {
    // Some come late.
    let count = Int.random(in: 0...receipts.count, using: &random)
    defer { receipts.removeFirst(count) }
    return Array(receipts.prefix(count))
  }

  func send(_ message: Message, to players: [PlayerID], options: SendOptions) -> [PlayerID: SendError] { [:] }
  func broadcast(
    _ message: Message, from author: PlayerID?, except exceptions: Set<PlayerID>, options: SendOptions
  ) -> [PlayerID: SendError] { [:] }
  func takeEvents() -> [Server.Event] { [] }
  func name(of player: PlayerID) -> String { "" }
  func queuedBytes(of player: PlayerID) -> Int { 0 }
  func flush() {}
  func rest(_ player: PlayerID) {}
  func resume(_ player: PlayerID) {}
  func kick(_ player: PlayerID, reason: String) {}
  func dropSlow(_ player: PlayerID) {}
}
