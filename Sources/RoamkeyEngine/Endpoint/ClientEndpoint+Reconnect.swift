import RoamkeyCrypto
import RoamkeyWire

/// The server has begun anew: another handshake, with the same key on the other side and no other (PROTOCOL §6).
extension ClientEndpoint {
  /// Whether the server has begun anew, and is being asked for another session.
  package var isReconnecting: Bool {
    if case .connecting(let attempt) = state { attempt.isReconnecting } else { false }
  }

  /// The reliable messages of the session, or of the last one, that were not acknowledged, in the order of each stream.
  package var undelivered: [UndeliveredMessage] { session?.channels.undelivered() ?? remains }

  func reconnect(after session: Session, now: Instant) {
    var settings = settings
    settings.pin = session.peer
    settings.requiredPolicy = settings.requiredPolicy ?? session.signingPolicy
    let handshake = ClientHandshake(settings: settings, configuration: context.configuration, entropy: &context.entropy)
    let configuration = context.configuration
    var attempt = Attempt(
      handshake: handshake, candidates: [session.peerAddress] + familiar.filter { $0 != session.peerAddress },
      nextTry: now, deadline: now + max(configuration.offlineLimit, configuration.handshakeTimeout))
    guard session.isAnnounced else {
      // It was never confirmed: it is the same attempt still, as far as the app knows.
      if case .connected(_, let confirmBy) = state { attempt.deadline = confirmBy }
      state = .connecting(attempt)
      return
    }
    attempt.isReconnecting = true
    held = HeldMessages(maximumMessageSize: session.maximumOutgoingMessage)
    held.closesWhenDelivered = session.closesWhenDelivered
    context.events.append(.reset(session.handle, session.channels.undelivered()))
    state = .connecting(attempt)
  }

  /// A new session has begun: what the app has sent meanwhile goes first.
  func release(to session: Session, now: Instant) {
    for message in held.takeAll() { try? session.send(message.content, message.options, now: now) }
    if held.closesWhenDelivered { session.closesWhenDelivered = true }
  }
}

/// Messages that wait for a session to begin.
struct HeldMessages {
  private var messages: [(content: [UInt8], options: MessageOptions)] = []
  private(set) var bytes = 0
  /// What the session before took.
  private(set) var maximumMessageSize = 0
  /// The app closes once everything is delivered.
  var closesWhenDelivered = false

  init(maximumMessageSize: Int = 0) { self.maximumMessageSize = maximumMessageSize }

  mutating func append(_ content: [UInt8], _ options: MessageOptions, limit: Int) throws(SendError) {
    guard content.count <= maximumMessageSize + MessageContent.maximumHeader else {
      throw .tooLarge(size: content.count, limit: maximumMessageSize)
    }
    let cost = Channels.cost(content.count)
    guard messages.isEmpty || cost <= limit - bytes else { throw .queueFull(limit: limit) }
    messages.append((content, options))
    bytes += cost
  }

  mutating func takeAll() -> [(content: [UInt8], options: MessageOptions)] {
    defer { (messages, bytes) = ([], 0) }
    return messages
  }
}
