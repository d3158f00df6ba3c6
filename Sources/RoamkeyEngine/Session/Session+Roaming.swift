import RoamkeyCrypto
import RoamkeyWire

// Both ends may move (PROTOCOL §5). What tells so, and what follows:
//
//   server: a packet from elsewhere             PathManager follows, and asks        pathChanged
//   client: the system's networks change        Session+Networks.swift               move
//   client: silence                             PathSearch asks other ways           move
//   client: the server writes from elsewhere    PathSearch asks there                move
//   server: the system's networks change        Session+Networks.swift               MOVED, ADDRESSES
//
// `pathChanged` sends again what was under way; `move` also takes a fresh connection id and says MOVED.
extension Session {
  // MARK: Frames

  func handleRoaming(
    _ frame: Frame, _ payload: RawSpan, path: NetworkPath, size: Int, _ summary: inout PacketSummary, now: Instant
  ) throws(Violation) {
    switch frame {
    case .pathChallenge(let data):
      paths.onChallenge(data, from: path, size: size, answer: isWanted(path.local) ? .response : .drop)
    case .pathResponse(let data): onResponse(data, from: path.remote, now: now)
    case .pathDrop(let data): onPath(paths.onDrop(data), now: now)
    case .newConnectionID(let new): try handle(new, payload)
    case .retireConnectionID(let sequence):
      // It stays recognised for what is late.
      guard issuedIDs.retire(sequence, until: now + probeTimeout * Self.retiredProbeTimeouts) else { throw .malformed }
    case .moved(let epoch):
      if epoch > roaming.peerMove ?? 0 {
        roaming.peerMove = epoch
        summary.isAnnounced = true
      }
    case .addresses(let list):
      if !followsPeer { search.learn(told: list.addresses(payload), sequence: list.sequence) }
    case .observedAddress(let news): handle(news)
    case .padding, .ping, .ack, .close, .maxData, .maxChannelData, .receipt, .skip, .timeRequest, .timeResponse,
      .resting, .message:
      break
    }
  }

  /// Probe timeouts for which an id that the peer has retired is still recognised.
  private static let retiredProbeTimeouts = 3

  private func handle(_ new: NewConnectionIDFrame, _ payload: RawSpan) throws(Violation) {
    do throws(PeerConnectionIDs.Misuse) {
      try peerIDs.add(
        sequence: new.sequence, new.connectionID(payload), token: new.token(payload), retirePriorTo: new.retirePriorTo)
    } catch {
      switch error {
      case .contradiction: throw .malformed
      case .tooMany: throw .limitExceeded
      }
    }
  }

  /// The server tells where it sees us; the first time is no news.
  private func handle(_ news: ObservedAddressFrame) {
    let observed = roaming.observed
    guard !followsPeer, news.sequence > observed?.sequence ?? 0 || observed == nil else { return }
    if let before = observed, before.address != news.address {
      context.statistics.moves += 1
      context.events.append(
        .roamed(handle, AddressChange(side: .own, from: before.address, to: news.address)))
    }
    roaming.observed = news
  }

  /// Whether we still want packets at the address that one has reached: not at a socket that was left.
  private func isWanted(_ local: NetworkAddress) -> Bool {
    guard !followsPeer, let main = roaming.socketPort else { return true }
    let active = paths.active.path.local
    return local.port == (active.port == 0 ? main : active.port)
  }

  // MARK: Where packets come from

  /// An authentic packet has come by `path`.
  func follow(_ path: NetworkPath, size: Int, number: UInt64, _ summary: PacketSummary, now: Instant) {
    let isNewest = !summary.isProbing && newestNonProbing.map { number > $0 } ?? true
    if isNewest { newestNonProbing = number }
    if followsPeer {
      let arrival = PathArrival(path: path, size: size, isNewest: isNewest, isAnnounced: summary.isAnnounced)
      let outcome = paths.follow(arrival, probeTimeout: probeTimeout, now: now) { context.entropy.number() }
      return onPath(outcome, now: now)
    }
    let current = paths.active.path
    guard isNewest, path.remote != current.remote else { return }
    // Its packets may take odd ways while all is well; where it says so, or is not heard otherwise, it has moved.
    guard summary.isAnnounced || silence.lasts(patience, now: now) else { return }
    search.follow(
      to: NetworkPath(local: current.local, remote: path.remote), from: current.remote, probeTimeout: probeTimeout,
      now: now
    ) { context.entropy.number() }
  }

  /// An authentic packet that was seen before has come from where it may say something.
  func receiveReplay(from remote: NetworkAddress, now: Instant) {
    context.statistics.count(.replayed)
    if isOpen { onPath(paths.onDuplicate(from: remote, now: now), now: now) }
  }

  private func onResponse(_ data: UInt64, from remote: NetworkAddress, now: Instant) {
    guard let (path, reason) = search.onResponse(data) else {
      return onPath(paths.onResponse(data, from: remote, now: now), now: now)
    }
    switch reason {
    case .following:
      move(to: path, here: networkKey.here, announces: false, now: now)
    case .searching:
      search.found = search.found ?? path
      takeFound(now: now)
    }
  }

  /// Moves to the path that has answered, once the one in use is believed to be dead: it may answer yet.
  private func takeFound(now: Instant) {
    guard let path = search.found, let time = foundTime, now >= time else { return }
    move(to: path, here: here(path.local), announces: true, now: now)
  }

  /// When a path that was found is taken.
  private var foundTime: Instant? {
    guard search.found != nil else { return nil }
    if let lost = search.routeLostAt { return lost }
    // The second of two packets is acknowledged at once, or its patience is counted already (PROTOCOL §10.1).
    return silence.believedFrom(patience: patience, answerTime: min(rtt.answerTime, patience))
  }

  /// What a change of the peer's path, or of our view of it, asks for.
  private func onPath(_ outcome: PathManager.Outcome, now: Instant) {
    if let change = outcome.change {
      peerIDs.activate(for: .init(paths.active.path))
      pathChanged(to: NetworkKey(remote: change.to.ip, here: networkKey.here), now: now)
    }
    if let change = outcome.roamed { tell(change) }
  }

  private func tell(_ change: PathManager.Change) {
    context.statistics.moves += 1
    counters.moves += 1
    context.events.append(.roamed(handle, AddressChange(side: .peer, from: change.from, to: change.to)))
    if followsPeer { news.observation.renew() }
  }

  // MARK: Moving ourselves

  /// Packets leave by another path from now on, by our own decision.
  /// - Parameter announces: our own address is another one, and the peer is to know it.
  func move(to path: NetworkPath, here: NetworkKey.Here, announces: Bool, now: Instant) {
    let outcome = paths.move(to: path, isValidated: true)
    peerIDs.activate(for: .init(path))
    search.onMoved(to: path)
    pathChanged(to: NetworkKey(remote: path.remote.ip, here: here), now: now)
    if announces { news.move.renew() }
    owesPing = true
    owesFinish = finish != nil
    if let change = outcome.roamed { tell(change) }
  }

  // MARK: Silence

  /// How long a silence is no reason to look elsewhere: a probe timeout, as the path before had it where nothing is
  /// known yet of this one.
  private var patience: Duration { rtt.hasSample ? probeTimeout : min(probeTimeout, challengePause) }

  /// How much later the silence begins after a packet, or while such are awaited (PROTOCOL §5.7).
  func delayBeyondPromised(_ isPatient: Bool) -> Duration {
    let configuration = context.configuration
    return isPatient ? configuration.longestAnswerDelay - configuration.maximumAckDelay : .zero
  }

  /// The peer has acknowledged something.
  func noteAnswer(now: Instant) {
    silence.onAnswer(
      isAwaiting: sent.hasAckElicitingInFlight, beyondPromised: delayBeyondPromised(sent.isAnswerPatient), now: now)
    if !followsPeer { search.end() }
  }

  /// When ways are searched.
  private var searchTime: Instant? {
    guard !followsPeer,
      let time = search.nextTick(silence: silence.start, probeTimeout: patience, current: paths.active.path)
    else { return nil }
    return keepAlive.allowsProbe(at: time) ? time : nil
  }

  /// When something about paths is due.
  var pathTimeout: Instant? {
    var next = Instant.distantFuture
    if let path = paths.nextTimeout(isBlocked: isBlocked) { next = path }
    if !followsPeer {
      if let probe = search.nextTimeout { next = min(next, probe) }
      if let searchTime { next = min(next, searchTime) }
      if let foundTime { next = min(next, foundTime) }
    }
    if let expiry = issuedIDs.nextTimeout { next = min(next, expiry) }
    return next == .distantFuture ? nil : next
  }

  func handlePaths(now: Instant) {
    onPath(paths.handleTimeout(now: now), now: now)
    search.handleTimeout(now: now)
    takeFound(now: now)
    guard let searchTime, now >= searchTime else { return }
    let tick = search.tick(
      silence: silence.start, withFinish: finish != nil, probeTimeout: patience, current: paths.active.path, now: now
    ) { context.entropy.number() }
    if tick.wakesActive { probe(now: now) }
    if tick.wantsLookup { context.events.append(.searching(handle)) }
  }

  // MARK: Reset

  /// Whether a datagram that could not be opened is the server's word that it knows us no more (PROTOCOL §6).
  func isReset(_ datagram: RawSpan) -> Bool {
    guard !followsPeer, let token = ResetDatagram.token(datagram) else { return false }
    return peerIDs.isToken(datagram.extracting(token))
  }

  func onReset() {
    roaming.isReset = isOpen
    state = .ended
    context.statistics.resetsReceived += 1
  }
}
