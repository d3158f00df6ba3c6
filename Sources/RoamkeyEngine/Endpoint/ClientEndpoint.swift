package import RoamkeyCrypto
package import RoamkeyWire

/// What a client wants, beside its key.
package struct ClientSettings: Sendable {
  package var application: String
  /// The only key that the server may have; nil trusts whichever answers first (and lets the caller remember it).
  package var pin: PlayerID?
  /// The only signing policy that is accepted; nil takes the server's.
  package var requiredPolicy: SigningPolicy?
  /// What the player calls itself, for people to read.
  package var displayName: String?
  /// Whether the handshake tells limits; off only for the reference vectors, which have none.
  package var announcesLimits = true

  package init(application: String) { self.application = application }
}

/// A client's protocol machine: one handshake, then one session, over a socket of its own; and another session when the
/// server has begun anew (ClientEndpoint+Reconnect.swift).
package final class ClientEndpoint: DatagramHandler {
  /// A handshake in time: the client drives the retransmission.
  struct Attempt {
    let handshake: ClientHandshake
    /// Where the server may be: the next Hello goes to the first, which then goes to the end.
    var candidates: [NetworkAddress]
    /// Where a Hello went: only from there an answer is taken, so that nobody can lead us elsewhere with a copy of one.
    var asked: [NetworkAddress] = []
    /// There was a session, which the server does not know any more.
    var isReconnecting = false
    var tries = 0
    var nextTry: Instant
    var deadline: Instant
    /// Who asked for its cookie back: the next Hello goes there, and the cookie goes nowhere else.
    var cookieSource: NetworkAddress?
    var owesCookie = false
    var spare = SpareCookie()
    /// When the Hello that is now awaiting an answer was sent; nil when several are.
    var lonelyHelloAt: Instant?
    var hasUnansweredHello = false
    /// What was seen that cannot be accepted; reported if nothing better comes.
    var doubt: ConnectError?
    /// Where there was a session: when the server's name is to be looked up again.
    var nextLookup: Instant?
    var lookupPause = PathSearch.firstLookupPause

    func hasAsked(_ address: NetworkAddress) -> Bool {
      asked.contains { $0.ip == address.ip && $0.port == address.port }
    }
  }

  enum State {
    case idle
    case connecting(Attempt)
    /// From the Welcome on. Until `confirmBy` the server must be heard under the session's keys.
    case connected(Session, confirmBy: Instant)
    case ended
  }

  let context: EndpointContext
  let settings: ClientSettings
  var state = State.idle {
    didSet {
      session = if case .connected(let session, _) = state { session } else { nil }
      server = session?.peer ?? server
    }
  }
  /// The session, from the Welcome on: for those who come for each message.
  private(set) var session: Session?
  /// Whose session it is, or was last.
  private var server: PlayerID?
  var lastHandle: UInt64 = 0
  /// The app was told of a session.
  private(set) var hasJoined = false
  /// Reconnections that followed each other closely, and when the last one began.
  var reconnections = 0
  var lastReconnection: Instant?
  /// What the app sends while there is no session for a moment.
  var held = HeldMessages()
  /// What the last session has not delivered.
  private(set) var remains: [UndeliveredMessage] = []
  /// Addresses of the server that the app gave.
  var familiar: [NetworkAddress] = []
  /// From the first message on that is to be signed by its author.
  var authorSigner: AuthorSigner?

  // Networks
  package private(set) var watchedAddresses: [NetworkAddress] = []
  var view: NetworkView?
  /// The address to which the ways of `view` lead.
  var viewedAddress: NetworkAddress?

  /// The pause after the first Hello; it doubles up to the longest (PROTOCOL §1.8).
  private static let firstPause = Duration.milliseconds(250)
  private static let longestPause = Duration.seconds(2)

  package init(
    key: consuming PlayerKey, settings: ClientSettings, configuration: RoamkeyConfiguration, entropy: Entropy,
    recorder: (any PacketRecorder)? = nil
  ) {
    context = EndpointContext(key: key, configuration: configuration, entropy: entropy, recorder: recorder)
    self.settings = settings
  }

  // MARK: Getters

  package var id: PlayerID { context.key.id }

  package var statistics: EndpointStatistics { context.statistics }

  /// What messages say when they were sent by.
  package var clock: LocalClock { context.clock }

  /// Bytes queued or unacknowledged.
  package var queuedBytes: Int { (session?.queuedBytes ?? 0) + held.bytes }

  /// The longest message that the server takes, and we send; 0 where there is no session.
  package var maximumMessageSize: Int { session?.maximumOutgoingMessage ?? held.maximumMessageSize }

  /// What the server calls itself; nil where it said nothing, or there is no session.
  package var serverDisplayName: String? { session?.peerName }

  /// How the session is doing; nil where there is none.
  package func sessionStatistics(now: Instant) -> SessionStatistics? { session?.statistics(now: now) }

  /// Whether nothing is left to send.
  package var isIdle: Bool {
    switch state {
    case .idle, .ended: true
    case .connecting: false
    case .connected(let session, _): session.isFinished
    }
  }

  package var nextTimeout: Instant? {
    switch state {
    case .idle, .ended: nil
    case .connecting(let attempt): min(attempt.nextTry, attempt.deadline)
    case .connected(let session, let confirmBy):
      session.awaitsConfirmation ? min(session.nextTimeout ?? confirmBy, confirmBy) : session.nextTimeout
    }
  }

  /// There was a session, and there is to be another, which is not confirmed yet.
  private var isAwaitingReadmission: Bool {
    if let session { return hasJoined && session.awaitsConfirmation }
    return if case .connecting(let attempt) = state { attempt.isReconnecting } else { false }
  }

  // MARK: What the app asks

  /// Starts the handshake; `joined` or `connectFailed` follows. The addresses are tried in turn.
  package func connect(to candidates: [NetworkAddress], now: Instant) {
    guard case .idle = state, !candidates.isEmpty else { return }
    let handshake = ClientHandshake(
      settings: settings, configuration: context.configuration, entropy: &context.entropy)
    familiar = candidates
    state = .connecting(
      Attempt(
        handshake: handshake, candidates: candidates, nextTry: now,
        deadline: now + context.configuration.handshakeTimeout))
    watch(candidates[0])
  }

  /// Where to look at the ways from now on. The array is kept, since it is asked for again and again.
  private func watch(_ address: NetworkAddress) {
    if watchedAddresses.first != address { watchedAddresses = [address] }
  }

  /// Queues a message; only enqueues.
  package func send(
    _ content: consuming [UInt8], _ options: MessageOptions = .init(), now: Instant
  ) throws(SendError) {
    if options.isToBeSigned, let server { sign(&content, for: server) }
    if isAwaitingReadmission { return try held.append(content, options, limit: context.configuration.sendQueueLimit) }
    guard let session else { throw .notConnected }
    try session.send(content, options, now: now)
  }

  /// Bytes of reliable messages (`InboundMessage.credit`) of a stream that the app has taken.
  package func consumed(_ credit: Int, stream: StreamID = MessageOptions().stream, now: Instant) {
    session?.consumed(credit, of: stream)
  }

  /// The app says that its player rests, or does no more.
  package func setResting(_ isResting: Bool, now: Instant) { session?.setResting(isResting, now: now) }

  /// Lets go what waits for others to share its packet.
  package func flush(now: Instant) { session?.flush() }

  /// Ends the session: at once, or once everything that was queued has been acknowledged. `left` follows.
  package func close(afterDelivery: Bool, now: Instant) {
    switch state {
    case .idle, .ended: break
    case .connecting: fail(.closed)
    case .connected(let session, _):
      if afterDelivery {
        session.closesWhenDelivered = true
      } else {
        session.close(.done, reason: "", now: now)
      }
      settle(session, now: now)
    }
  }

  /// The app has bound another socket: tell the server at once.
  package func localAddressChanged(from: NetworkAddress, to: NetworkAddress, now: Instant) {
    switch state {
    case .idle, .ended: break
    case .connecting(var attempt):
      attempt.nextTry = now
      state = .connecting(attempt)
    case .connected(let session, _): session.localAddressChanged(from: from, to: to, now: now)
    }
    view?.socket = to
  }

  // MARK: Input

  package func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {
    context.statistics.countReceived(datagram.byteCount)
    guard datagram.byteCount > 0 else { return context.statistics.count(.malformed) }
    let isShort = ShortHeader.isShort(datagram.unsafeLoad(as: UInt8.self))
    switch state {
    case .connecting(let attempt):
      receiveHandshake(datagram.bytes, attempt, path: path, now: now)
    case .connected(let session, _) where isShort:
      guard isForUs(datagram.bytes, session) else { return context.statistics.count(.unknownConnection) }
      session.receive(&datagram, path: path, now: now)
      settle(session, now: now)
    case .connected:
      // A late Welcome: it was answered, or a copy of it was.
      context.statistics.count(.badHandshake)
    case .idle, .ended:
      context.statistics.count(.ended)
    }
  }

  private func isForUs(_ datagram: RawSpan, _ session: Session) -> Bool {
    let size = session.issuedIDs.size
    guard datagram.byteCount > size else { return false }
    // A reset has random bytes where the id would be.
    guard size > 0, let id = try? ConnectionID(datagram, 1..<(1 + size)) else { return size == 0 }
    return session.issuedIDs.contains(id) || session.isReset(datagram)
  }

  private func receiveHandshake(_ datagram: RawSpan, _ attempt: Attempt, path: NetworkPath, now: Instant) {
    var attempt = attempt
    guard attempt.hasAsked(path.remote) else { return context.statistics.count(.badHandshake) }
    switch attempt.handshake.receive(datagram, key: context.key) {
    case .ignored:
      context.statistics.count(.badHandshake)
    case .retry:
      attempt.nextTry = now
      attempt.cookieSource = path.remote
      attempt.owesCookie = true
      attempt.hasUnansweredHello = false
      state = .connecting(attempt)
    case .spareCookie(let cookie):
      context.statistics.count(.badHandshake)
      attempt.spare.add(cookie, from: path.remote) { context.entropy.number() }
      state = .connecting(attempt)
    case .doubtful(let error):
      context.statistics.count(.badHandshake)
      if attempt.doubt == nil {
        attempt.deadline = min(attempt.deadline, now + context.configuration.doubtfulAnswerPatience)
      }
      attempt.doubt = error
      state = .connecting(attempt)
    case .failed(let error):
      fail(error)
    case .established(let established):
      let session = open(
        established, source: attempt.handshake.source, path: path, deadline: attempt.deadline, now: now)
      if let sent = attempt.lonelyHelloAt { session.learnRoundTrip(now - sent) }
    }
  }

  private func open(
    _ established: consuming ClientHandshake.Established, source: ConnectionID, path: NetworkPath, deadline: Instant,
    now: Instant
  ) -> Session {
    let finish = established.finish
    lastHandle += 1
    // The system chooses the local address of each packet, or the driver by what it was told.
    let path = NetworkPath(local: .any(port: 0), remote: path.remote)
    let session = Session(
      Session.Opening(
        handle: SessionHandle(rawValue: lastHandle), peer: established.server, localConnectionID: source,
        peerConnectionID: established.serverConnectionID, signingPolicy: established.parameters.signingPolicy,
        peerParameters: established.parameters, keys: established.keys, path: path, isPathValidated: true,
        followsPeer: false, announcesLimits: settings.announcesLimits),
      context: context, now: now)
    session.finish = finish
    session.owesFinish = true
    // A packet right behind the Finish: the server's answer to it is the proof that we are in.
    session.owesPing = true
    session.search.learn(familiar + [path.remote])
    state = .connected(session, confirmBy: deadline)
    equip(session, now: now)
    watch(session.peerAddress)
    return session
  }

  package func handleTimeout(now: Instant) {
    switch state {
    case .idle, .ended: break
    case .connecting(let attempt):
      if now >= attempt.deadline { fail(attempt.doubt ?? .noAnswer) }
    case .connected(let session, let confirmBy):
      if session.awaitsConfirmation, now >= confirmBy { return fail(.noAnswer) }
      session.handleTimeout(now: now)
      _ = session.issuedIDs.takeExpired(now: now)
      settle(session, now: now)
    }
  }

  // MARK: Output

  package func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    let start = output.byteCount
    guard let path = nextDatagram(into: &output, now: now) else { return nil }
    context.statistics.countSent(output.byteCount - start)
    return path
  }

  package func fill(_ batch: inout DatagramBatch, now: Instant) {
    context.fill(
      &batch, now: now,
      depth: { room in
        var plan = TreePlan()
        plan.add(session?.expectedPackets(atMost: TreePlan.limit, now: now) ?? 0)
        return plan.depth(room: room)
      },
      next: { pollTransmit(into: &$0, now: now) })
  }

  private func nextDatagram(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    switch state {
    case .idle, .ended: return nil
    case .connecting(var attempt):
      guard now >= attempt.nextTry else { return nil }
      let pause = min(Self.firstPause * (1 << min(attempt.tries, 8)), Self.longestPause)
      let remote = attempt.takeRemote()
      attempt.takeSpareCookie(for: remote)
      if attempt.isReconnecting { lookUp(&attempt, now: now) }
      attempt.lonelyHelloAt = attempt.hasUnansweredHello ? nil : now
      attempt.hasUnansweredHello = true
      attempt.nextTry = now + pause
      state = .connecting(attempt)
      watch(remote)
      output.append(contentsOf: attempt.handshake.hello(withCookie: remote == attempt.cookieSource).span.bytes)
      return NetworkPath(local: .any(port: 0), remote: remote)
    case .connected(let session, _):
      issueIDs(to: session)
      return session.pollTransmit(into: &output, now: now)
    }
  }

  /// How many events wait to be taken.
  package var eventCount: Int { context.events.count }

  /// What has happened, in order: the next event.
  package func takeEvent() -> EngineEvent? {
    guard let event = context.events.popFirst() else { return nil }
    switch event {
    case .joined: hasJoined = true
    case .connectFailed(let error) where hasJoined:
      // For the app the session went on until now, though it was another one.
      return .left(SessionHandle(rawValue: lastHandle), error == .closed ? .closed : .notReadmitted(error))
    case .message, .roamed, .offline, .online, .left, .receipt, .connectFailed, .searching, .reset: break
    }
    return event
  }

  /// All that has happened since, in order.
  package func drainEvents(into events: inout [EngineEvent]) {
    while let event = takeEvent() { events.append(event) }
  }

  // MARK: Helpers

  /// What may follow from anything that happened to the session.
  private func settle(_ session: Session, now: Instant) {
    if session.closesWhenDelivered, session.channels.isDelivered { session.close(.done, reason: "", now: now) }
    watch(session.peerAddress)
    if session.isAnnounced { release(to: session, now: now) }
    guard session.isEnded else { return }
    context.recorder?.ended(session.handle)
    if session.roaming.isReset { return reconnect(after: session, now: now) }
    remains = session.channels.undelivered()
    state = .ended
  }

  /// There will be no session, or not again.
  private func fail(_ error: ConnectError) {
    state = .ended
    context.events.append(.connectFailed(error))
  }
}
