package import RoamkeyEngine
package import RoamkeyWire

/// Carries a handler's datagrams: one thread, one main socket, and more of them for a client that moves (`Mobility`).
///
/// The handler is not Sendable and lives on the driver's thread from the moment it is handed over; all that reaches it
/// from outside is work given to `perform`. A driver that is let go stops.
///
/// One that is polled has no thread: whoever calls `poll`, `look`, `attend` or `stop` runs its loop meanwhile, one at a
/// time, and what is said of the driver's thread is said of that one.
package final class UDPDriver<Handler: DatagramHandler & SendableMetatype>: Sendable {
  private enum Runner: Sendable {
    case thread(LoopThread)
    case polled(PolledLoop<Handler>)
  }

  private let mailbox: Mailbox<Handler>
  private let runner: Runner

  /// Binds a socket to `address` and starts the thread.
  /// - Parameters:
  ///   - address: `NetworkAddress.any(port:)` for all addresses of this machine; port 0 lets the system choose.
  ///   - name: the thread's, for debuggers; the system keeps 15 bytes.
  ///   - isPolled: whether there is to be no thread.
  ///   - sharesPort: whether other drivers of this process have the same address and port: the system spreads what
  ///     comes over all of them, by the address that it comes from.
  ///   - mobility: what to do about the machine's networks.
  ///   - inbox: what other drivers hand over to this one.
  ///   - helper: its part among drivers that help each other, which needs an inbox.
  ///   - handler: handed over for good.
  ///   - onTurn: called on the driver's thread at the end of each turn of the loop, to take events to the app.
  package convenience init(
    bind address: NetworkAddress, name: String, isPolled: Bool = false, sharesPort: Bool = false,
    mobility: Mobility = .fixed, inbox: DatagramInbox? = nil, helper: HelpingThreads.Member? = nil,
    handler: sending Handler,
    onTurn: @escaping @Sendable (Handler, Instant) -> Void
  ) throws(UDPError) {
    let socket = try UDPSocket(bind: address, sharesPort: sharesPort)
    try self.init(
      socket: socket, name: name, isPolled: isPolled, mobility: mobility, inbox: inbox, helper: helper,
      handler: handler, onTurn: onTurn)
  }

  /// With a socket that is open already.
  init(
    socket: UDPSocket, name: String, isPolled: Bool = false, mobility: Mobility = .fixed,
    inbox: DatagramInbox? = nil, helper: HelpingThreads.Member? = nil, handler: sending Handler,
    onTurn: @escaping @Sendable (Handler, Instant) -> Void
  ) throws(UDPError) {
    do {
      mailbox = try Mailbox(socket: socket, bell: inbox?.bell)
      let loop = try DriverLoop(
        handler: handler, onTurn: onTurn, socket: socket, mobility: mobility, mailbox: mailbox,
        inbox: inbox, helper: helper)
      runner =
        isPolled ? .polled(PolledLoop(loop)) : .thread(try LoopThread(name: name) { loop.run() })
    } catch {
      throw UDPError(.system, socket.localAddress, number: error.number)
    }
  }

  deinit { stop() }

  /// `address` with a port that nobody has, for drivers that are to share it. Throws where that is in use.
  package static func unused(_ address: NetworkAddress) throws(UDPError) -> NetworkAddress {
    try UDPSocket.unused(address)
  }

  /// The address of the main socket, with the port that the system chose.
  package var localAddress: NetworkAddress { mailbox.localAddress }

  /// What the sockets have carried and lost, as of the end of the last turn.
  package var statistics: SocketStatistics { mailbox.statistics }

  /// Runs `work` on the driver's thread soon; in order, as far as the callers have one. The handler is asked for
  /// datagrams after it.
  ///
  /// Work that was taken before `stop` still runs.
  /// - Returns: false after `stop`: the work is dropped.
  @discardableResult
  package func perform(_ work: @escaping @Sendable (Handler, Instant) -> Void) -> Bool {
    mailbox.post(work)
  }

  // MARK: Where it is polled

  /// Whether it has no thread.
  package var isPolled: Bool {
    switch runner {
    case .thread: false
    case .polled: true
    }
  }

  /// Runs the loop until `isDone`, which is asked after each turn, or until `limit`; a moment that is past: for what
  /// there is to do now. It blocks the caller. With a thread it does nothing.
  package func poll(until limit: Instant, isDone: () -> Bool) {
    if case .polled(let loop) = runner { loop.poll(until: limit, isDone: isDone) }
  }

  /// Carries what is there, and never waits. With a thread it does nothing.
  package func look() {
    if case .polled(let loop) = runner { loop.attend(.look) }
  }

  /// Sees to it that the work posted so far is done, and what follows from it is sent, though nobody may poll. With a
  /// thread that comes by itself.
  package func attend() {
    if case .polled(let loop) = runner { loop.attend(.work) }
  }

  // MARK: Moving, stopping

  /// Replaces the main socket by a new one, bound to `address`; the old one is closed after the new one is open.
  ///
  /// From the return on, the next datagram leaves from the new socket; those that waited for room leave from it too,
  /// those that had already arrived at the old one are received. Called on the driver's own thread (from `work` or
  /// `onTurn`), it takes effect before the next datagram leaves, after the work that was posted before.
  /// - Parameters:
  ///   - address: not the address and port in use now: port 0 is the usual choice.
  ///   - work: runs on the driver's thread right after the change, with both sockets' addresses.
  /// - Throws: why there is no new socket; the old one stays.
  package func rebind(
    to address: NetworkAddress,
    then work:
      @escaping @Sendable (
        Handler, _ from: NetworkAddress, _ to: NetworkAddress, Instant
      ) -> Void = { _, _, _, _ in }
  ) throws(UDPError) {
    let socket = try UDPSocket(bind: address)
    let done = Mailbox<Handler>.Promise()
    guard mailbox.post(Mailbox.Replacement(socket: socket, work: work, done: done)) else {
      throw UDPError(.stopped, address)
    }
    switch runner {
    case .thread(let thread): if thread.isCurrent { return }
    case .polled(let loop):
      if loop.isCurrent { return }
      loop.attend(.work)
    }
    done.gate.wait()
    if let error = done.error.withLock({ $0 }) { throw error }
  }

  /// Ends the thread, after the work taken so far and a last round of sending, and waits for it; on the thread itself
  /// it only asks, and the turn is the last. May be called again, from anywhere.
  package func stop() {
    mailbox.stop()
    switch runner {
    case .thread(let thread): thread.join()
    case .polled(let loop): loop.end()
    }
  }
}
