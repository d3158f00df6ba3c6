public import RoamkeyCrypto
public import RoamkeyEngine
public import RoamkeyWire

/// What a game needs of its server while it runs: `Server`, or one on a simulated network.
///
/// A game whose code asks for `some GameServer` runs on both. So that it can, it takes the time as an argument, sends
/// and takes events without waiting, and leaves starting and closing to whoever runs it:
///
///     mutating func tick(_ server: some GameServer, now: SuspendingClock.Instant) {
///         for event in server.takeEvents() { apply(event, at: now) }
///         server.broadcast(world, as: "world", delivery: .latest)
///         server.flush()
///     }
public protocol GameServer {
  /// Who the server is.
  var id: PlayerID { get }
  /// Those who are in, in the order in which they came.
  var players: [PlayerID] { get }

  /// What to call a player: the name that it came with, or two words of its key's fingerprint.
  ///
  /// A name is for people to read. It is free of what disturbs a line of text, and also known for a while after `left`.
  /// It proves nothing, and two players may have the same: who somebody is, the `PlayerID` tells.
  func name(of player: PlayerID) -> String

  /// The number of a player's session; nil for one who is not in. It is another one once the player has left and come
  /// back: for what a game remembers of what it has told a player.
  func sessionNumber(of player: PlayerID) -> UInt64?

  /// Sends a message to a player. If it has an author, the player is told so in the server's word.
  ///
  /// It returns at once. That a player has just left, or does not keep up, is ordinary on a server and so no error
  /// that is thrown.
  /// - Returns: nil when it is queued, else why not; nothing of it was sent then.
  @discardableResult
  func send(_ message: Message, to player: PlayerID, options: SendOptions) -> SendError?

  /// Sends a message to some players; one who is named twice gets it once.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  func send(_ message: Message, to players: [PlayerID], options: SendOptions) -> [PlayerID: SendError]

  /// Sends a message to all players, or passes a player's message on to all the others, with the player as its author;
  /// `exceptions` do not get it.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  func broadcast(
    _ message: Message, from author: PlayerID?, except exceptions: Set<PlayerID>, options: SendOptions
  ) -> [PlayerID: SendError]

  /// What has happened since the last time, in order, without waiting.
  func takeEvents() -> [Server.Event]

  /// What became of the messages that were sent with a `receipt`, by player, since the last time, without waiting.
  func takeReceipts() -> [Receipt]

  /// Bytes queued for a player: not sent yet, or not acknowledged.
  func queuedBytes(of player: PlayerID) -> Int

  /// Sends what waits for others to share its packet: the end of a game's frame. It returns at once.
  func flush()

  /// Says that a player rests (lobby, game over): nothing at all is sent any more, and nobody is missed until
  /// `restingLimit`. Any message of either side ends it; a player behind a router must be the one to send it.
  func rest(_ player: PlayerID)

  /// Takes `rest` back, without a message.
  func resume(_ player: PlayerID)

  /// Puts a player out. What was queued for it is not delivered any more; `left` follows.
  func kick(_ player: PlayerID, reason: String)

  /// Ends the session of a player who does not keep up: `left` follows, and both sides are told `tooSlow`.
  func dropSlow(_ player: PlayerID)
}

extension GameServer {
  /// Sends a text to a player.
  ///
  /// It returns at once. That a player has just left, or does not keep up, is ordinary on a server and so no error
  /// that is thrown.
  /// - Parameters:
  ///   - text: what it says.
  ///   - action: a short name that tells the receiver what it is, at most 64 bytes.
  ///   - player: who gets it.
  ///   - delivery: what is promised about it.
  ///   - priority: how much it matters that it leaves before others that wait.
  ///   - channel: which of 256 independent sequences it belongs to: what is lost or late in one holds up no other.
  ///   - expires: how long from now on it is worth sending; nil for as long as the session lasts.
  ///   - receipt: a number of the app's own; one ``Receipt`` with it tells for each player what became of the message,
  ///     unless the player leaves before.
  /// - Returns: nil when it is queued, else why not; nothing of it was sent then.
  @discardableResult
  public func send(
    _ text: String, as action: String = "", to player: PlayerID, delivery: Delivery = .reliableOrdered,
    priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> SendError? {
    send(
      Message(text, as: action), to: player,
      options: .init(
        delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
  }

  /// Sends bytes to a player, with the parameters and results of the `send` of a text.
  @discardableResult
  public func send(
    _ body: [UInt8], as action: String = "", to player: PlayerID, delivery: Delivery = .reliableOrdered,
    priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> SendError? {
    send(
      Message(body, as: action), to: player,
      options: .init(
        delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
  }

  /// Sends a message to a player, with the parameters and results of the `send` of a text. If it has an author, the
  /// player is told so in the server's word; one that was received keeps the time at which it was sent.
  ///
  /// Where `delivery` or `channel` is nil the message's own counts: one that was received goes on as it came.
  @discardableResult
  public func send(
    _ message: Message, to player: PlayerID, delivery: Delivery? = nil, priority: Priority = .normal,
    channel: UInt8? = nil, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> SendError? {
    send(
      message, to: player,
      options: .init(
        delivery: delivery ?? message.delivery, priority: priority, channel: channel ?? message.channel,
        expires: expires, receipt: receipt))
  }

  /// Sends a text to all players but the `exceptions`, such as `[player]`, with the parameters of the `send` of a text.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  public func broadcast(
    _ text: String, as action: String = "", except exceptions: Set<PlayerID> = [],
    delivery: Delivery = .reliableOrdered, priority: Priority = .normal,
    channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    broadcast(
      Message(text, as: action), from: nil, except: exceptions,
      options: .init(
        delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
  }

  /// Sends bytes to all players but the `exceptions`, with the parameters of the `send` of a text.
  /// - Returns: to whom they could not be queued, and why; empty when all is well.
  @discardableResult
  public func broadcast(
    _ body: [UInt8], as action: String = "", except exceptions: Set<PlayerID> = [],
    delivery: Delivery = .reliableOrdered, priority: Priority = .normal,
    channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    broadcast(
      Message(body, as: action), from: nil, except: exceptions,
      options: .init(
        delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
  }

  /// Passes a player's message on to all the others, with the player as its author and the time at which it was sent;
  /// without `author`, sends a message to all. The `exceptions` do not get it either. The parameters are those of the
  /// `send` of a text.
  ///
  /// Where `delivery` or `channel` is nil the message's own counts: one that was received goes on as it came.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  public func broadcast(
    _ message: Message, from author: PlayerID? = nil, except exceptions: Set<PlayerID> = [], delivery: Delivery? = nil,
    priority: Priority = .normal,
    channel: UInt8? = nil, expires: Duration? = nil, receipt: UInt64? = nil
  ) -> [PlayerID: SendError] {
    broadcast(
      message, from: author, except: exceptions,
      options: .init(
        delivery: delivery ?? message.delivery, priority: priority, channel: channel ?? message.channel,
        expires: expires, receipt: receipt))
  }
}

extension GameServer {
  /// Sends a message to all players, or passes a player's message on to all the others, with the player as its author.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  public func broadcast(_ message: Message, from author: PlayerID?, options: SendOptions) -> [PlayerID: SendError] {
    broadcast(message, from: author, except: [], options: options)
  }

  /// Puts a player out without a word of why.
  public func kick(_ player: PlayerID) { kick(player, reason: "") }
}

extension Server: GameServer {}
