package import RoamkeyEngine
internal import RoamkeyWire

/// A reliable message that the server has not confirmed before the session was lost: it may have got it or not.
///
/// `try client.send(lost)` sends it again as it was meant: delivery, priority, channel, receipt, and what was left of
/// the time for which it was worth sending.
public struct Undelivered: Sendable, Hashable {
  public var message: Message
  /// How it was to be delivered; `expires` is what was left of it when it was handed back.
  public var options: SendOptions

  /// For games that are tested without a server.
  public init(_ message: Message, options: SendOptions = .init()) {
    self.message = message
    self.options = options
  }

  /// What the engine hands back; nil for a message that is not worth sending any more.
  package init?(_ undelivered: UndeliveredMessage, at now: Instant) {
    let expires = undelivered.expires.map { $0 - now }
    if let expires, expires <= .zero { return nil }
    message = Message(unsent: undelivered.content, stream: undelivered.stream)
    options = SendOptions(
      delivery: undelivered.stream.delivery, priority: undelivered.priority, channel: undelivered.stream.channel,
      expires: expires, receipt: undelivered.receipt)
  }
}

extension UndeliveredMessage {
  /// A message that the loop has not taken; nil where nobody promised that it arrives.
  init?(_ message: Ledger.Outgoing) {
    // We wrote it ourselves.
    guard message.options.delivery.isReliable, let content = try? MessageContent(message.content) else {
      return nil
    }
    self.init(
      stream: message.options.stream, priority: message.options.priority, content: content,
      expires: message.options.expires, receipt: message.options.receipt)
  }
}
