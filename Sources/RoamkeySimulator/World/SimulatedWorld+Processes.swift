package import RoamkeyEngine

/// Processes that end, begin anew, and stand still.
extension SimulatedWorld {
  // MARK: Restarts

  /// The host's process ends without a word to anybody. What it was, `host.process` still tells.
  package func crash(_ host: SimulatedHost) {
    host.state = .stopped
    trace.note(UInt64(host.index) | 1 << 61)
    // The socket is closed, with what was in it.
    if !host.socketBuffer.isEmpty { miss(host.socketBuffer.count, at: host) }
    host.socketBuffer.removeAll()
    host.socketBufferBytes = 0
    host.notices.removeAll()
    host.scheduledWake = nil
  }

  /// The player's process ends without a word and begins anew with the same key: it connects to where it was told to
  /// before.
  /// - Parameters:
  ///   - downtime: how long nothing runs.
  ///   - keepsPort: whether it gets the port that it had: what is sent to the process before reaches this one then.
  package func restart(_ player: SimulatedPlayer, after downtime: Duration = .zero, keepsPort: Bool = false) {
    let host = player.host
    player.client = player.origin.endpoint(.seeded(random.next()))
    replaceProcess(of: host, with: player.client)
    if !keepsPort { host.port = host.freshPort() }
    start(host.process, on: host, after: downtime) { $0.connect(player, to: player.candidates) }
  }

  /// The server's process ends without a word and begins anew, with the same key where its host is: sessions from
  /// before are unknown to it.
  /// - Parameter keepsInstance: whether it is the same server at the same place, whose word clients take for the end of
  ///   their sessions; or another one with a copied key.
  package func restartServer(after downtime: Duration = .zero, keepsInstance: Bool = true) {
    if !keepsInstance { serverSettings.instance = Self.instance(random.next()) }
    server = ServerEndpoint(
      key: Self.serverKey(serverSeed), settings: serverSettings, configuration: configuration,
      entropy: .seeded(random.next()))
    replaceProcess(of: serverHost, with: server)
    // Who had proven an address has proven it to a process that is gone.
    ledger = AmplificationLedger()
    for player in players { player.host.proofs = Proofs() }
    start(serverHost.process, on: serverHost, after: downtime) { _ in }
  }

  private func replaceProcess(of host: SimulatedHost, with endpoint: any SimulatedEndpoint) {
    crash(host)
    host.formerProcesses.append(host.process)
    host.process = SimulatedProcess(endpoint)
    host.proofs = Proofs()
    host.closeSockets()
    host.isReading = true
  }

  private func start(
    _ process: SimulatedProcess, on host: SimulatedHost, after downtime: Duration,
    _ first: @escaping (SimulatedWorld) -> Void
  ) {
    func begin(_ world: SimulatedWorld) {
      // It may have been started anew, or ended, in the meantime.
      guard host.process === process else { return }
      host.state = .running
      first(world)
      world.touch(host)
    }
    if downtime > .zero { after(downtime, begin) } else { begin(self) }
  }

  // MARK: Suspension

  /// The host's process stands still: it has no timers and receives nothing. What arrives waits in the socket's buffer,
  /// and is lost where that is full (`socketBufferLimit`).
  /// - Parameter stopsClock: whether its clock stands still as well. A process that is stopped finds its clock ahead;
  ///   a machine that sleeps does not notice, since the monotonic clock does not count sleep.
  package func suspend(_ host: SimulatedHost, for duration: Duration, stopsClock: Bool = false) {
    let end = now + duration
    switch host.state {
    case .stopped: return
    case .running:
      host.state = .suspended(until: end, frozen: stopsClock ? time(of: host) : nil)
    case .suspended(let until, let frozen):
      host.state = .suspended(until: max(until, end), frozen: frozen ?? (stopsClock ? time(of: host) : nil))
    }
    trace.note(UInt64(host.index) | 1 << 60)
    after(duration) { $0.resume(host) }
  }

  private func resume(_ host: SimulatedHost) {
    guard case .suspended(let until, let frozen) = host.state, until <= now else { return }
    host.state = .running
    if let frozen { host.clock = host.clock.showing(frozen, at: now) }
    // As a driver does when it wakes: first what waits in the socket, then the timers.
    while let unread = host.takeUnread() { receive(unread.datagram, at: host, unread.inside) }
    let notices = host.notices
    host.notices.removeAll()
    for notice in notices { notice(time(of: host)) }
    due.append(host)
    touch(host)
  }

  /// Does what a process does itself, by its own clock: now, or as soon as it is not suspended any more; not at all if
  /// it has ended.
  func whenRunning(_ host: SimulatedHost, _ action: @escaping (Instant) -> Void) {
    switch host.state {
    case .running:
      action(time(of: host))
      touch(host)
    case .suspended: host.notices.append(action)
    case .stopped: break
    }
  }

  /// What the host's clock shows.
  package func time(of host: SimulatedHost) -> Instant {
    if case .suspended(_, let frozen?) = host.state { return frozen }
    return host.clock.reading(at: now)
  }
}
