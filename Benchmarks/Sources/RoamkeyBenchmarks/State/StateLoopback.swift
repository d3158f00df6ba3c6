internal import Roamkey
internal import RoamkeyState

/// A server with one player and no network: it keeps the last message, and gives receipts after some ticks.
final class StateLoopback: GameServer {
  let id = PlayerKey.generate().id
  let player = PlayerKey.generate().id
  private let lag: Int
  private var receipts: [UInt64] = []
  private var last: Message?

  /// - Parameter lag: ticks until a receipt comes.
  init(lag: Int) { self.lag = lag }

  /// The message that was sent last, once.
  func takeLast() -> Message? {
    defer { last = nil }
    return last
  }

  /// The message that tells a state to somebody who has none, from a publisher that has told none before.
  func whole(_ state: some Encodable) -> Message? {
    func publish<State: Encodable>(_ state: State) {
      var publisher = StatePublisher<State>(channel: 0)
      publisher.publish(state, to: self)
    }
    publish(state)
    return takeLast()
  }

  var players: [PlayerID] { [player] }
  func name(of player: PlayerID) -> String { "" }
  func sessionNumber(of player: PlayerID) -> UInt64? { 1 }

  func send(_ message: Message, to player: PlayerID, options: SendOptions) -> SendError? {
    last = message
    if let receipt = options.receipt { receipts.append(receipt) }
    return nil
  }

  func send(_ message: Message, to players: [PlayerID], options: SendOptions) -> [PlayerID: SendError] {
    for player in players { _ = send(message, to: player, options: options) }
    return [:]
  }

  func broadcast(
    _ message: Message, from author: PlayerID?, except exceptions: Set<PlayerID>, options: SendOptions
  ) -> [PlayerID: SendError] {
    send(message, to: players, options: options)
  }

  func takeEvents() -> [Server.Event] { [] }

  func takeReceipts() -> [Receipt] {
    guard receipts.count >= lag else { return [] }
    return [Receipt(number: receipts.removeFirst(), player: player, outcome: .delivered)]
  }

  func queuedBytes(of player: PlayerID) -> Int { 0 }
  func flush() {}
  func rest(_ player: PlayerID) {}
  func resume(_ player: PlayerID) {}
  func kick(_ player: PlayerID, reason: String) {}
  func dropSlow(_ player: PlayerID) {}
}
