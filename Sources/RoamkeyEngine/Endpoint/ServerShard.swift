package import RoamkeyCrypto
internal import RoamkeyWire

/// What is one for all shards of a server, and may be asked from the thread of any: once when a session begins and once
/// when it ends, never for a packet.
package protocol ShardRegistry: AnyObject, Sendable {
  /// A number that no session has: they rise in the order in which sessions begin.
  func nextNumber() -> UInt64

  /// Gives a player a place; whoever has one already keeps it, and the session that had it until now is to be ended
  /// (`ServerEndpoint.supersede`) by whoever has the registry.
  /// - Returns: the number of the session; nil when there is no place left.
  func enter(_ player: PlayerID, prefix: UInt128, shard: Int, _ configuration: RoamkeyConfiguration) -> UInt64?

  /// Takes back the place of a session, if it still has one.
  func leave(_ player: PlayerID, number: UInt64)
}

/// One of several endpoints that are one server together, each on a thread of its own.
///
/// Each has the sessions that began with it. The connection ids that it gives out fall into its own part (`ShardMap`),
/// so that every other knows whom to hand a packet to that came to the wrong socket.
package struct ServerShard: Sendable {
  package var index: Int
  package var map: ShardMap
  /// The clock of all of them: messages carry one time to all players.
  package var clock: LocalClock
  package var registry: any ShardRegistry
  /// Hands a datagram over to another shard, which receives it as if it had come there; it may be lost.
  package var handOver: @Sendable (UnsafeRawBufferPointer, NetworkPath, _ shard: Int) -> Void
  /// Where the others verify signatures for this one while they are idle; nil where they do not.
  package var board: (any VerificationBoard)?

  package init(
    index: Int, map: ShardMap, clock: LocalClock, registry: any ShardRegistry,
    board: (any VerificationBoard)? = nil,
    handOver: @escaping @Sendable (UnsafeRawBufferPointer, NetworkPath, _ shard: Int) -> Void
  ) {
    precondition(map.count <= Self.most && index < map.count, "a server has 1 to 16 shards")
    self.index = index
    self.map = map
    self.clock = clock
    self.registry = registry
    self.board = board
    self.handOver = handOver
  }

  /// Shards of one server.
  package static let most = 16

  /// The handle of the session with this number, of a shard: they rise in the order in which sessions begin.
  package static func handle(_ number: UInt64, shard: Int) -> SessionHandle {
    SessionHandle(rawValue: number << 4 | UInt64(shard))
  }

  /// Which shard has a session.
  package static func shard(of handle: SessionHandle) -> Int { Int(handle.rawValue & 15) }

  /// The number of a session.
  static func number(of handle: SessionHandle) -> UInt64 { handle.rawValue >> 4 }
}

extension ServerEndpoint {
  /// Whether an id is another shard's; the datagram is handed over to it then.
  func isForeign(_ id: UInt64, _ datagram: RawSpan, path: NetworkPath) -> Bool {
    guard let shard else { return false }
    let owner = shard.map.shard(of: id)
    guard owner != shard.index else { return false }
    context.statistics.countHandedOver(datagram.byteCount)
    datagram.withUnsafeBytes { shard.handOver($0, path, owner) }
    return true
  }

  /// Whether an id may be given out here.
  func mayIssue(_ id: UInt64) -> Bool { shard.map { $0.map.shard(of: id) == $0.index } ?? true }

  /// The handle of the session that begins now.
  func nextHandle() -> SessionHandle {
    guard let shard else {
      lastHandle += 1
      return SessionHandle(rawValue: lastHandle)
    }
    return ServerShard.handle(shard.registry.nextNumber(), shard: shard.index)
  }
}
