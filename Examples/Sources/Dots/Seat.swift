import Roamkey

/// A player's half of the game: what the server has said last, and what the player wants.
public struct Seat: Sendable {
  public private(set) var world = World()
  /// How many worlds were read.
  public private(set) var worlds = 0
  /// Why it is over, once it is.
  public private(set) var end: EndReason?
  public private(set) var isOffline = false
  /// What the player wants, and what the server was told of it.
  public var move = Move.stay
  private var told: Move?

  public init() {}

  /// The player's own dot.
  public var dot: Dot? { world.you.flatMap { world.dots.indices.contains($0) ? world.dots[$0] : nil } }

  /// One frame.
  public mutating func tick(_ client: some GameClient) {
    for event in client.takeEvents() {
      switch event {
      case .message(let message):
        guard message.action == "world", let newest = try? message.decode(World.self) else { continue }
        world = newest
        worlds += 1
      case .offline: isOffline = true
      case .online: isOffline = false
      case .reconnected: told = nil  // the new server has not heard what we want
      case .roamed, .serverRoamed: break
      case .disconnected(let reason): end = reason
      }
    }
    // Reliable, since it is said once; it may be said again in the next frame if there is no room now.
    if move != told, (try? client.send(move.rawValue, as: "move", priority: .high)) != nil { told = move }
    client.flush()
  }
}

/// Calls `body` 60 times a second until it says no.
public func everyFrame(_ body: () async throws -> Bool) async throws {
  let clock = SuspendingClock()
  var next = clock.now
  while try await body() {
    next = max(next + Dots.frame, clock.now - .milliseconds(100))
    try await clock.sleep(until: next, tolerance: .milliseconds(1))
  }
}

/// What both sides send with: all of a frame in one packet.
public func frameByFrame() -> RoamkeyConfiguration {
  var configuration = RoamkeyConfiguration()
  configuration.flushPolicy = .manual
  return configuration
}
