// The way of a turn:
//
//  1. sleep until the socket is readable (or has room again), the timer or the bell rings
//  2. read the clock, once for everything that follows
//  3. receive: up to `receiveBatches` calls, each datagram goes to the handler
//  4. run the work that other threads posted, in order
//  5. change the socket, when it is to be replaced
//  6. handleTimeout, when it is due
//  7. transmit: fill the ring from the handler, send it, up to `sendBatches` times
//  8. tell the app (`onTurn`)
//  9. set the timer to what the handler wants next
internal import RoamkeyEngine
internal import RoamkeyWire

/// The thread's side of a driver: owns the handler and the rings, and is known to no other thread.
final class DriverLoop<Handler: DatagramHandler> {
  typealias Turn = @Sendable (Handler, Instant) -> Void

  /// Receive calls a turn, so that a flood cannot keep the loop from timers and sending.
  private let receiveBatches = 4
  /// Send calls a turn, so that a busy handler cannot keep the loop from receiving.
  private let sendBatches = 8
  /// Rounds of sending when the loop ends: what the handler has then is a farewell, not a transfer.
  private let lastSendBatches = 16
  /// While the send buffer is full, a handler that is due only because it cannot send is asked no more often.
  private let fullBufferPause: Duration = .milliseconds(1)

  private let handler: Handler
  private let onTurn: Turn
  private let mailbox: Mailbox<Handler>
  private var socket: UDPSocket
  private var poller: Poller
  private var receiveRing = ReceiveRing()
  private var sendRing = SendRing()
  private var statistics = SocketStatistics()
  private var work: [Mailbox<Handler>.Work] = []
  /// The send buffer is full: nothing is asked of the handler until there is room.
  private var isBlocked = false
  /// The handler had more to send than one turn allows; or, in the first turn, nobody has asked it yet.
  private var hasMoreToSend = true

  init(
    handler: Handler, onTurn: @escaping Turn, socket: UDPSocket, mailbox: Mailbox<Handler>
  ) throws(SystemError) {
    self.handler = handler
    self.onTurn = onTurn
    self.socket = socket
    self.mailbox = mailbox
    poller = try Poller(bell: mailbox.bell.number)
    try poller.add(socket)
  }

  func run() {
    while turn() {}
  }

  /// One turn; false when it was the last.
  private func turn() -> Bool {
    let ready = poller.wait(sleeps: !hasMoreToSend)
    let now = Instant.current
    statistics.turns += 1
    if ready.readable { receive(now) }
    let stops = mailbox.take(&work)
    for item in work { item(handler, now) }
    work.removeAll(keepingCapacity: true)
    for replacement in mailbox.takeReplacements() { replace(replacement, now) }
    if let due = handler.nextTimeout, due <= now { handler.handleTimeout(now: now) }
    if ready.writable || stops { isBlocked = false }
    transmit(now, batches: stops ? lastSendBatches : sendBatches)
    onTurn(handler, now)
    mailbox.publish(statistics)
    if stops { return false }
    if let next = handler.nextTimeout { poller.wake(at: isBlocked ? max(next, now + fullBufferPause) : next) }
    return true
  }

  private func receive(_ now: Instant) {
    for _ in 0..<receiveBatches {
      guard receiveRing.receive(from: socket, to: handler, now: now, statistics: &statistics) else { return }
    }
    // The socket is still readable then, and the next wait returns at once.
  }

  private func transmit(_ now: Instant, batches: Int) {
    hasMoreToSend = false
    guard !isBlocked else { return }
    // What waited for room goes first.
    var more = sendRing.isEmpty || flush()
    var batch = 0
    while more && batch < batches {
      more = sendRing.fill(from: handler, for: socket, now: now, statistics: &statistics)
      guard flush() else { return }
      batch += 1
    }
    hasMoreToSend = more && !isBlocked
  }

  /// Whether the ring is empty now.
  private func flush() -> Bool {
    isBlocked = !sendRing.flush(to: socket, statistics: &statistics)
    poller.waitForRoom(isBlocked, of: socket)
    return !isBlocked
  }

  private func replace(_ replacement: Mailbox<Handler>.Replacement, _ now: Instant) {
    let old = socket
    let new = replacement.socket
    do {
      try poller.add(new)
    } catch {
      replacement.done.error.withLock { $0 = UDPError(number: error.number, address: new.localAddress) }
      replacement.done.gate.open()
      return
    }
    // What has arrived on the old one is still worth having.
    receive(now)
    poller.remove(old)
    statistics.overflowed += old.overflowed
    socket = new
    // A full send buffer was the old socket's.
    isBlocked = false
    poller.waitForRoom(false, of: new)
    sendRing.readdress(for: new)
    mailbox.publish(new)
    replacement.work(handler, old.localAddress, new.localAddress, now)
    replacement.done.gate.open()
  }
}
