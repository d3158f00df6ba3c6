internal import Glibc
package import RoamkeyEngine

/// Looks for servers on the local network: a thread of its own.
package final class ServerSearch: Sendable {
  private struct State: Sendable {
    var statistics = DiscoveryStatistics()
    var stops = false
  }

  private let state: Locked<State>
  private let bell: Bell
  private let thread: LoopThread

  /// Opens the sockets and begins to ask.
  /// - Parameters:
  ///   - seeker: whom it looks for; handed over for good.
  ///   - onChange: called on the thread with the whole list, each time that it has changed.
  ///   - onEnd: called on the thread when it ends.
  package init(
    _ seeker: sending ServerSeeker, onChange: @escaping @Sendable ([FoundBeacon]) -> Void,
    onEnd: @escaping @Sendable () -> Void = {}
  ) throws(UDPError) {
    let state = Locked(State())
    do throws(SystemError) {
      let bell = try Bell()
      let loop = SearchLoop(seeker, try DiscoveryPort())
      thread = try LoopThread(name: "roamkey-seek") {
        DiscoveryPort.yieldToOthers()
        while !loop.seeker.isDone, !state.withLock({ $0.stops }) {
          if loop.turn() { onChange(loop.seeker.servers) }
          state.withLock { $0.statistics = loop.seeker.statistics }
          loop.wait(bell.number)
        }
        onEnd()
      }
      self.bell = bell
    } catch {
      throw UDPError(number: error.number, address: .any(port: 0))
    }
    self.state = state
  }

  deinit { stop() }

  /// What it has counted.
  package var statistics: DiscoveryStatistics { state.withLock { $0.statistics } }

  /// Ends, and waits for a call of `onChange` that is under way. May be called again, and from `onChange`.
  package func stop() {
    state.withLock { $0.stops = true }
    bell.ring()
    thread.join()
  }
}

/// What a search does, on its thread.
private final class SearchLoop {
  var seeker: ServerSeeker
  private let port: DiscoveryPort

  init(_ seeker: consuming ServerSeeker, _ port: DiscoveryPort) {
    self.seeker = seeker
    self.port = port
  }

  /// Sleeps until there is something to do, or the bell rings.
  func wait(_ bell: CInt) { DiscoveryPort.wait(port.descriptors + [bell], until: seeker.next) }

  /// - Returns: whether the list has changed.
  func turn() -> Bool {
    var hasChanged = false
    // What came while the thread did something else is an answer to an earlier question, so it comes first.
    port.receive { [port] datagram, arrival in
      if seeker.receive(datagram, arrival, links: port.links, now: .current) { hasChanged = true }
    }
    let now = Instant.current
    guard seeker.next <= now else { return hasChanged }
    if seeker.expire(now: now) { hasChanged = true }
    // A machine that moves asks on the links that it has now. A look that fails leaves those of the last one. It comes
    // before the question, whose time begins when it leaves.
    try? port.look()
    if let question = seeker.ask(now: .current) { port.broadcast(question) }
    return hasChanged
  }
}
