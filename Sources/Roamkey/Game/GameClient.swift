public import RoamkeyCrypto
public import RoamkeyEngine
public import RoamkeyWire

/// What a game needs of its client while it runs: `Client`, or one on a simulated network.
///
/// A game whose code asks for `some GameClient` runs on both. So that it can, it takes the time as an argument, sends
/// and takes events without waiting, and leaves connecting and closing to whoever starts it:
///
///     mutating func tick(_ client: some GameClient, now: SuspendingClock.Instant) throws {
///         for event in client.takeEvents() { apply(event, at: now) }
///         try client.send(position, as: "move", delivery: .latest, priority: .high)
///         client.flush()
///     }
public protocol GameClient {
  /// Who the player is.
  var id: PlayerID { get }
  /// Who the server is.
  var serverID: PlayerID { get }
  /// What to call the server: its name, or two words of its key's fingerprint. Anybody may take any name: it proves
  /// nothing, ``serverID`` does.
  var serverName: String { get }
  /// Bytes queued for the server: not sent yet, or not acknowledged.
  var queuedBytes: Int { get }

  /// Sends a message to the server. Its author is this player, whatever it says.
  ///
  /// It returns at once: the message is queued, and goes out as the network allows.
  /// - Throws: `SendError`, and nothing of it was sent.
  func send(_ message: Message, options: SendOptions) throws(SendError)

  /// What has happened since the last time, in order, without waiting.
  func takeEvents() -> [Client.Event]

  /// What became of the messages that were sent with a `receipt`, since the last time, without waiting.
  func takeReceipts() -> [Receipt]

  /// Sends what waits for others to share its packet: the end of a game's frame. It returns at once.
  func flush()

  /// Says that this player rests (lobby, game over): nothing at all is sent any more, and nobody is missed until
  /// `restingLimit`. Any message of either side ends it; behind a router this client must be the one to send it.
  func rest()

  /// Takes `rest` back, without a message.
  func resume()
}

extension GameClient {
  /// Sends a text to the server.
  ///
  /// It returns at once: the message is queued, and goes out as the network allows.
  /// - Parameters:
  ///   - text: what it says.
  ///   - action: a short name that tells the receiver what it is, at most 64 bytes.
  ///   - delivery: what is promised about it.
  ///   - priority: how much it matters that it leaves before others that wait.
  ///   - channel: which of 256 independent sequences it belongs to: what is lost or late in one holds up no other.
  ///   - expires: how long from now on it is worth sending; nil for as long as the session lasts.
  ///   - receipt: a number of the app's own; one ``Receipt`` with it tells what became of the message, unless the
  ///     session ends before.
  /// - Throws: `SendError`, and nothing of it was sent.
  public func send(
    _ text: String, as action: String = "", delivery: Delivery = .reliableOrdered, priority: Priority = .normal,
    channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) throws(SendError) {
    try send(
      Message(text, as: action),
      options: .init(
        delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
  }

  /// Sends bytes to the server, with the parameters and errors of the `send` of a text.
  public func send(
    _ body: [UInt8], as action: String = "", delivery: Delivery = .reliableOrdered, priority: Priority = .normal,
    channel: UInt8 = 0, expires: Duration? = nil, receipt: UInt64? = nil
  ) throws(SendError) {
    try send(
      Message(body, as: action),
      options: .init(
        delivery: delivery, priority: priority, channel: channel, expires: expires, receipt: receipt))
  }

  /// Sends a message to the server, with the parameters and errors of the `send` of a text. Its author is this player,
  /// whatever it says.
  ///
  /// Where `delivery` or `channel` is nil the message's own counts: one that was received goes on as it came.
  public func send(
    _ message: Message, delivery: Delivery? = nil, priority: Priority = .normal, channel: UInt8? = nil,
    expires: Duration? = nil, receipt: UInt64? = nil
  ) throws(SendError) {
    try send(
      message,
      options: .init(
        delivery: delivery ?? message.delivery, priority: priority, channel: channel ?? message.channel,
        expires: expires, receipt: receipt))
  }

  /// Sends a message again that `reconnected` or `undelivered` has handed back, as it was meant: delivery, priority,
  /// channel, receipt, and what was left of the time for which it was worth sending.
  /// - Throws: `SendError`, and nothing of it was sent.
  public func send(_ lost: Undelivered) throws(SendError) { try send(lost.message, options: lost.options) }
}

extension Client: GameClient {}
