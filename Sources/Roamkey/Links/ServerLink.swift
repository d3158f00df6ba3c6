internal import RoamkeyCrypto
package import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

/// What a server's app and its loops share. All sides hold it for moments only, under one lock.
///
/// There is a loop for each shard of the server (`ServerShard`), nearly always a single one. What is asked of a session
/// goes to the loop that has it; what happened goes into one list, in the order of the turns. The app's side is in
/// ServerLink+App.swift, the loops' in ServerLink+Loop.swift.
package final class ServerLink: Sendable {
  struct Session: Sendable {
    var player: PlayerID
    var address: NetworkAddress
  }

  struct State: Sendable {
    var sessions: [SessionHandle: Session] = [:]
    var handles: [PlayerID: SessionHandle] = [:]
    /// Where those were last whose `left` the app has not taken yet.
    var departed: [PlayerID: NetworkAddress] = [:]
    var names = NameBook()
    /// One for each shard.
    var ledgers: [Ledger]
    /// Whose message came last: many come at once, and need not be looked up one by one.
    var last: (handle: SessionHandle, player: PlayerID)?
    /// Sessions that began when the app had too much unread; ended before anybody hears of them.
    var unwelcome: Set<SessionHandle> = []
    /// Whether each shard has nothing more to send.
    var isIdle: [Bool]
    var isClosed = false
    var isStopped = false
    var finalStatistics: Statistics?

    /// Which shard has a session.
    func shard(of handle: SessionHandle) -> Int { ledgers.count == 1 ? 0 : ServerShard.shard(of: handle) }
  }

  /// A loop's own, reused from turn to turn.
  struct Scratch: Sendable {
    var work = Ledger.Work()
    var events = EventBatch<Server.Event>()
    var receipts = EventBatch<Receipt>()
    var toClose: [SessionHandle] = []
  }

  /// Weak, since the driver holds the link.
  private struct Driver: Sendable {
    weak var driver: UDPDriver<ServerEndpoint>?
    /// A call that waits for a loop that is no driver's.
    var isCalled = false
  }

  let events: EventQueue<Server.Event>
  let receipts: EventQueue<Receipt>
  let configuration: RoamkeyConfiguration
  let clock: LocalClock
  let monitor: Monitor<State>
  /// One for each shard. Only its loop takes the lock, so it is never contended.
  let scratch: [Locked<Scratch>]
  /// What the loops of several shards take turns with, so that events come in the order in which they were applied: the
  /// number of such turns.
  let order = Locked(0)
  private let drivers: Locked<[Driver]>

  /// - Parameters:
  ///   - clock: what messages say when they were sent by.
  ///   - shards: how many loops there are.
  package init(_ configuration: RoamkeyConfiguration, clock: LocalClock, shards: Int = 1) {
    self.configuration = configuration
    self.clock = clock
    events = EventQueue(
      unreliableLimit: configuration.unreadUnreliableLimit, blank: .online(PlayerID(publicKey: Digest())))
    receipts = EventQueue(eventLimit: configuration.unreadEventLimit, blank: .blank)
    scratch = (0..<shards).map { _ in Locked(Scratch()) }
    drivers = Locked(Array(repeating: Driver(), count: shards))
    monitor = Monitor(
      State(
        ledgers: Array(repeating: Ledger(configuration), count: shards),
        isIdle: Array(repeating: false, count: shards)))
  }

  /// Tells whose loop it is. Without a driver whoever runs the loop asks `takeCall`.
  func attach(_ driver: UDPDriver<ServerEndpoint>, shard: Int) { drivers.withLock { $0[shard].driver = driver } }

  /// Makes the loops come for what is to be done.
  func callLoops(_ shards: ShardSet) {
    for shard in shards {
      let driver = drivers.withLock { holders in
        if holders[shard].driver == nil { holders[shard].isCalled = true }
        return holders[shard].driver
      }
      driver?.perform { [self] endpoint, now in work(endpoint, now) }
    }
  }

  /// Ends a session whose player has come to another shard.
  func supersede(_ handle: SessionHandle) {
    let driver = drivers.withLock { $0[ServerShard.shard(of: handle)].driver }
    driver?.perform { endpoint, now in endpoint.supersede(handle, now: now) }
  }

  /// Whether there is something to be done since the last time, where no driver was attached.
  package func takeCall() -> Bool {
    drivers.withLock { holders in
      defer { holders[0].isCalled = false }
      return holders[0].isCalled
    }
  }
}
