internal import Glibc
package import RoamkeyCrypto
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
  ///   - application: what is played; nil: whatever it is.
  ///   - only: the only key that is looked for; nil: any.
  ///   - questions: after so many, and the time for their answers, it ends by itself; nil: it does not.
  ///   - onChange: called on the thread with the whole list, each time that it has changed.
  ///   - onEnd: called on the thread when it ends.
  package init(
    for application: String?, only: PlayerID? = nil, questions: UInt64? = nil,
    onChange: @escaping @Sendable ([FoundBeacon]) -> Void, onEnd: @escaping @Sendable () -> Void = {}
  ) throws(UDPError) {
    let state = Locked(State())
    do throws(SystemError) {
      let bell = try Bell()
      let port = try DiscoveryPort()
      thread = try LoopThread(name: "roamkey-seek") {
        DiscoveryPort.yieldToOthers()
        var seeker = ServerSeeker(
          application: application, only: only, questions: questions, entropy: .system, now: .current)
        while !seeker.isDone, !state.withLock({ $0.stops }) {
          if Self.turn(&seeker, port) { onChange(seeker.servers) }
          state.withLock { $0.statistics = seeker.statistics }
          DiscoveryPort.wait(port.descriptors + [bell.number], until: seeker.next)
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

  private static func turn(_ seeker: inout ServerSeeker, _ port: DiscoveryPort) -> Bool {
    var hasChanged = false
    // What came while the thread did something else is an answer to an earlier question, so it comes first.
    port.receive { datagram, arrival in
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
