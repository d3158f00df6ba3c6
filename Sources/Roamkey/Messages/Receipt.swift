public import RoamkeyCrypto
public import RoamkeyEngine

/// What became of one message that was sent with a `receipt`: told once, for each player that it was sent to.
///
/// A session that ends leaves the receipts that are still out untold: `left` or `disconnected` stands for them, as does
/// `reconnected` for those of the session before it. A message that was handed back undelivered keeps its number: sent
/// again it is answered for.
public struct Receipt: Sendable, Hashable {
  /// The number that `send` or `broadcast` was given.
  public var number: UInt64
  /// To whom it was sent; on a client the server.
  public var player: PlayerID
  public var outcome: DeliveryOutcome

  /// For games that are tested without a server.
  public init(number: UInt64, player: PlayerID, outcome: DeliveryOutcome) {
    self.number = number
    self.player = player
    self.outcome = outcome
  }
}

extension Receipt {
  /// Stands where one was.
  static var blank: Receipt { Receipt(number: 0, player: PlayerID(publicKey: Digest()), outcome: .lost) }
}
