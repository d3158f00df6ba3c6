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
      handshake: handshake, candidates: session.search.everyRemote(from: session.peerAddress), nextTry: now,
      deadline: now + max(configuration.offlineLimit, configuration.handshakeTimeout))
    attempt.isReconnecting = hasJoined
    guard session.isAnnounced else {
      // It was never confirmed: it is the same attempt still, as far as the app knows.
      if case .connected(_, let confirmBy) = state { attempt.deadline = confirmBy }
      attempt.nextTry = now + pauseBeforeReconnecting(now: now)
      state = .connecting(attempt)
      return
    }
    attempt.nextTry = now + pauseBeforeReconnecting(now: now)
    held = HeldMessages(maximumMessageSize: session.maximumOutgoingMessage)
    held.closesWhenDelivered = session.closesWhenDelivered
    context.events.append(.reset(session.handle, session.channels.undelivered()))
    state = .connecting(attempt)
  }

  /// The server may have moved as well, and then nobody tells: its name is looked up, ever less often.
  func lookUp(_ attempt: inout Attempt, now: Instant) {
    guard now >= attempt.nextLookup ?? now else { return }
    context.events.append(.searching(SessionHandle(rawValue: lastHandle)))
    attempt.nextLookup = now + attempt.lookupPause
    attempt.lookupPause = min(attempt.lookupPause * 2, PathSearch.longestLookupPause)
  }

  /// None the first time; who is let in and forgotten again and again must not make handshakes at the pace of the
  /// network.
  private func pauseBeforeReconnecting(now: Instant) -> Duration {
    if let last = lastReconnection, now - last < Self.calm { reconnections += 1 } else { reconnections = 0 }
    lastReconnection = now
    guard reconnections > 0 else { return .zero }
    return min(.seconds(1) * (1 << min(reconnections - 1, 8)), Self.longestReconnectionPause)
  }

  /// So long after the last one a reconnection is the first again.
  private static let calm = Duration.seconds(60)
  private static let longestReconnectionPause = Duration.seconds(30)

  /// The new session is confirmed: what the app has sent meanwhile goes first.
  func release(to session: Session, now: Instant) {
    guard !held.isEmpty || held.closesWhenDelivered else { return }
    for message in held.takeAll() { try? session.send(message.content, message.options, now: now) }
    if held.closesWhenDelivered { session.closesWhenDelivered = true }
    held.closesWhenDelivered = false
  }
}

extension ClientEndpoint.Attempt {
  /// More than a name has, and than a session has used and was told of.
  static let candidateLimit = 32

  /// Where the next Hello goes: back to who asked for its cookie, else to each in turn.
  mutating func takeRemote() -> NetworkAddress {
    let remote: NetworkAddress
    if owesCookie, let source = cookieSource {
      remote = source
    } else {
      tries += 1
      remote = candidates.removeFirst()
      candidates.append(remote)
    }
    owesCookie = false
    if !hasAsked(remote) { asked.append(remote) }
    return remote
  }

  /// A cookie that came from there beyond those used at once goes into the Hello that is sent there now.
  mutating func takeSpareCookie(for remote: NetworkAddress) {
    guard let cookie = spare.take(for: remote) else { return }
    handshake.use(cookie)
    cookieSource = remote
  }
}

/// Messages that wait for a session to begin.
struct HeldMessages {
  private var messages: [(content: [UInt8], options: MessageOptions)] = []
  private(set) var bytes = 0
  var isEmpty: Bool { messages.isEmpty }
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
