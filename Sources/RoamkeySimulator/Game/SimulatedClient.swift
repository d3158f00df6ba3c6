public import Roamkey
public import RoamkeyCrypto
public import RoamkeyEngine

/// A client on the simulated network: what `Client` is over sockets, for code that asks for `some GameClient`.
///
/// It connects as soon as it is added; until it has, `send` throws `notConnected`. Like a real one it gives credit back
/// only for messages that were taken: who does not call ``takeEvents()`` holds up reliable senders.
public final class SimulatedClient: GameClient {
  /// How far its session is.
  public enum State: Sendable, Hashable {
    case connecting
    case connected
    /// The server has begun anew, and is being asked for another session; what is sent waits for that.
    case reconnecting
    /// There is no session, and will be none: what `Client.init` throws over sockets.
    case failed(ConnectError)
    /// The session has ended; ``Simulation/restart(_:after:keepsPort:)`` begins another.
    case disconnected(EndReason)
  }

  /// Who the player is.
  public let id: PlayerID
  /// Who the server is: the client accepts no other.
  public let serverID: PlayerID
  /// Its number among the clients of its simulation, from 0.
  public var number: Int { player.index }
  let world: SimulatedWorld
  let player: SimulatedPlayer
  private let configuration: RoamkeyConfiguration
  private var app: ClientApp

  init(_ player: SimulatedPlayer, in world: SimulatedWorld, configuration: RoamkeyConfiguration) {
    self.player = player
    self.world = world
    self.configuration = configuration
    id = player.id
    serverID = world.server.id
    app = ClientApp(player.client, configuration)
    player.host.process.app = app
  }

  /// Its process has begun anew: what the one before was told and did not take is gone.
  func attach() {
    app = ClientApp(player.client, configuration)
    player.host.process.app = app
  }

  // MARK: How it is

  /// How far its session is.
  public var state: State {
    switch app.link.phase {
    case .connecting: .connecting
    case .connected: .connected
    case .reconnecting: .reconnecting
    case .failed(let error): .failed(error)
    case .ended(_, let reason): .disconnected(reason)
    }
  }

  /// Whether it is connected.
  public var isConnected: Bool { state == .connected }

  /// Whether its process runs: false while it is suspended, or between two runs.
  public var isRunning: Bool { player.host.isRunning }

  /// The time by its machine's clock: what `age(at:)` of its messages wants. All machines show the same unless one has
  /// slept.
  public var time: GameTime { GameTime(now) }

  private var now: Instant { world.time(of: player.host) }

  /// How its session is doing; nil when there is none.
  public var sessionStatistics: SessionStatistics? { app.endpoint.sessionStatistics(now: now) }

  /// What its line did with the datagrams that it sent, since it was added.
  public var upstream: LinkStatistics { player.host.uplink.statistics }

  /// What its line did with the datagrams that were sent to it, since it was added.
  public var downstream: LinkStatistics { player.host.downlink.statistics }

  /// Messages of `latest` and `unreliable`, and receipts, that made room for newer ones since nobody took them.
  public var unreadDropped: UInt64 { app.link.unreadDropped }

  /// What the server has not confirmed of the reliable messages, once the session has ended; see `Client.undelivered`.
  public var undelivered: [Undelivered] { app.link.undelivered }

  // MARK: As over sockets

  public var serverName: String { app.link.phase.peer?.name ?? serverID.shortFingerprint }

  public var queuedBytes: Int { app.link.queuedBytes }

  public func send(_ message: Message, options: SendOptions) throws(SendError) {
    if try app.link.send(message, options, at: now) == true { call() }
  }

  public func takeEvents() -> [Client.Event] {
    let (events, calls) = app.link.takeEvents()
    if calls { call() }
    return events
  }

  public func takeReceipts() -> [Receipt] { app.link.takeReceipts() }

  public func flush() {
    let app = app
    world.whenRunning(player.host) { now in
      app.workAtOnce(now: now)
      app.endpoint.flush(now: now)
    }
  }

  public func rest() { if app.link.setResting(true) { call() } }

  public func resume() { if app.link.setResting(false) { call() } }

  /// Ends the session and tells the server; `disconnected` follows in the course of the simulation.
  /// - Parameter afterDelivery: first delivers what was queued, for as long as the session lasts.
  public func close(afterDelivery: Bool = true) {
    let app = app
    app.link.refuseMessages()
    world.whenRunning(player.host) { now in
      // What was taken from the game before this comes before it here, too.
      app.workAtOnce(now: now)
      app.endpoint.flush(now: now)
      app.link.close(app.endpoint, afterDelivery: afterDelivery, now)
    }
  }

  private func call() {
    app.isCalled = true
    world.touch(player.host)
  }
}
