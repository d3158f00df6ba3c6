package import RoamkeyWire

/// How much it matters that a message leaves before others that wait.
///
/// Within one ordered channel messages keep their order, so a channel is as urgent as the most urgent message in it. No
/// priority starves: each that waits gets a small share whatever the others send.
public enum Priority: UInt8, Sendable, Hashable, CaseIterable, Comparable {
  /// Before everything else, and without waiting to be bundled.
  case immediate = 0
  case high = 1
  /// The default.
  case normal = 2
  case low = 3

  public static func < (a: Priority, b: Priority) -> Bool { a.rawValue < b.rawValue }
}

/// What became of a message whose sender asked for a receipt. Exactly one of these is told for each.
public enum DeliveryOutcome: Sendable, Hashable {
  /// The other side's app was handed it.
  case delivered
  /// It was not delivered before it expired, as far as can be told.
  case expired
  /// `latest` only: a newer one took its place before it was sent, or before it arrived.
  case superseded
  /// `latest` and `unreliable` only: it was sent and did not arrive, as far as can be told.
  case lost
}

/// How one message is to be delivered.
package struct MessageOptions: Sendable, Equatable {
  package var delivery = Delivery.reliableOrdered
  package var channel: UInt8 = 0
  package var priority = Priority.normal
  /// After this moment it is no longer sent.
  package var expires: Instant?
  /// The app's number for this message, where it wants a receipt; the content says so as well.
  package var receipt: UInt64?
  /// A client signs it as its author: its content has room for that.
  package var isToBeSigned = false

  package init(
    delivery: Delivery = .reliableOrdered, channel: UInt8 = 0, priority: Priority = .normal, expires: Instant? = nil,
    receipt: UInt64? = nil
  ) {
    self.delivery = delivery
    self.channel = channel
    self.priority = priority
    self.expires = expires
    self.receipt = receipt
  }

  package var stream: StreamID { StreamID(channel: channel, delivery: delivery) }
}
