public import RoamkeyCBOR
public import RoamkeyCrypto
public import RoamkeyEngine
public import RoamkeyWire

/// Messages to some of the players: a team, a room, those who are near. One who is named twice gets it once.
///
///     server.send("you win", to: players.filter { team[$0] == .red })
extension GameServer {
  /// Sends a text to some players, with the parameters of the `send` to one.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  public func send(
    _ text: String, as action: String = "", to players: some Sequence<PlayerID>,
    delivery: Delivery = .reliableOrdered, priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil,
    receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    send(
      Message(text, as: action), to: Array(players),
      options: .init(delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
  }

  /// Sends bytes to some players, with the parameters of the `send` of a text to one.
  /// - Returns: to whom they could not be queued, and why; empty when all is well.
  @discardableResult
  public func send(
    _ body: [UInt8], as action: String = "", to players: some Sequence<PlayerID>,
    delivery: Delivery = .reliableOrdered, priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil,
    receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    send(
      Message(body, as: action), to: Array(players),
      options: .init(delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
  }

  /// Sends a message to some players, with the parameters of the `send` of a message to one.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  public func send(
    _ message: Message, to players: some Sequence<PlayerID>, delivery: Delivery? = nil, priority: Priority = .normal,
    channel: UInt8? = nil, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    send(
      message, to: Array(players),
      options: .init(
        delivery: delivery ?? message.delivery, priority: priority, channel: channel ?? message.channel,
        expires: expires, receipt: receipt))
  }

  /// Sends a value of any `Codable` type to some players, with the parameters of the `send` of a text to one.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult @_disfavoredOverload
  public func send(
    _ value: some Encodable, as action: String = "", to players: some Sequence<PlayerID>,
    delivery: Delivery = .reliableOrdered, priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil,
    receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    do throws(SendError) {
      return send(
        try Message(value, as: action), to: Array(players),
        options: .init(delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
    } catch {
      return Dictionary(players.map { ($0, error) }, uniquingKeysWith: { first, _ in first })
    }
  }

  /// Sends a value to some players, with the parameters of the `send` of a text to one.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult @_disfavoredOverload
  public func send(
    _ value: Value, as action: String = "", to players: some Sequence<PlayerID>,
    delivery: Delivery = .reliableOrdered, priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil,
    receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    send(
      Encoded(value), as: action, to: players, delivery: delivery, priority: priority, channel: channel,
      expires: expires, receipt: receipt)
  }
}

extension [PlayerID] {
  /// Each one once, in the same order.
  package var withoutRepetitions: [PlayerID] {
    var seen = Set<PlayerID>(minimumCapacity: count)
    return filter { seen.insert($0).inserted }
  }
}
