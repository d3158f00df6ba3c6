import Roamkey

// The listings of docs/GUIDE.md that nothing here runs: that they compile is what is tested of them.

/// What the game says on which channel.
enum Channel {
  static let chat: UInt8 = 0
  static let level: UInt8 = 1
  static let ship: UInt8 = 2
  static let turret: UInt8 = 3
}

extension Sector {
  func tell(_ server: some GameServer, _ killer: PlayerID, _ level: [UInt8], to player: PlayerID) {
    // Each kill counts, in whatever order.
    server.broadcast("\(killer)", as: "kill", delivery: .reliableUnordered)
    // A hundred kilobytes: cut up, and sent beside everything else.
    server.send(level, as: "level", to: player, priority: .low, channel: Channel.level)
  }
}

extension GameClient {
  func fire() throws(SendError) {
    try send("fire", as: "fire", delivery: .reliableUnordered, priority: .high, expires: .milliseconds(200))
  }
}

struct Shop {
  private var pending: [UInt64: String] = [:]
  private var next: UInt64 = 0

  mutating func sell(_ item: String, to player: PlayerID, _ server: some GameServer) {
    next += 1
    pending[next] = item
    server.send(item, as: "bought", to: player, expires: .seconds(30), receipt: next)
  }

  mutating func tick(_ server: some GameServer) {
    for receipt in server.takeReceipts() {
      guard let item = pending.removeValue(forKey: receipt.number) else { continue }
      switch receipt.outcome {
      case .delivered: print("\(receipt.player) has \(item)")
      case .expired, .superseded, .lost: print("\(receipt.player) was not told of \(item), as far as can be told")
      }
    }
  }
}

func settings() -> RoamkeyConfiguration {
  var configuration = RoamkeyConfiguration()
  configuration.flushPolicy = .manual  // or .after(.milliseconds(5))
  return configuration
}

extension Sector {
  func tellResult(_ result: String, to player: PlayerID, _ server: some GameServer) -> Bool {
    switch server.send(result, as: "result", to: player) {
    case nil: return true
    case .queueFull: return false  // try again in the next frame
    case .tooLarge, .notConnected, .notEncodable: return true  // no use to try again
    }
  }

  /// For whom more than half a mebibyte waits: a picture a second would do.
  func isSlow(_ player: PlayerID, _ server: some GameServer) -> Bool { server.queuedBytes(of: player) > 512 << 10 }
}

struct Lobby {
  var isOpen = false

  mutating func open(_ client: some GameClient) {
    isOpen = true
    client.rest()
  }

  mutating func ready(_ client: some GameClient) throws(SendError) {
    isOpen = false
    try client.send("ready", as: "lobby")  // wakes the session
  }
}

struct Rewind {
  /// The world of the last frames, the oldest first.
  private var frames: [(at: SuspendingClock.Instant, ships: [PlayerID: Ship])] = []
  /// How far back anybody is believed.
  static let limit = Duration.milliseconds(250)

  mutating func remember(_ sector: Sector, at now: SuspendingClock.Instant) {
    frames.append((now, sector.ships))
    frames.removeAll { now - $0.at > Self.limit }
  }

  func world(for shot: Message, at now: SuspendingClock.Instant) -> [PlayerID: Ship]? {
    let firedAt = now - min(shot.age(at: now), Self.limit)
    return frames.last { $0.at <= firedAt }?.ships ?? frames.first?.ships
  }
}

func describe(_ client: Client) async -> String {
  guard let session = await client.sessionStatistics() else { return "no session" }
  let trip = session.roundTrip.map { "\($0)" } ?? "not measured yet"
  return "round trip \(trip), jitter \(session.jitter), loss \(session.loss), queued \(session.queuedBytes) bytes"
}

func describe(_ server: Server) async -> [PlayerID: SessionStatistics] {
  var result: [PlayerID: SessionStatistics] = [:]
  for player in server.players { result[player] = await server.statistics(of: player) }
  return result
}
