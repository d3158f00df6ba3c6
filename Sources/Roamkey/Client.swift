public import RoamkeyCrypto
public import RoamkeyEngine
internal import RoamkeyUDP
public import RoamkeyWire

/// A player's way to a server: one session, which goes on wherever the player's packets come from.
///
///     let client = try await Client(
///         key: .load("keys/me.pem"), application: "galaxy/1", server: "host:7447", pinned: serverID)
///     try client.send("Are you awake?")
///
/// It finds its way by itself: when this machine or the server's changes networks, when the server's name stands for
/// another address, and when the server was started anew (``Event/reconnected(undelivered:)``).
///
/// All of it may be called from any thread. One thread of its own carries the datagrams, or the app's own (`loop`). A
/// client that is let go without ``close(afterDelivery:)`` tells the server that it leaves, but delivers nothing more.
public final class Client: Sendable {
  /// Whose key the client has: who it is for the server and for other players.
  public let id: PlayerID
  /// Whose key the server has: to be remembered, and pinned the next time.
  public let serverID: PlayerID
  /// What to call the server: its name, or two words of its key's fingerprint. Anybody may take any name: it proves
  /// nothing, ``serverID`` does.
  public var serverName: String { link.peer?.name ?? serverID.shortFingerprint }
  let link: ClientLink
  let driver: UDPDriver<ClientEndpoint>
  /// Keeps what the server sends, where somebody wants that.
  let recorder: Recorder?

  /// The port of a server whose text names none.
  public static let defaultPort: UInt16 = 7447

  /// Connects; returns once the server has proved its key and let this player in.
  /// - Parameters:
  ///   - key: the player's key, handed over for good.
  ///   - application: name and version of what is played, such as `galaxy/1` (1 to 255 bytes): the server's.
  ///   - server: `host:port`, `host`, `192.0.2.1:7447` or `[2001:db8::1]:7447`.
  ///   - pinned: the only key that the server may have. Without it whichever server answers is trusted: compare and
  ///     remember ``serverID`` then.
  ///   - name: what the player is called, for people to read: at most 64 bytes without control characters. It proves
  ///     nothing; where there is none, the server shows two words of the key's fingerprint.
  ///   - policy: the only signing policy that is accepted; nil takes the server's.
  ///   - bind: the local address to use, mostly for tests; nil leaves it to the system, which is right on machines
  ///     that move: only then it takes another one by itself.
  ///   - loop: leave it, unless the game's own thread is to do all the work (``LoopMode/polled``).
  ///   - configuration: limits and timers.
  /// - Throws: `RoamkeyError`; its `isRefusal` tells a refusal from a failure.
  public convenience init(
    key: consuming PlayerKey, application: String, server: String, pinned: PlayerID? = nil, name: String? = nil,
    requiring policy: SigningPolicy? = nil, bind: NetworkAddress? = nil, loop: LoopMode = .ownThread,
    configuration: RoamkeyConfiguration = .init()
  ) async throws(RoamkeyError) {
    try await self.init(
      key: key, application: application, server: server, pinned: pinned, name: name, requiring: policy, bind: bind,
      loop: loop, configuration: configuration
    ) { hostPort throws(HostError) in
      try HostResolver.resolve(hostPort, defaultPort: Self.defaultPort)
    }
  }

  /// The same with another way to look names up.
  /// - Parameter host: a server of this process that is polled, and needs somebody to carry its datagrams meanwhile.
  init(
    key: consuming PlayerKey, application: String, server: String, pinned: PlayerID? = nil, name: String? = nil,
    requiring policy: SigningPolicy? = nil, bind: NetworkAddress? = nil, loop mode: LoopMode = .ownThread,
    configuration: RoamkeyConfiguration = .init(), host: UDPDriver<ServerEndpoint>? = nil,
    resolver: @escaping NameLookup.Resolver
  ) async throws(RoamkeyError) {
    try RoamkeyError.check(application: application, name: name)
    var settings = ClientSettings(application: application)
    settings.pin = pinned
    // What is not signed is no evidence.
    settings.requiredPolicy = policy ?? (configuration.recording == nil ? nil : .everyPacket)
    settings.displayName = name
    let id = key.id
    let lookup = NameLookup(server, resolver)
    let candidates = try await lookup.addresses()
    let recorder = try Recorder.make(key, configuration, policy)
    self.recorder = recorder
    let endpoint = ClientEndpoint(
      key: key, settings: settings, configuration: configuration, entropy: .system, recorder: recorder)
    let link = ClientLink(configuration, clock: endpoint.clock)
    let loop = ClientLoop(link, lookup, configuration.searchesLocalNetwork ? LocalSearch() : nil)
    let driver: UDPDriver<ClientEndpoint>
    do throws(UDPError) {
      driver = try UDPDriver(
        bind: bind ?? .any(port: 0), name: "roamkey-client", isPolled: mode == .polled,
        mobility: bind == nil ? .client : .host, handler: endpoint,
        onTurn: { endpoint, now in loop.turn(endpoint, now) })
    } catch {
      await recorder?.finish()
      throw RoamkeyError(error)
    }
    loop.attach(driver)
    driver.perform { endpoint, now in endpoint.connect(to: candidates, now: now) }
    let carried: @Sendable () async -> Void = { await driver.carrying { await link.waitUntilConnected() } }
    if let host { await host.carrying(carried) } else { await carried() }
    switch link.phase {
    case .connected(let peer), .reconnecting(let peer), .ended(let peer, _): serverID = peer.id
    case .failed(let error):
      driver.stop()
      await recorder?.finish()
      if recorder != nil, policy == nil, error == .wrongSigningPolicy(server: .sealedOnly) {
        throw RoamkeyError(unsigned: "the packets of this server")
      }
      throw RoamkeyError(error, server: server)
    case .connecting:
      // The task was cancelled.
      driver.stop()
      await recorder?.finish()
      throw RoamkeyError(.closed, server: server)
    }
    self.id = id
    self.link = link
    self.driver = driver
  }

  deinit {
    driver.perform { endpoint, now in endpoint.close(afterDelivery: false, now: now) }
    driver.stop()
    recorder?.stop()
  }

  /// Where the server's packets come from now.
  public var serverAddress: NetworkAddress { link.peer?.address ?? .any(port: 0) }

  /// The local address in use; its host is `::` where the system chooses it for each datagram.
  public var localAddress: NetworkAddress { driver.localAddress }

  // MARK: Events

  /// What happens, for a loop of its own: `for await event in client.events`.
  ///
  /// Ends after `disconnected`. A loop that is left and entered again goes on where it was; two loops share the events
  /// between them. A reader that is slow holds up the server's messages to it, not the memory.
  public var events: some AsyncSequence<Event, Never> & Sendable {
    EventSequence(queue: link.events, onTaken: { _, cost, isLast in self.taken(cost, isLast: isLast) })
  }

  /// What has happened since the last time, without waiting: for a game loop that asks once a frame.
  public func takeEvents() -> [Event] {
    driver.look()
    return takeWaiting()
  }

  /// The events that wait.
  func takeWaiting() -> [Event] {
    let (events, calls) = link.takeEvents()
    if calls { callLoop() }
    return events
  }

  // MARK: Receipts

  /// What became of the messages that were sent with a `receipt`, for a loop of its own.
  ///
  /// Ends once the session has ended. Receipts that are not taken cost no memory without end: of many the newest are
  /// kept, and ``Statistics/receiptsDropped`` counts the others.
  public var receipts: some AsyncSequence<Receipt, Never> & Sendable {
    // Like `events` it keeps the client for as long as somebody reads.
    EventSequence(queue: link.receipts, onTaken: { _, _, _ in withExtendedLifetime(self) {} })
  }

  /// The receipts since the last time, without waiting: for a game loop that asks once a frame.
  public func takeReceipts() -> [Receipt] { link.takeReceipts() }

  private func taken(_ cost: EventCost, isLast: Bool) {
    if link.taken(cost, isLast: isLast) { callLoop() }
  }

  private func callLoop() { driver.perform { [link] endpoint, now in link.work(endpoint, now) } }

  // MARK: Messages

  /// Sends a message to the server. Its author is this player, whatever it says.
  ///
  /// It returns at once: the message is queued, and goes out as the network allows. The `send` of every day takes the
  /// options one by one, and a text or bytes as well.
  /// - Throws: `SendError`, and nothing of it was sent.
  public func send(_ message: Message, options: SendOptions) throws(SendError) {
    if try link.send(message, options, at: .current) == true { callLoop() }
  }

  /// Sends a message in the session after so many restarts of the server, while that one is open.
  /// - Returns: whether it was taken; false where it is another session.
  package func send(_ message: Message, options: SendOptions, restarts: Int) throws(SendError) -> Bool {
    let calls = try link.send(message, options, at: .current, restarts: restarts)
    if calls == true { callLoop() }
    return calls != nil
  }

  /// How often the server was found to have begun anew. Of each an app is told by `reconnected`, later.
  package var restarts: Int { link.restarts }

  /// Returns once the server has acknowledged all that was sent in the session after so many restarts, or when that
  /// session is lost, or the task is cancelled.
  package func waitUntilDelivered(restarts: Int) async {
    await driver.carrying { [link] in await link.waitUntilDelivered(restarts: restarts) }
  }

  /// Sends what waits for others to share its packet (`flushPolicy`): the end of a game's frame. It returns at once.
  public func flush() {
    driver.perform { [link] endpoint, now in Self.flush(link, endpoint, now) }
    driver.attend()
  }

  private static func flush(_ link: ClientLink, _ endpoint: ClientEndpoint, _ now: Instant) {
    link.work(endpoint, now)
    endpoint.flush(now: now)
  }

  /// Bytes queued for the server: not sent yet, or not acknowledged.
  public var queuedBytes: Int { link.queuedBytes }

  /// Returns once the queue is at most half full, after `queueFull` the time to try again; also when the session has
  /// ended or the task is cancelled.
  public func waitForRoom() async { await driver.carrying { [link] in await link.waitForRoom() } }

  // MARK: Resting

  /// Says that this player rests: the lobby, the end of a game. Once what was sent before has arrived, nothing at all
  /// is sent any more, and neither side misses the other until `restingLimit` (2 hours) has passed in silence.
  ///
  /// Any message of either side ends it, as ``resume()`` does. No router keeps its way open for as long as that: behind
  /// one the server's messages may not get here, so it is this client that must wake the session.
  public func rest() { if link.setResting(true) { callLoop() } }

  /// Takes ``rest()`` back, without a message. A rest that the server asked for goes on until somebody sends one.
  public func resume() { if link.setResting(false) { callLoop() } }

  // MARK: Moving

  /// Leaves the local address for another one, on purpose; the session goes on.
  ///
  /// An app need not do this: when the machine changes networks the client moves by itself, as soon as the system says
  /// so, and the app is told with `roamed`. A client that was given an address of its own (`bind`) stays there, and
  /// moves by this alone.
  /// - Parameter address: one of this machine's; port 0 lets the system choose.
  /// - Throws: `RoamkeyError`; the old address is kept then.
  public func rebind(to address: NetworkAddress) throws(RoamkeyError) {
    do throws(UDPError) {
      try driver.rebind(to: address) { endpoint, from, to, now in
        endpoint.localAddressChanged(from: from, to: to, now: now)
      }
    } catch {
      throw RoamkeyError(error)
    }
  }

  // MARK: The end

  /// Returns how the session ended, once it has; nil when the task was cancelled before.
  ///
  /// It takes no events: `disconnected` still stands at their end.
  public func waitUntilDisconnected() async -> EndReason? {
    await driver.carrying { [link] in await link.waitUntilEnded() }
    if case .ended(_, let reason) = link.phase { return reason }
    return nil
  }

  /// What it has counted so far, or until it was closed.
  public func statistics() async -> Statistics {
    let sockets = driver.statistics
    let current = await driver.ask { [link, recorder] endpoint, _ in
      Statistics(
        endpoint.statistics, sockets: sockets, unreadDropped: link.events.dropped,
        receiptsDropped: link.receipts.dropped,
        players: link.phase.isConnected ? 1 : 0, recorder: recorder?.counts)
    }
    return current ?? link.finalStatistics?.with(recorder)
      ?? Statistics(
        EndpointStatistics(), sockets: sockets, unreadDropped: link.events.dropped,
        receiptsDropped: link.receipts.dropped,
        players: 0, recorder: recorder?.counts)
  }

  /// How the session is doing: round trip, loss, queues, counts. Nil when there is none, or none yet after the server
  /// was started anew.
  public func sessionStatistics() async -> SessionStatistics? { await session()?.statistics }

  /// The same with the session's handle.
  package func session() async -> Watch.Session? {
    await driver.ask { [link] endpoint, now -> Watch.Session? in
      if case .reconnecting = link.phase { return nil }
      guard let peer = link.peer, let statistics = endpoint.sessionStatistics(now: now) else { return nil }
      return Watch.Session(handle: peer.handle, player: peer.id, statistics: statistics)
    } ?? nil
  }

  /// What the server has not confirmed of the reliable messages, in the order of each channel, once the session has
  /// ended: it may have got them or not. Empty before; what `reconnected` has handed back is not among them.
  public var undelivered: [Undelivered] { link.undelivered }

  /// Ends the session, tells the server, and stops. `disconnected` is the last event.
  /// - Parameter afterDelivery: waits until the server has acknowledged all that was queued, for as long as the
  ///   session lasts (`offlineLimit` where there is no network). When the task is cancelled, it no longer waits. If the
  ///   server is started anew meanwhile, what it has not confirmed is not sent again: see ``undelivered``.
  /// - Returns: how the session ended: `closed` when it was this call.
  @discardableResult
  public func close(afterDelivery: Bool = true) async -> EndReason {
    link.refuseMessages()
    driver.perform { [link] endpoint, now in
      // What was taken from the app before this comes before it here, too.
      Self.flush(link, endpoint, now)
      link.close(endpoint, afterDelivery: afterDelivery, now)
    }
    if afterDelivery { await driver.carrying { [link] in await link.waitUntilEnded() } }
    driver.perform { endpoint, now in endpoint.close(afterDelivery: false, now: now) }
    // A lost farewell is repeated for a moment, so that the server need not wait for us.
    await withDeadline(.seconds(2)) { [link, driver] in
      await driver.carrying { await link.waitUntilIdle() }
    }
    link.finalStatistics = await statistics()
    driver.stop()
    await recorder?.finish()
    link.events.finish()
    link.receipts.finish()
    if case .ended(_, let reason) = link.phase { return reason }
    return .closed
  }
}
