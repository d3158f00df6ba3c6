extension Session {
  /// When `handleTimeout` is to be called next.
  var nextTimeout: Instant? {
    switch state {
    case .open: break
    case .closing(let closing):
      return closing.triesLeft > 0 ? min(closing.nextTry, closing.deadline) : closing.deadline
    case .draining(let until): return until
    case .ended: return nil
    }
    var next = keepAlive.nextTimeout(packetsForKeepAlive)
    // An acknowledgement that may not leave is sent when more comes in; waiting for it would spin.
    if !isBlocked, let ack = received.ackTimer { next = min(next, ack) }
    if let loss = sent.lossTime ?? probeDeadline { next = min(next, loss) }
    if let copies = copyTime { next = min(next, copies) }
    if !isBlocked, let clock = clockTime { next = min(next, clock) }
    if let bundlesUntil { next = min(next, bundlesUntil) }
    if let pacedUntil { next = min(next, pacedUntil) }
    if let probe = mtuProbeTime { next = min(next, probe) }
    if let path = pathTimeout { next = min(next, path) }
    if let previousKeysUntil { next = min(next, previousKeysUntil) }
    if let messages = channels.nextTimeout { next = min(next, messages) }
    return next
  }

  /// Does what is due.
  func handleTimeout(now: Instant) {
    switch state {
    case .open: break
    case .closing(let closing):
      if now >= closing.deadline { state = .ended }
      return
    case .draining(let until):
      if now >= until { state = .ended }
      return
    case .ended: return
    }
    // Whatever keeps it from leaving, what has waited long enough waits for that no longer.
    if let bundlesUntil, now >= bundlesUntil { flush() }
    handleLossTimer(now: now)
    handleOverdue(now: now)
    channels.handleTimeout(now: now)
    tellOutcomes()
    handlePaths(now: now)
    if let previousKeysUntil, now >= previousKeysUntil {
      keys.forgetPrevious(keys.sending.opposite)
      phases.forgetPrevious()
      self.previousKeysUntil = nil
    }
    handleSilence(now: now)
  }

  // MARK: Loss and probes (RFC 9002 §6.2)

  /// When a probe is due: the peer owes an acknowledgement, or has not been heard since our Finish.
  private var probeDeadline: Instant? {
    guard sent.hasAckElicitingInFlight || finish != nil else { return nil }
    let configuration = context.configuration
    let cap = isOffline ? configuration.offlineProbeTimeoutCap : configuration.probeTimeoutCap
    let isPatient = sent.isAnswerPatient && finish == nil
    let timeout = rtt.probeTimeout(
      maximumAckDelay: isPatient ? configuration.longestAckDelay : configuration.maximumAckDelay)
    // The cap is reached long before the shift could overflow.
    let backedOff = min(timeout * (1 << min(probeCount, 16)), cap)
    let deadline = max(sent.lastAckElicitingSent ?? keepAlive.lastHeard, lastProbe) + backedOff
    return keepAlive.allowsProbe(at: deadline) ? deadline : nil
  }

  private func handleLossTimer(now: Instant) {
    if let lossTime = sent.lossTime {
      guard now >= lossTime else { return }
      detectLosses(now: now)
      requeueLost(now: now)
    } else if let deadline = probeDeadline, now >= deadline {
      probeCount += 1
      mtu.onProbeTimeout(count: probeCount, now: now)
      congestion.maximumDatagramSize = mtu.current
      probe(now: now)
    }
  }

  /// Something leaves now, in spite of the congestion window, that asks for an answer: the oldest that awaits one, or a
  /// PING.
  func probe(now: Instant) {
    lastProbe = now
    owesProbe = true
    owesFinish = finish != nil
    _ = sent.oldestUnacknowledged(into: &lostFrames)
    requeueLost(isProbe: true, now: now)
  }

  // MARK: Silence

  private var packetsForKeepAlive: KeepAlive.Packets {
    KeepAlive.Packets(
      lastAckElicitingSent: sent.lastAckElicitingSent, isAnswerAwaited: sent.hasAckElicitingInFlight || owesPing)
  }

  private func handleSilence(now: Instant) {
    switch keepAlive.takeDue(packetsForKeepAlive, now: now) {
    case .nothing: break
    case .ping: owesPing = true
    case .offline:
      owesPing = true
      if isAnnounced { context.events.append(.offline(handle)) }
    case .end: timeOut()
    }
  }
}
