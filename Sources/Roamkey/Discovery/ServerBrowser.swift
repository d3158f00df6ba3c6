internal import RoamkeyCrypto
public import RoamkeyEngine
internal import RoamkeyUDP
internal import RoamkeyWire

/// Looks for servers on the local network for as long as it lives.
///
///     let browser = try ServerBrowser(for: "galaxy/1")
///     for await servers in browser.changes { show(servers) }
///
/// It asks three times in the first 300 ms, then each second. A server that says goodbye is gone at once, one that
/// falls silent after 3.5 s. All of it may be called from any thread; one thread of its own does the work.
public final class ServerBrowser: Sendable {
  let list: Monitor<FoundServers>
  private let search: ServerSearch

  /// Begins to look.
  /// - Parameter application: name and version of what is played (1 to 255 bytes); nil: whatever it is.
  /// - Throws: `RoamkeyError`: no application's name, or the system gives no socket.
  public init(for application: String? = nil) throws(RoamkeyError) {
    if let application { try RoamkeyError.check(application: application) }
    let list = Monitor(FoundServers())
    do throws(UDPError) {
      let seeker = ServerSeeker(application: application, entropy: .system, now: .current)
      search = try ServerSearch(seeker) { found in
        let servers = found.map { FoundServer($0) }.sorted { $0.isListed(before: $1) }
        list.withLock { $0.servers = servers }
      }
    } catch {
      throw RoamkeyError(error)
    }
    self.list = list
  }

  deinit { stop() }

  /// Those that there are now, by name, then by id; those without a name come last. At most 256.
  public var servers: [FoundServer] { list.withLock { $0.servers } }

  /// The list, at once and then anew each time that it has changed. Of several changes that a slow reader has missed it
  /// gets the last. Ends after ``stop()``, and when the task is cancelled.
  ///
  /// A round trip alone changes the list when it is off by a quarter. It keeps the browser for as long as somebody
  /// reads.
  public var changes: some AsyncSequence<[FoundServer], Never> & Sendable { FoundServerSequence(browser: self) }

  /// What it has asked, heard and dropped so far.
  public var statistics: DiscoveryStatistics { search.statistics }

  /// Looks no more. The list stays as it is.
  public func stop() {
    search.stop()
    list.withLock { $0.isStopped = true }
  }
}

/// What a browser knows.
struct FoundServers: Sendable {
  var servers: [FoundServer] = [] {
    didSet { version += 1 }
  }
  /// Counts the changes of the list.
  private(set) var version = 1
  var isStopped = false
}

extension FoundServer {
  fileprivate init(_ found: FoundBeacon) {
    self.init(
      id: found.server, name: found.name.flatMap(DisplayText.name), application: found.application,
      address: found.address, players: found.players, capacity: found.capacity, roundTrip: found.roundTrip)
  }

  fileprivate func isListed(before other: FoundServer) -> Bool {
    switch (name, other.name) {
    case (let name?, let other?) where name != other: name < other
    case (.some, nil): true
    case (nil, .some): false
    default: id.publicKey.bytes.lexicographicallyPrecedes(other.id.publicKey.bytes)
    }
  }
}

/// A browser's list, each time that it has changed.
struct FoundServerSequence: AsyncSequence, Sendable {
  let browser: ServerBrowser

  struct Iterator: AsyncIteratorProtocol {
    let browser: ServerBrowser
    private var seen = 0

    init(_ browser: ServerBrowser) { self.browser = browser }

    /// The next list; nil once the browser has stopped, or when the task was cancelled.
    mutating func next(isolation: isolated (any Actor)?) async -> [FoundServer]? {
      let seen = seen
      await browser.list.wait(isolation: isolation) { $0.version != seen || $0.isStopped }
      if Task.isCancelled { return nil }
      let list = browser.list.withLock { $0 }
      // What changed before the stop is still told.
      guard list.version != seen else { return nil }
      self.seen = list.version
      return list.servers
    }

    mutating func next() async -> [FoundServer]? { await next(isolation: nil) }
  }

  func makeAsyncIterator() -> Iterator { Iterator(browser) }
}
