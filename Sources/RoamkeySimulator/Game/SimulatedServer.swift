public import Roamkey
public import RoamkeyCrypto
public import RoamkeyEngine
public import RoamkeyWire

/// The server on the simulated network: what `Server` is over sockets, for code that asks for `some GameServer`.
///
/// Like a real one it gives credit back only for messages that were taken: who does not call ``takeEvents()`` holds up
/// reliable senders.
public final class SimulatedServer: GameServer {
  /// Who the server is.
  public let id: PlayerID
  private let world: SimulatedWorld
  private var app: ServerApp

  init(in world: SimulatedWorld) {
    self.world = world
    id = world.server.id
    app = ServerApp(world.server, world.configuration)
    world.serverHost.process.app = app
  }

  /// Its process has begun anew: it knows nobody.
  func attach() {
    app = ServerApp(world.server, world.configuration)
    world.serverHost.process.app = app
  }

  // MARK: How it is

  /// Where it is reached.
  public var address: NetworkAddress { world.serverHost.outside }

  /// Whether its process runs: false between two runs.
  public var isRunning: Bool { world.serverHost.isRunning }

  /// The time by its machine's clock: what `age(at:)` of its messages wants.
  public var time: GameTime { GameTime(now) }

  private var now: Instant { world.time(of: world.serverHost) }

  /// How a player's session is doing; nil for one who is not in.
  public func statistics(of player: PlayerID) -> SessionStatistics? {
    app.link.handle(of: player).flatMap { app.endpoint.statistics(of: $0, now: now) }
  }

  /// What its line did with the datagrams that it sent, since the simulation began.
  public var upstream: LinkStatistics { world.serverHost.uplink.statistics }

  /// What its line did with the datagrams that were sent to it, since the simulation began.
  public var downstream: LinkStatistics { world.serverHost.downlink.statistics }

  /// Datagrams that its process has dropped: they were no packets of anybody who is in, or were seen before.
  public var datagramsDropped: UInt64 { world.server.statistics.dropped }

  /// Messages of `latest` and `unreliable`, and receipts, that made room for newer ones since nobody took them.
  public var unreadDropped: UInt64 { app.link.unreadDropped }

  // MARK: As over sockets

  public var players: [PlayerID] { app.link.players }

  /// Where a player's packets come from now, or came from last; nil for one whose `left` was taken.
  public func address(of player: PlayerID) -> NetworkAddress? { app.link.address(of: player) }

  /// Replaces the lists of who may join, until the process ends. Players who are in and may no longer be are put out.
  /// - Parameters:
  ///   - allow: where given, nobody else may join.
  ///   - deny: those who may not join.
  public func updateAccess(allow: Set<PlayerID>?, deny: Set<PlayerID> = []) {
    var access = AccessList()
    access.allowed = allow
    access.denied = deny
    let world = world
    world.whenRunning(world.serverHost) { now in
      world.server.updateAccess(
        access, reason: "not on the list any more", bannedReason: "banned", now: now)
    }
  }

  public func name(of player: PlayerID) -> String { app.link.name(of: player) ?? player.shortFingerprint }

  public func sessionNumber(of player: PlayerID) -> UInt64? { app.link.handle(of: player)?.rawValue }

  @discardableResult
  public func send(_ message: Message, to player: PlayerID, options: SendOptions) -> SendError? {
    defer { world.touch(world.serverHost) }
    return app.link.send(message, options, to: [player], at: now)[player]
  }

  @discardableResult
  public func send(_ message: Message, to players: [PlayerID], options: SendOptions) -> [PlayerID: SendError] {
    defer { world.touch(world.serverHost) }
    return app.link.send(message, options, to: players.withoutRepetitions, at: now)
  }

  @discardableResult
  public func broadcast(
    _ message: Message, from author: PlayerID?, except exceptions: Set<PlayerID>, options: SendOptions
  ) -> [PlayerID: SendError] {
    defer { world.touch(world.serverHost) }
    // The players one by one, in their order: that of a dictionary differs from run to run.
    return app.link.send(
      author.map { message.by($0) } ?? message, options, to: players, author: author, except: exceptions, at: now)
  }

  public func takeEvents() -> [Server.Event] {
    defer { world.touch(world.serverHost) }
    return app.link.takeEvents()
  }

  public func takeReceipts() -> [Receipt] { app.link.takeReceipts() }

  public func queuedBytes(of player: PlayerID) -> Int { app.link.queuedBytes(of: player) }

  public func flush() {
    let app = app
    world.whenRunning(world.serverHost) { now in
      app.workAtOnce(now: now)
      app.endpoint.flush(now: now)
    }
  }

  public func rest(_ player: PlayerID) { setResting(true, player) }

  public func resume(_ player: PlayerID) { setResting(false, player) }

  private func setResting(_ isResting: Bool, _ player: PlayerID) {
    app.link.setResting(isResting, of: player)
    world.touch(world.serverHost)
  }

  public func kick(_ player: PlayerID, reason: String = "") {
    close(player, .kicked, reason.prefix(utf8Count: CloseFrame.maximumReason))
  }

  public func dropSlow(_ player: PlayerID) { close(player, .tooSlow, "") }

  private func close(_ player: PlayerID, _ code: CloseCode, _ reason: String) {
    if let handle = app.link.handle(of: player) { world.close(handle, code: code, reason: reason) }
  }
}
