// The way of a turn:
//
//  1. see what is due next, and sleep until then, or until a socket is readable (or has room again), the bell rings,
//     or the networks change; where the app polls, no longer than it allows; help another thread of the server, when
//     called for that
//  2. read the clock, once for everything that follows
//  3. receive: what the last turn left over, then from the readable sockets by turns; up to `receiveLimit` datagrams
//     go to the handler, batch by batch, each shown to it as a whole first where it wants that; after them what other
//     drivers have handed over
//  4. run the work that other threads posted, in order
//  5. change the socket, when it is to be replaced
//  6. handleTimeout, when it is due
//  7. look at the networks, when there is a reason to; sockets may change, and the handler is told
//  8. transmit: have the handler fill the ring, send it, up to `sendBatches` times
//  9. tell the app (`onTurn`)
// 10. where many players send one datagram each, wait for more of them
internal import RoamkeyEngine
internal import RoamkeyWire

/// How a turn of the loop begins.
enum TurnStart {
  /// Sleeps until there is something to do, or that moment has come; nil: the loop has a thread, and time.
  case sleep(until: Instant?)
  /// Takes what is there.
  case look
  /// Does not even look: what was posted is on its way out. Timers wait for a turn that looks, since none must fire
  /// before what has arrived is known.
  case work
}

/// The running side of a driver: owns the handler and the rings, and is known to one thread at a time.
///
/// As in `Session`, properties that each turn comes by are not watched for overlapping accesses in optimised builds.
final class DriverLoop<Handler: DatagramHandler> {
  typealias Turn = @Sendable (Handler, Instant) -> Void

  /// Datagrams received a turn, so that a flood cannot keep the loop from timers and sending.
  private let receiveLimit = 256
  /// Send calls a turn, so that a busy handler cannot keep the loop from receiving.
  private let sendBatches = 8
  /// Rounds of sending when the loop ends: what the handler has then is a farewell, not a transfer.
  private let lastSendBatches = 16
  /// While the send buffer is full, a handler that is due only because it cannot send is asked no more often.
  private let fullBufferPause: Duration = .milliseconds(1)

  /// How long the datagrams of all sockets wait for one whose send buffer is full; a single socket has no such end.
  private let fullBufferPatience: Duration = .milliseconds(100)

  private let handler: Handler
  private let onTurn: Turn
  private let mailbox: Mailbox<Handler>
  /// What other drivers hand over; nil where there are none.
  private let inbox: DatagramInbox?
  /// The thread's part among those that help each other; nil where it has none.
  private let helper: HelpingThreads.Member?
  /// Whom it helps, until there is nothing left to do or something of its own.
  private var helped: Int?
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  private var poller: Poller
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  private var sockets: SocketSet
  /// Nil where the networks are not watched.
  private var follower: NetworkFollower?
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  private var receiveRing = ReceiveRing()
  /// The slot of the socket that was received from last.
  private var lastReceived = 0
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  private var sendRing = SendRing()
  /// The main socket's address, as the handler was told last.
  private var mainAddress: NetworkAddress
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  private var statistics = SocketStatistics()
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  private var pacing = TurnPacing()
  /// How long the next turn had better wait for more datagrams.
  private var pause: Duration?
  /// When there was something to do by itself, as of the last look.
  private var next = Instant.distantFuture
  /// Datagrams that the last turn brought.
  private var received = 0
  /// When the last turn was.
  private(set) var now = Instant(nanoseconds: .min)
  #if !DEBUG
    @exclusivity(unchecked)
  #endif
  private var work: [Mailbox<Handler>.Work] = []
  /// A send buffer is full: nothing is asked of the handler until there is room.
  private var blocked: (slot: Int, since: Instant)?
  /// The handler had more to send than one turn allows; or, in the first turn, nobody has asked it yet.
  private var hasMoreToSend = true
  /// `sockets.changes` when the ring and the mailbox were told.
  private var toldChanges = 0

  init(
    handler: Handler, onTurn: @escaping Turn, socket: UDPSocket, mobility: Mobility, mailbox: Mailbox<Handler>,
    inbox: DatagramInbox? = nil, helper: HelpingThreads.Member? = nil
  ) throws(SystemError) {
    self.handler = handler
    self.onTurn = onTurn
    self.mailbox = mailbox
    self.inbox = inbox
    self.helper = helper
    mainAddress = socket.localAddress
    let poller = try Poller(bell: mailbox.bell.number)
    sockets = try SocketSet(main: socket, poller: poller)
    // Without netlink it goes on as if the machine never moved: the session is found again by its silence.
    follower = try? NetworkFollower(mobility, poller: poller)
    self.poller = poller
    statistics.watchesNetworks = follower != nil
  }

  /// Turn after turn until the last one, on a thread of its own.
  func run() {
    // Code of its own for each of the two that matter: general code asks the runtime for types all the time.
    if let loop = self as? DriverLoop<ServerEndpoint> {
      loop.goOn()
    } else if let loop = self as? DriverLoop<ClientEndpoint> {
      loop.goOn()
    } else {
      goOn()
    }
  }

  private func goOn() {
    while turn(.sleep(until: nil)) { gather(atMost: .seconds(1)) }
  }

  /// Whether another turn would have something to do at once.
  var isBusy: Bool { hasMoreToSend || !receiveRing.isEmpty || received >= receiveLimit || mailbox.hasNews }

  /// Lets datagrams gather where that is worth it.
  func gather(atMost limit: Duration) {
    if let pause, !hasMoreToSend { TurnPacing.sleep(min(pause, limit)) }
  }

  /// One turn; false when it was the last.
  func turn(_ start: TurnStart) -> Bool {
    let ready = begin(start)
    let now = Instant.current
    self.now = now
    statistics.turns += 1
    received = receive(ready.readable, now)
    inbox?.deliver(to: handler, now: now)
    let stops = mailbox.take(&work)
    for item in work { item(handler, now) }
    work.removeAll(keepingCapacity: true)
    for replacement in mailbox.takeReplacements() { replace(replacement, now) }
    if mayFire(start, now), let due = handler.nextTimeout, due <= now { handler.handleTimeout(now: now) }
    if ready.networks { hear() }
    if follower != nil { look(now) }
    if sockets.nextClosing <= now { sockets.closeOverdue(at: now, &poller, &statistics) }
    if sockets.changes != toldChanges { tellChanges() }
    unblock(ready.writable, now, stops: stops)
    transmit(now, batches: stops ? lastSendBatches : sendBatches)
    onTurn(handler, now)
    if let inbox { (statistics.datagramsHandedOver, statistics.handOversDropped) = inbox.counts }
    mailbox.publish(statistics)
    if stops { return false }
    pause = pacing.pause(after: received, now: now, hasManyPeers: handler.hasManyPeers)
    return true
  }

  private func begin(_ start: TurnStart) -> Poller.Ready {
    switch start {
    case .sleep(let limit):
      next = nextWake(now)
      guard !hasMoreToSend, receiveRing.isEmpty, mailbox.mayRest() else { return poller.wait(sleeps: false) }
      if let limit { return poller.wait(until: min(limit, next)) }
      if next < .distantFuture { poller.wake(at: next) }
      return rest()
    case .look:
      next = nextWake(now)
      return poller.wait(sleeps: false)
    case .work: return Poller.Ready()
    }
  }

  /// Sleeps until there is something to do. Meanwhile other threads of a server may call this one for help: a little
  /// of it a turn, until something of its own has come.
  private func rest() -> Poller.Ready {
    guard let helper else { return poller.wait(sleeps: true) }
    let sleeps = helped == nil
    if sleeps { helper.fallAsleep() }
    let ready = poller.wait(sleeps: sleeps)
    if sleeps { helped = helper.wake() }
    if let other = helped, ready.readable != 0 || !helper.help(other) { helped = nil }
    return ready
  }

  /// Whether timers may be due. To ask the handler takes a while, and where the app polls somebody waits for the end of
  /// the turn: what has become due since the look waits for the next one, which follows at once.
  private func mayFire(_ start: TurnStart, _ now: Instant) -> Bool {
    switch start {
    case .sleep(until: nil): true
    case .sleep, .look: next <= now
    case .work: false
    }
  }

  private func nextWake(_ now: Instant) -> Instant {
    var next = handler.nextTimeout ?? .distantFuture
    if let blocked {
      next = max(next, now + fullBufferPause)
      if sockets.count > 1 { next = min(next, blocked.since + fullBufferPatience) }
    }
    if let follower { next = min(next, follower.next) }
    return min(next, sockets.nextClosing)
  }

  // MARK: Datagrams

  /// What is left on a socket then keeps it readable, and the next wait returns at once.
  /// - Returns: how many datagrams the handler got.
  private func receive(_ readable: UInt32, _ now: Instant) -> Int {
    var left = readable
    var count = deliver(receiveLimit, now)
    while left != 0 && count < receiveLimit {
      // One call each, so that a flood on one socket is not in the way of the others.
      let behind = left & ~((2 << UInt32(lastReceived)) - 1)
      let slot = (behind != 0 ? behind : left).trailingZeroBitCount
      lastReceived = slot
      let mayHaveMore = sockets[slot].map { receiveRing.receive(from: $0, statistics: &statistics) } ?? false
      if !mayHaveMore { left &= ~(1 << UInt32(slot)) }
      count += deliver(receiveLimit - count, now)
    }
    return count
  }

  private func deliver(_ limit: Int, _ now: Instant) -> Int {
    let looksAhead = receiveRing.lookAhead(for: handler, limit: limit)
    defer { if looksAhead { handler.endBatch() } }
    return receiveRing.deliver(to: handler, limit: limit, now: now, statistics: &statistics)
  }

  private func transmit(_ now: Instant, batches: Int) {
    hasMoreToSend = false
    guard blocked == nil else { return }
    // What waited for room goes first.
    var more = sendRing.isEmpty || flush(now)
    var batch = 0
    while more && batch < batches {
      more = sendRing.fill(from: handler, for: sockets, now: now, statistics: &statistics)
      guard flush(now) else { return }
      batch += 1
    }
    hasMoreToSend = more && blocked == nil
  }

  /// Whether the ring is empty now.
  private func flush(_ now: Instant) -> Bool {
    let full = sendRing.flush(to: sockets, statistics: &statistics)
    blocked = full.map { ($0, now) }
    poller.waitForRoom(of: full.flatMap { sockets[$0] }, slot: full ?? 0)
    return full == nil
  }

  private func unblock(_ writable: UInt32, _ now: Instant, stops: Bool) {
    guard let (slot, since) = blocked else { return }
    if stops || writable & 1 << UInt32(slot) != 0 {
      blocked = nil
    } else if sockets.count > 1 && since + fullBufferPatience <= now {
      sendRing.giveUp(slot)
      blocked = nil
    }
  }

  // MARK: Sockets

  private func replace(_ replacement: Mailbox<Handler>.Replacement, _ now: Instant) {
    let old = sockets.main
    let new = replacement.socket
    // What has arrived on the old one is still worth having.
    _ = deliver(.max, now)
    _ = receive(1 << UInt32(sockets.mainSlot), now)
    do {
      try sockets.replaceMain(by: new, &poller, &statistics)
    } catch {
      replacement.done.error.withLock { $0 = UDPError(number: error.number, address: new.localAddress) }
      replacement.done.gate.open()
      return
    }
    follower?.socketReplaced()
    mainAddress = new.localAddress
    tellChanges()
    replacement.work(handler, old.localAddress, new.localAddress, now)
    replacement.done.gate.open()
  }

  private func hear() {
    do {
      try follower?.hear()
    } catch {
      // Dropped, so that a broken socket does not keep the loop awake.
      follower = nil
      statistics.watchesNetworks = false
    }
  }

  private func look(_ now: Instant) {
    let view = follower?.look(
      at: handler.watchedAddresses, now: now, sockets: &sockets, poller: &poller, statistics: &statistics)
    guard let view else { return }
    statistics.networkChanges += 1
    if view.socket != mainAddress {
      sendRing.discard(&statistics)
      mainAddress = view.socket
    }
    handler.networkChanged(view, now: now)
  }

  /// The sockets are others: tells those who keep something of them.
  private func tellChanges() {
    toldChanges = sockets.changes
    statistics.doors = sockets.doors.count
    // A full send buffer may have been that of a socket which is gone.
    blocked = nil
    sendRing.readdress(for: sockets, statistics: &statistics)
    mailbox.publish(sockets.all, localAddress: sockets.main.localAddress, statistics)
  }
}
