import DequeModule
package import RoamkeyCrypto
package import RoamkeyWire

/// What a server is, beside its key.
package struct ServerSettings: Sendable {
  /// The application's name and version; clients of another one are turned away.
  package var application: String
  package var signingPolicy: SigningPolicy = .everyPacket
  /// For people to read.
  package var displayName: String?
  package var access = AccessList()
  /// Random, and the same from run to run of one server at one place: by it clients recognise that the server has begun
  /// anew (PROTOCOL §6). Without one they notice by silence.
  package var instance: Digest?
  /// Whether the handshake tells versions and limits; off only for the reference vectors, which have neither.
  package var announcesLimits = true

  package init(application: String) { self.application = application }
}

/// Who may join.
package struct AccessList: Sendable {
  /// Where set, nobody else may.
  package var allowed: Set<PlayerID>?
  package var denied: Set<PlayerID> = []

  package init() {}

  /// Why `player` may not join; nil if it may.
  func refusal(of player: PlayerID) -> Refusal? {
    if denied.contains(player) { return .banned }
    if let allowed, !allowed.contains(player) { return .notAllowed }
    return nil
  }
}

/// A server's protocol machine: routes packets to sessions by connection id, admits newcomers
/// (ServerEndpoint+Admission.swift).
package final class ServerEndpoint: DatagramHandler {
  let context: EndpointContext
  let settings: ServerSettings
  /// Nil where it is the whole server.
  let shard: ServerShard?
  /// Who may join from now on.
  private(set) var access: AccessList

  // Routing
  var sessionsByConnectionID = SessionTable<UInt64>()
  var sessions = SessionTable<SessionHandle>()
  var players: [PlayerID: Session] = [:]
  var sessionsPerPrefix: [UInt128: Int] = [:]
  var lastHandle: UInt64 = 0

  // Admission
  let staticSecret: SecretBytes
  var cookies: CookieJar?
  var halfOpen: HalfOpenTable
  /// Handshakes of those who have not proven their address. Each costs some 200 us, and a burst of them would hold up
  /// everybody who is in.
  var unproven = RateLimit(burst: 64, perSecond: 256)
  /// More Retries cost players more than newcomers gain: of 50,000 Hellos a second each third is answered, and a client
  /// says its own eight times.
  var retries = RateLimit(burst: 1000, perSecond: 16_000)
  /// Answers that belong to no session.
  var replies = Deque<(bytes: [UInt8], path: NetworkPath)>()
  let resetKey: ResetKey
  var resets = ResetLimiter()

  // Networks
  package let watchedAddresses = ServerEndpoint.everywhere
  var view: NetworkView?

  var timers = SessionTimers()
  var ready = Deque<Session>()
  private var isShuttingDown = false

  package init(
    key: consuming PlayerKey, settings: ServerSettings, configuration: RoamkeyConfiguration, entropy: Entropy,
    shard: ServerShard? = nil, recorder: (any PacketRecorder)? = nil
  ) {
    context = EndpointContext(
      key: key, configuration: configuration, entropy: entropy, clock: shard?.clock, recorder: recorder)
    self.settings = settings
    self.shard = shard
    access = settings.access
    staticSecret = context.entropy.secret()
    // The sessions of vectors have no tokens, and draw nothing for them.
    let instance = settings.instance ?? (settings.announcesLimits ? context.entropy.digest() : Digest())
    resetKey = ResetKey(instance: instance, key: context.key)
    halfOpen = HalfOpenTable(lifetime: configuration.halfOpenLifetime)
  }

  // MARK: Getters

  package var id: PlayerID { context.key.id }

  /// Which of the server's shards it is; 0 where it is the whole server.
  package var shardIndex: Int { shard?.index ?? 0 }

  package var statistics: EndpointStatistics { context.statistics }

  /// What messages say when they were sent by.
  package var clock: LocalClock { context.clock }

  /// Bytes queued or unacknowledged in a session; 0 where there is none.
  package func queuedBytes(of handle: SessionHandle) -> Int { sessions[handle]?.queuedBytes ?? 0 }

  /// The longest message that a session's other side takes, and we send; 0 where there is no session.
  package func maximumMessageSize(of handle: SessionHandle) -> Int { sessions[handle]?.maximumOutgoingMessage ?? 0 }

  /// What a session's player calls itself; nil where it said nothing, or there is no session.
  package func displayName(of handle: SessionHandle) -> String? { sessions[handle]?.peerName }

  /// How a session is doing; nil where there is none.
  package func statistics(of handle: SessionHandle, now: Instant) -> SessionStatistics? {
    sessions[handle]?.statistics(now: now)
  }

  /// Whether nothing is left to send: no session is open or closing. One that the other side has closed need not be
  /// waited for.
  package var isIdle: Bool { replies.isEmpty && sessions.values.allSatisfy(\.isFinished) }

  package var hasManyPeers: Bool { sessions.count >= Self.manyPeers }

  /// Two rooms full of players: below, a turn for each datagram costs little.
  private static let manyPeers = 64

  package var nextTimeout: Instant? {
    guard let timer = timers.nextDeadline else { return halfOpen.nextTimeout }
    return halfOpen.nextTimeout.map { min($0, timer) } ?? timer
  }

  // MARK: Input

  package func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {
    context.statistics.countReceived(datagram.byteCount)
    guard datagram.byteCount > 0 else { return context.statistics.count(.malformed) }
    let first = datagram.unsafeLoad(as: UInt8.self)
    if LongHeader.isLong(first) {
      receiveHandshake(datagram.bytes, path: path, now: now)
    } else if ShortHeader.isShort(first) {
      receivePacket(&datagram, path: path, now: now)
    } else {
      context.statistics.count(.malformed)
    }
  }

  private func receivePacket(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {
    var position = 1
    guard let id: UInt64 = try? datagram.bytes.readInteger(at: &position) else {
      return context.statistics.count(.malformed)
    }
    if let session = sessionsByConnectionID[id] {
      prefetchExpected()
      session.receive(&datagram, path: path, now: now)
      markReady(session)
    } else if let entry = halfOpen.find(connectionID: id) {
      hold(datagram.bytes, path: path, for: entry)
    } else if isForeign(id, datagram.bytes, path: path) {
      // Received there.
    } else {
      context.statistics.count(.unknownConnection)
      reset(id, datagram.byteCount, path: path, now: now)
    }
  }

  package func handleTimeout(now: Instant) {
    halfOpen.removeExpired(now: now)
    while let session = timers.takeDue(now: now, of: sessions) {
      session.handleTimeout(now: now)
      forgetRetiredIDs(of: session, now: now)
      markReady(session)
    }
  }

  // MARK: What the app asks

  /// Queues a message; only enqueues.
  package func send(
    _ content: consuming [UInt8], _ options: MessageOptions = .init(), to handle: SessionHandle, now: Instant
  ) throws(SendError) {
    guard let session = sessions[handle] else { throw .notConnected }
    try session.send(content, options, now: now)
    markReady(session)
  }

  /// Bytes of reliable messages (`InboundMessage.credit`) of a stream that the app has taken.
  package func consumed(
    _ credit: Int, stream: StreamID = MessageOptions().stream, of handle: SessionHandle, now: Instant
  ) {
    guard let session = sessions[handle] else { return }
    session.consumed(credit, of: stream)
    markReady(session)
  }

  /// The app says that a player rests, or does no more.
  package func setResting(_ isResting: Bool, of handle: SessionHandle, now: Instant) {
    guard let session = sessions[handle] else { return }
    session.setResting(isResting, now: now)
    markReady(session)
  }

  /// Lets go what waits for others to share its packet, in all sessions.
  package func flush(now: Instant) {
    // In order of age: a dictionary's own order differs from run to run.
    for session in sessions.values.sorted(by: { $0.handle.rawValue < $1.handle.rawValue })
    where session.bundlesUntil != nil {
      session.flush()
      markReady(session)
    }
  }

  /// Ends a session; what was queued is not delivered any more. `left` follows.
  package func close(_ handle: SessionHandle, code: CloseCode, reason: String, now: Instant) {
    guard let session = sessions[handle] else { return }
    session.close(code, reason: reason, now: now)
    markReady(session)
  }

  /// Replaces the lists of who may join. Players who are in and may no longer be are put out.
  /// - Parameters:
  ///   - reason: told to those who are not allowed any more.
  ///   - bannedReason: told to those who are denied; nil for the same.
  package func updateAccess(_ access: AccessList, reason: String, bannedReason: String? = nil, now: Instant) {
    self.access = access
    for session in players.values.sorted(by: { $0.handle.rawValue < $1.handle.rawValue }) {
      guard let refusal = access.refusal(of: session.peer) else { continue }
      let words = refusal == .banned ? bannedReason ?? reason : reason
      close(session.handle, code: .kicked, reason: words, now: now)
    }
  }

  /// Ends all sessions with `shutdown` and admits nobody any more; done when `isIdle`.
  package func shutdown(now: Instant) {
    isShuttingDown = true
    // In order of age: a dictionary's own order differs from run to run.
    for handle in sessions.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
      close(handle, code: .shutdown, reason: "", now: now)
    }
  }

  var admitsNewcomers: Bool { !isShuttingDown }

  // MARK: Output

  package func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    let start = output.byteCount
    guard let path = nextDatagram(into: &output, now: now) else { return nil }
    context.statistics.countSent(output.byteCount - start)
    return path
  }

  package func fill(_ batch: inout DatagramBatch, now: Instant) {
    context.fill(
      &batch, now: now, depth: { plan(now: now).depth(room: $0) }, next: { pollTransmit(into: &$0, now: now) })
  }

  /// What the sessions that are ready have to send, in the order in which they are asked.
  private func plan(now: Instant) -> TreePlan {
    var plan = TreePlan()
    guard settings.signingPolicy == .everyPacket else { return plan }
    // Most of those that were only heard have nothing to say.
    for session in ready.prefix(4 * TreePlan.limit) {
      guard !plan.isFull else { break }
      plan.add(session.expectedPackets(atMost: TreePlan.limit - plan.count, now: now))
    }
    return plan
  }

  private func nextDatagram(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? {
    if let (bytes, path) = replies.popFirst() {
      output.append(contentsOf: bytes.span.bytes)
      return path
    }
    while let session = ready.first {
      forgetRetiredIDs(of: session, now: now)
      issueIDs(to: session)
      let path = session.pollTransmit(into: &output, now: now)
      if path == nil || session.isDrained { settleFirst() }
      if let path { return path }
    }
    return nil
  }

  /// The first of those that are ready has nothing more to send.
  private func settleFirst() {
    let session = ready.removeFirst()
    session.isReady = false
    if session.isEnded {
      remove(session)
    } else {
      timers.update(session)
    }
    prefetchReady()
  }

  /// How many events wait to be taken.
  package var eventCount: Int { context.events.count }

  /// What has happened, in order: the next event.
  package func takeEvent() -> EngineEvent? { context.events.popFirst() }

  /// All that has happened since, in order.
  package func drainEvents(into events: inout [EngineEvent]) {
    while let event = takeEvent() { events.append(event) }
  }

  // MARK: Helpers

  /// Something may have changed: it is asked for packets, and for its next deadline.
  func markReady(_ session: Session) {
    guard !session.isReady else { return }
    session.isReady = true
    ready.append(session)
  }

  private func remove(_ session: Session) {
    context.expected.removeAll()
    timers.remove(session)
    context.recorder?.ended(session.handle)
    sessions[session.handle] = nil
    forgetIDs(of: session)
    if players[session.peer] === session { players[session.peer] = nil }
    vacate(session)
  }

  /// Gives back a session's place among those from its address.
  func vacate(_ session: Session) {
    guard let prefix = session.admittedPrefix else { return }
    session.admittedPrefix = nil
    shard?.registry.leave(session.peer, number: ServerShard.number(of: session.handle))
    let left = (sessionsPerPrefix[prefix] ?? 0) - 1
    sessionsPerPrefix[prefix] = left > 0 ? left : nil
  }
}
