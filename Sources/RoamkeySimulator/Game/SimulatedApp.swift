import Roamkey
import RoamkeyEngine

/// The app's side of a process: what stands between a game and the engine. It is the same as over sockets, save that
/// the world is its loop.
protocol SimulatedApp: AnyObject {
  /// Does what the game has asked for.
  func work(now: Instant)
  /// Ends a turn: takes what the engine reported to the game.
  func turn(_ events: [EngineEvent], now: Instant)
}

/// The app of a client's process.
final class ClientApp: SimulatedApp {
  let link: ClientLink
  let endpoint: ClientEndpoint
  /// The game has asked for something since the last `work`.
  var isCalled = false

  init(_ endpoint: ClientEndpoint, _ configuration: RoamkeyConfiguration) {
    self.endpoint = endpoint
    link = ClientLink(configuration, clock: endpoint.clock)
  }

  func work(now: Instant) {
    guard isCalled else { return }
    workAtOnce(now: now)
  }

  func workAtOnce(now: Instant) {
    isCalled = false
    link.work(endpoint, now)
  }

  func turn(_ events: [EngineEvent], now: Instant) {
    // Names mean nothing here: there is nothing to be looked up.
    if link.turn(endpoint, now, after: events).work { isCalled = true }
  }
}

/// The app of a server's process.
final class ServerApp: SimulatedApp {
  let link: ServerLink
  let endpoint: ServerEndpoint

  init(_ endpoint: ServerEndpoint, _ configuration: RoamkeyConfiguration) {
    self.endpoint = endpoint
    link = ServerLink(configuration, clock: endpoint.clock)
  }

  func work(now: Instant) {
    if link.takeCall() { link.work(endpoint, now) }
  }

  func workAtOnce(now: Instant) {
    _ = link.takeCall()
    link.work(endpoint, now)
  }

  func turn(_ events: [EngineEvent], now: Instant) { link.turn(endpoint, now, after: events) }
}
