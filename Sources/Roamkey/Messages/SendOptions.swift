public import RoamkeyEngine
public import RoamkeyWire

/// How one message is to be delivered. The `send` and `broadcast` of every day take these one by one; a game that
/// chooses once and sends often keeps them together.
public struct SendOptions: Sendable, Hashable {
  /// What is promised about it.
  public var delivery: Delivery
  /// How much it matters that it leaves before others that wait.
  public var priority: Priority
  /// Which of 256 independent sequences it belongs to: what is lost or late in one holds up no other.
  public var channel: UInt8
  /// How long, from the call of `send` on, it is worth sending; nil for as long as the session lasts. Nothing of it is
  /// sent or repeated after that.
  public var expires: Duration?
  /// A number of the app's own; a ``Receipt`` with that number tells what became of the message.
  public var receipt: UInt64?

  /// Reliable, ordered and of normal priority, on channel 0, unless something else is said.
  public init(
    delivery: Delivery = .reliableOrdered, priority: Priority = .normal, channel: UInt8 = 0, expires: Duration? = nil,
    receipt: UInt64? = nil
  ) {
    self.delivery = delivery
    self.priority = priority
    self.channel = channel
    self.expires = expires
    self.receipt = receipt
  }

  /// The same for the engine, where `send` was called at `now`.
  package func forEngine(at now: Instant) -> MessageOptions {
    MessageOptions(
      delivery: delivery, channel: channel, priority: priority, expires: expires.map { now + $0 }, receipt: receipt)
  }
}
