public import RoamkeyCrypto
public import RoamkeyEngine
internal import RoamkeyUDP
public import RoamkeyWire

/// A server: lets players in by their keys, takes and sends messages, and follows players from address to address.
///
///     let server = try await Server(key: .load("keys/server.pem"), application: "galaxy/1", port: 7447)
///     for await event in server.events {
///         switch event {
///         case .joined(let player): server.send("welcome", to: player)
///         case .message(let message, let player): server.broadcast(message, from: player)
///         case .roamed, .offline, .online: break
///         case .left(let player, let reason): print(player, reason)
///         }
///     }
///
/// All of it may be called from any thread. One thread of its own carries the datagrams, or several (`threads`), or the
/// app's own (`loop`). A server that is let go without ``close()`` tells its players that it stops, but does not wait
/// for them to hear it.
public final class Server: Sendable {
  /// Whose key the server has: what clients pin.
  public let id: PlayerID
  /// Name and version of what is played.
  public let application: String
  /// The server's name for people; nil where it was given none.
  public let name: String?
  /// Why players will not come back by themselves when this server is started anew; nil where they will, and where
  /// there was to be no instance file.
  public let instanceFileError: InstanceFileError?
  /// Why nobody on the local network is answered; nil where they are, and where they were not to be.
  public let discoveryError: RoamkeyError?
  let link: ServerLink
  /// One for each thread.
  let drivers: [UDPDriver<ServerEndpoint>]
  /// Answers on the local network, where somebody is to.
  let announcer: BeaconAnnouncer?
  /// Keeps what players send, where somebody wants that.
  let recorder: Recorder?
  /// Locked for as long as the server runs.
  private let instance: Locked<InstanceID?>

  /// Begins to listen on all addresses of this machine.
  /// - Parameters:
  ///   - key: the server's key, handed over for good.
  ///   - application: name and version of what is played, such as `galaxy/1` (1 to 255 bytes): clients of another one
  ///     are turned away.
  ///   - port: the UDP port; 0 lets the system choose, ``address`` then tells.
  ///   - signingPolicy: whether every packet is signed, or only sealed.
  ///   - name: for people to read, at most 64 bytes without control characters; clients have it as
  ///     ``Client/serverName``.
  ///   - allow: where given, nobody else may join.
  ///   - deny: those who may not join.
  ///   - instanceFile: where it keeps what its players know it by after a restart, if anywhere.
  ///   - threads: how many threads carry datagrams, 1 to 16, each with the sessions that began on it. Several help
  ///     where a single core cannot sign and verify for all players; more than the machine has cores do not. One with
  ///     nothing to do verifies for one that has much.
  ///   - loop: leave it, unless the game's own thread is to do all the work (``LoopMode/polled``).
  ///   - discovery: whether those who ask on the local network are told that it is there.
  ///   - configuration: limits and timers. Limits of players hold for all threads together, those of handshakes under
  ///     way for each.
  /// - Throws: `RoamkeyError`, for instance when the port is in use. No reason is an instance file that cannot
  ///   be used (``instanceFileError``), nor that the local network cannot be answered (``discoveryError``).
  public convenience init(
    key: consuming PlayerKey, application: String, port: Int = 7447, signingPolicy: SigningPolicy = .everyPacket,
    name: String? = nil, allow: Set<PlayerID>? = nil, deny: Set<PlayerID> = [], instanceFile: InstanceFile = .besideKey,
    threads: Int = 1, loop: LoopMode = .ownThread, discovery: Discovery = .localNetwork,
    configuration: RoamkeyConfiguration = .init()
  ) async throws(RoamkeyError) {
    try await self.init(
      key: key, application: application, listen: .any(port: RoamkeyError.port(port)), signingPolicy: signingPolicy,
      name: name, allow: allow, deny: deny, instanceFile: instanceFile, threads: threads, loop: loop,
      discovery: discovery, configuration: configuration)
  }

  /// Begins to listen on one address of this machine.
  ///
  /// Parameters and errors are those of the initialiser with a port.
  public init(
    key: consuming PlayerKey, application: String, listen: NetworkAddress, signingPolicy: SigningPolicy = .everyPacket,
    name: String? = nil, allow: Set<PlayerID>? = nil, deny: Set<PlayerID> = [], instanceFile: InstanceFile = .besideKey,
    threads: Int = 1, loop: LoopMode = .ownThread, discovery: Discovery = .localNetwork,
    configuration: RoamkeyConfiguration = .init()
  ) async throws(RoamkeyError) {
    try RoamkeyError.check(application: application, name: name)
    try RoamkeyError.check(threads: threads, loop)
    var settings = ServerSettings(application: application)
    settings.signingPolicy = signingPolicy
    settings.displayName = name
    settings.access = Self.accessList(allow, deny)
    id = key.id
    self.application = application
    self.name = name
    let (instance, problem) = Self.takeInstance(instanceFile, key.file)
    settings.instance = instance?.value
    self.instance = Locked(instance)
    instanceFileError = problem
    let signer = Self.signer(key, discovery, configuration)
    let recorder = try Recorder.make(key, configuration, signingPolicy)
    self.recorder = recorder
    do throws(UDPError) {
      (link, drivers) =
        threads == 1
        ? try Self.start(key, settings, configuration, listen: listen, loop, recorder)
        : try Self.start(key, settings, configuration, listen: listen, threads: threads, recorder)
    } catch {
      await recorder?.finish()
      throw RoamkeyError(error)
    }
    let announcement = ServerAnnouncement(application: application, name: name, address: drivers[0].localAddress)
    (announcer, discoveryError) = Self.announce(
      announcement, signer, link, capacity: configuration.maximumSessions, loop)
    for (shard, driver) in drivers.enumerated() { link.attach(driver, shard: shard) }
  }

  private static func takeInstance(
    _ place: InstanceFile, _ keyFile: String?
  ) -> (InstanceID?, InstanceFileError?) {
    let path: String? =
      switch place {
      case .besideKey: keyFile.map { InstanceID.path(besideKeyFile: $0) }
      case .path(let path): path
      case .none: nil
      }
    guard let path else { return (nil, nil) }
    do throws(InstanceFileError) {
      return (try InstanceID(file: path), nil)
    } catch {
      return (nil, error)
    }
  }

  deinit {
    announcer?.stop()
    if link.beginClosing() { perform { endpoint, now in endpoint.shutdown(now: now) } }
    for driver in drivers { driver.stop() }
    recorder?.stop()
    link.endClosing()
  }

  /// The address it listens on, with the port that the system chose.
  public var address: NetworkAddress { drivers[0].localAddress }

  /// Those who are in, in the order in which they came.
  public var players: [PlayerID] { link.players }

  /// Where a player's packets come from now, or came from last; nil for one whose `left` was taken.
  public func address(of player: PlayerID) -> NetworkAddress? { link.address(of: player) }

  /// What to call a player: the name that it came with (`Client(name:)`), or two words of its key's fingerprint.
  ///
  /// A name is for people to read. It is free of what disturbs a line of text, and also known for a while after `left`
  /// (of the last 1024 who had one). It proves nothing, and two players may have the same: who somebody is, the
  /// `PlayerID` tells.
  public func name(of player: PlayerID) -> String { link.name(of: player) ?? player.shortFingerprint }

  /// The number of a player's session, which is another one once the player has left and come back; nil for one who is
  /// not in.
  public func sessionNumber(of player: PlayerID) -> UInt64? { link.handle(of: player)?.rawValue }

  // MARK: Events

  /// What happens, for a loop of its own: `for await event in server.events`.
  ///
  /// Ends after ``close()``. A loop that is left and entered again goes on where it was; two loops share the events
  /// between them. A reader that is slow holds up the senders, not the memory: their messages wait with them.
  public var events: some AsyncSequence<Event, Never> & Sendable {
    EventSequence(
      queue: link.events, onTaken: { event, cost, isLast in self.link.taken(event, cost, isLast: isLast) })
  }

  /// What has happened since the last time, without waiting: for a game loop that asks once a frame.
  public func takeEvents() -> [Event] {
    drivers[0].look()
    announcer?.look()
    return link.takeEvents()
  }

  // MARK: Receipts

  /// What became of the messages that were sent with a `receipt`, for a loop of its own.
  ///
  /// Ends after ``close()``. Receipts that are not taken cost no memory without end: of many the newest are kept,
  /// and ``Statistics/receiptsDropped`` counts the others.
  public var receipts: some AsyncSequence<Receipt, Never> & Sendable {
    // Like `events` it keeps the server for as long as somebody reads.
    EventSequence(queue: link.receipts, onTaken: { _, _, _ in withExtendedLifetime(self) {} })
  }

  /// The receipts since the last time, without waiting: for a game loop that asks once a frame.
  public func takeReceipts() -> [Receipt] { link.takeReceipts() }

  // MARK: Messages

  /// Sends a message to a player. If it has an author, the player is told so in the server's word.
  ///
  /// The `send` of every day takes the options one by one, and a text or bytes as well.
  /// - Returns: nil when it is queued, else why not; nothing of it was sent then.
  @discardableResult
  public func send(_ message: Message, to player: PlayerID, options: SendOptions) -> SendError? {
    link.send(message, options, to: [player], at: .current)[player]
  }

  /// Sends a message to some players; one who is named twice gets it once.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  public func send(_ message: Message, to players: [PlayerID], options: SendOptions) -> [PlayerID: SendError] {
    link.send(message, options, to: players.withoutRepetitions, at: .current)
  }

  /// Sends a message to all players, or passes a player's message on to all the others, with the player as its author;
  /// `exceptions` do not get it.
  /// - Returns: to whom it could not be queued, and why; empty when all is well.
  @discardableResult
  public func broadcast(
    _ message: Message, from author: PlayerID?, except exceptions: Set<PlayerID>, options: SendOptions
  ) -> [PlayerID: SendError] {
    link.send(
      author.map { message.by($0) } ?? message, options, to: nil, author: author, except: exceptions, at: .current)
  }

  /// Sends what waits for others to share its packet (`flushPolicy`): the end of a game's frame. It returns at once.
  public func flush() {
    perform { [link] endpoint, now in
      link.work(endpoint, now)
      endpoint.flush(now: now)
    }
    drivers[0].attend()
  }

  /// Bytes queued for a player: not sent yet, or not acknowledged.
  public func queuedBytes(of player: PlayerID) -> Int { link.queuedBytes(of: player) }

  /// Returns once a player's queue is at most half full, after `queueFull` the time to try again; also when the player
  /// has left or the task is cancelled. There is no time limit: a player without a network takes nothing for minutes.
  public func waitForRoom(for player: PlayerID) async {
    await drivers[0].carrying { [link] in await link.waitForRoom(for: player) }
  }

  // MARK: Players

  /// Says that a player rests: the lobby, the end of a game. Once what was sent before has arrived, nothing at all is
  /// sent any more, and neither side misses the other until `restingLimit` (2 hours) has passed in silence.
  ///
  /// Any message of either side ends it, as ``resume(_:)`` does. A player behind a router that has forgotten the way
  /// cannot be reached any more: only the player itself can wake such a session. Of one who is not in it means nothing.
  public func rest(_ player: PlayerID) { link.setResting(true, of: player) }

  /// Takes ``rest(_:)`` back, without a message. A rest that the player asked for goes on until somebody sends one.
  public func resume(_ player: PlayerID) { link.setResting(false, of: player) }

  /// Puts a player out. What was queued for it is not delivered any more; `left` follows.
  /// - Parameters:
  ///   - player: who; nothing happens where it is not in.
  ///   - reason: for the player to read (``EndReason/kicked(_:)``); only the first 128 bytes get there.
  public func kick(_ player: PlayerID, reason: String = "") { close(player, .kicked, reason) }

  /// Ends the session of a player who does not keep up, so that the others need not wait: `left` follows, and both
  /// sides are told `tooSlow`.
  public func dropSlow(_ player: PlayerID) { close(player, .tooSlow, "") }

  private func close(_ player: PlayerID, _ code: CloseCode, _ reason: String) {
    guard let handle = link.handle(of: player) else { return }
    let reason = reason.prefix(utf8Count: CloseFrame.maximumReason)
    driver(of: handle).perform { endpoint, now in endpoint.close(handle, code: code, reason: reason, now: now) }
  }

  /// Replaces the lists of who may join. Players who are in and may no longer be are put out.
  /// - Parameters:
  ///   - allow: where given, nobody else may join.
  ///   - deny: those who may not join.
  public func updateAccess(allow: Set<PlayerID>?, deny: Set<PlayerID> = []) {
    let access = Self.accessList(allow, deny)
    // All of it on the loops: who joins at this moment is known there first.
    perform { endpoint, now in
      endpoint.updateAccess(access, reason: "not on the list any more", bannedReason: "banned", now: now)
    }
  }

  private static func accessList(_ allow: Set<PlayerID>?, _ deny: Set<PlayerID>) -> AccessList {
    var list = AccessList()
    list.allowed = allow
    list.denied = deny
    return list
  }

  // MARK: The end

  /// What it has counted so far, or until it was closed; of all threads together.
  public func statistics() async -> Statistics {
    let sockets = sockets
    var endpoints = EndpointStatistics()
    for driver in drivers {
      let current = await driver.ask { endpoint, _ in endpoint.statistics }
      if current == nil, let final = link.finalStatistics { return final.with(recorder) }
      if let current { endpoints.add(current) }
    }
    return Statistics(
      endpoints, sockets: sockets, unreadDropped: link.events.dropped, receiptsDropped: link.receipts.dropped,
      players: link.isStopped ? 0 : link.players.count, recorder: recorder?.counts)
  }

  /// How a player's session is doing: round trip, loss, queues, counts. Nil for one who is not in.
  public func statistics(of player: PlayerID) async -> SessionStatistics? {
    guard let handle = link.handle(of: player) else { return nil }
    return await driver(of: handle).ask { endpoint, now in endpoint.statistics(of: handle, now: now) } ?? nil
  }

  /// How all sessions are doing, in the order in which they began.
  package func sessions() async -> [Watch.Session] {
    let open = link.sessions
    var found: [Watch.Session] = []
    for driver in drivers {
      found +=
        await driver.ask { endpoint, now in
          open.compactMap { handle, player in
            endpoint.statistics(of: handle, now: now)
              .map { Watch.Session(handle: handle, player: player, statistics: $0) }
          }
        } ?? []
    }
    return found.sorted { $0.handle.rawValue < $1.handle.rawValue }
  }

  /// Ends all sessions, tells the players, and stops. The events end after it.
  ///
  /// What was queued is not delivered any more. It takes as long as the players need to hear it, at most 3 s.
  public func close() async {
    guard link.beginClosing() else { return await link.waitUntilStopped() }
    announcer?.stop()
    perform { endpoint, now in endpoint.shutdown(now: now) }
    await withDeadline(.seconds(3)) { [link, drivers] in
      await drivers[0].carrying { await link.waitUntilIdle() }
    }
    link.finalStatistics = await statistics()
    for driver in drivers { driver.stop() }
    await recorder?.finish()
    instance.withLock { $0 = nil }
    link.events.finish()
    link.receipts.finish()
    link.endClosing()
  }

  // MARK: Threads

  /// What the sockets of all threads have carried and lost.
  var sockets: SocketStatistics {
    var sum = SocketStatistics()
    for driver in drivers { sum.add(driver.statistics) }
    return sum
  }

  private func perform(_ work: @escaping @Sendable (ServerEndpoint, Instant) -> Void) {
    for driver in drivers { driver.perform(work) }
  }

  private func driver(of handle: SessionHandle) -> UDPDriver<ServerEndpoint> {
    drivers[drivers.count == 1 ? 0 : ServerShard.shard(of: handle)]
  }
}
