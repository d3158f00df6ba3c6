/// Acknowledgements (RFC 9002 A.7).
extension SentPackets {
  /// Starts an ACK frame; `recoveryStart` is the congestion controller's.
  package mutating func beginAck(now: Instant, recoveryStart: Instant? = nil) {
    ack = AckInProgress(now: now, recoveryStart: recoveryStart)
  }

  /// One inclusive range of the frame, newest first. Appends the frames of each packet acknowledged for the first
  /// time to `acked`, late ones included whose packet was deemed lost. After an error the session closes.
  package mutating func acknowledge(_ range: ClosedRange<UInt64>, into acked: inout [Frame]) throws(AckError) {
    guard range.upperBound < nextPacketNumber else { throw .acknowledgesUnsent }
    if let newestTrap, range.contains(newestTrap) { throw .acknowledgesUnsent }
    // Disjoint ranges also bound the work: no packet is looked at twice for one frame.
    if let lowest = ack.lowest, range.upperBound >= lowest { throw .rangesNotDescending }
    ack.lowest = range.lowerBound
    if ack.largest == nil {
      ack.largest = range.upperBound
      largestAcknowledged = max(largestAcknowledged ?? range.upperBound, range.upperBound)
    }
    try acknowledgeOutstanding(range, into: &acked)
    acknowledgeLost(range, into: &acked)
  }

  /// Ends the frame. `detectLosses` comes next.
  package mutating func endAck() -> AckOutcome {
    if let newest = ack.outcome.largestNewlyAcked, newest.packetNumber == ack.largest, ack.outcome.anyAckEliciting {
      ack.outcome.rttSample = ack.now - newest.sentAt
      firstSampleAt = firstSampleAt ?? ack.now
    }
    while let first = outstanding.packets.first, first.state == .acknowledged { outstanding.removeFirst() }
    if ack.outcome.anyAckEliciting { findSuspect() }
    return ack.outcome
  }

  private mutating func acknowledgeOutstanding(
    _ range: ClosedRange<UInt64>, into acked: inout [Frame]
  ) throws(AckError) {
    var i = outstanding.index(notBelow: range.lowerBound)
    while i < outstanding.packets.count, outstanding.packets[i].number <= range.upperBound {
      let packet = outstanding.packets[i]
      if packet.state == .skipped { throw .acknowledgesUnsent }
      if packet.state == .outstanding {
        outstanding.packets[i].state = .acknowledged
        outstanding.copyFrames(of: packet, into: &acked)
        note(packet)
      }
      i += 1
    }
  }

  private mutating func acknowledgeLost(_ range: ClosedRange<UInt64>, into acked: inout [Frame]) {
    var i = lost.index(notBelow: range.lowerBound)
    while i < lost.packets.count, lost.packets[i].number <= range.upperBound {
      let packet = lost.packets[i]
      if packet.state != .acknowledged {
        lost.packets[i].state = .acknowledged
        lost.copyFrames(of: packet, into: &acked)
      }
      if packet.state == .lost {
        ack.outcome.largestAckedSize = max(ack.outcome.largestAckedSize, packet.size)
        // A probe's loss was not counted, so it is not taken back.
        let count = packet.isMTUProbe ? 0 : 1
        ack.outcome.spuriousLosses += count
        spuriousLosses += count
      }
      i += 1
    }
  }

  /// Counts a packet that was outstanding until now.
  private mutating func note(_ packet: SentPacket) {
    ack.outcome.newlyAckedPackets += 1
    ack.outcome.largestAckedSize = max(ack.outcome.largestAckedSize, packet.size)
    settle(packet)
    if packet.isInFlight {
      ack.outcome.newlyAckedBytes += packet.size
      if ack.recoveryStart.map({ packet.sentAt > $0 }) ?? true { ack.outcome.congestionBytes += packet.size }
    }
    if packet.isAckEliciting { ack.outcome.anyAckEliciting = true }
    if packet.isMTUProbe { noteProbe(packet) }
    if ack.outcome.largestNewlyAcked.map({ packet.number > $0.packetNumber }) ?? true {
      ack.outcome.largestNewlyAcked = AckOutcome.Packet(
        packetNumber: packet.number, sentAt: packet.sentAt, size: packet.size, ackEliciting: packet.isAckEliciting,
        isPatient: packet.isPatient)
    }
  }

  /// One probe is in flight at a time, but the one before it may be acknowledged late: ranges come newest first.
  private mutating func noteProbe(_ packet: SentPacket) {
    guard packet.number >= ack.newestProbe ?? 0 else { return }
    ack.newestProbe = packet.number
    ack.outcome.ackedProbeSize = packet.size
  }
}

/// The rules of loss (RFC 9002 §6.1).
extension SentPackets {
  /// A packet is lost when one sent this many later was acknowledged (kPacketThreshold, RFC 9002 §6.1.1).
  package static var packetThreshold: UInt64 { 3 }
  /// Probe timeouts that make up the persistent congestion duration (RFC 9002 §7.6.1).
  static var persistentCongestionThreshold: Int { 3 }
  /// Probe timeouts after which a lost packet's acknowledgement is no longer awaited.
  static var lostRetention: Int { 3 }

  /// Finds the packets now deemed lost and appends their frames to `frames`. Call after each `endAck`, once the RTT is
  /// updated, and at `lossTime`.
  ///
  /// `largerThan`: bytes above which lost packets are counted in `LossOutcome.large` too.
  package mutating func detectLosses(
    now: Instant, rtt: RTTEstimator, maximumAckDelay: Duration, largerThan size: Int = .max, into frames: inout [Frame]
  ) -> LossOutcome {
    lossTime = nil
    // The usual case, before any division of durations.
    guard !lost.packets.isEmpty || isAnyOvertaken else { return LossOutcome() }
    let probeTimeout = rtt.probeTimeout(maximumAckDelay: maximumAckDelay)
    forgetLost(olderThan: probeTimeout * Self.lostRetention, now: now)
    var outcome = LossOutcome()
    var run = LossRun(longest: probeTimeout * Self.persistentCongestionThreshold, since: firstSampleAt)
    let lossDelay = rtt.lossDelay
    // Numbers and send times rise together, so what is lost is always a prefix of what is outstanding.
    while isAnyOvertaken, let packet = outstanding.packets.first, let largest = largestAcknowledged {
      switch packet.state {
      case .acknowledged:
        run.interrupt()
        outstanding.removeFirst()
        continue
      case .skipped:
        // Who was to be caught would have named it by now. Kept, it would have each acknowledgement look for old ones.
        outstanding.removeFirst()
        continue
      case .outstanding, .lost, .abandoned:
        break
      }
      guard isFarBelow(largest, first: packet.number) || packet.sentAt + lossDelay <= now else { break }
      lost.moveFirst(of: &outstanding, as: .lost, now: now, into: &frames)
      settle(packet)
      outcome.note(packet, largerThan: size)
      if packet.isAckEliciting, !packet.isMTUProbe { run.extend(to: packet.sentAt) }
    }
    while let first = outstanding.packets.first, first.state == .acknowledged { outstanding.removeFirst() }
    if outcome.lostPackets > 0 || outcome.lostProbeSize != nil { findSuspect() }
    boundLost()
    lossTime = overtakenInFlight().map { $0 + lossDelay }
    outcome.nextLossTime = lossTime
    outcome.isPersistentCongestion = run.isPersistent
    return outcome
  }

  /// The path changed to another IP address: all that is outstanding is handed back to be sent there. That says
  /// nothing about congestion; late acknowledgements still hand out frames. Timers start anew (PROTOCOL §5).
  package mutating func abandonAll(now: Instant, into frames: inout [Frame]) {
    while let packet = outstanding.packets.first {
      switch packet.state {
      case .acknowledged, .skipped:
        outstanding.removeFirst()
      case .outstanding, .lost, .abandoned:
        lost.moveFirst(of: &outstanding, as: .abandoned, now: now, into: &frames)
        settle(packet)
      }
    }
    boundLost()
    lossTime = nil
    lastAckElicitingSent = nil
    firstSampleAt = nil
    nextSuspect = nil
  }

  /// Whether a later packet than the oldest was acknowledged: none is lost otherwise (RFC 9002 §6.1).
  @inline(__always)
  private var isAnyOvertaken: Bool {
    guard let first = outstanding.packets.first, let largestAcknowledged else { return false }
    return first.number < largestAcknowledged
  }

  /// Whether the oldest packet, `first`, is `packetThreshold` packets below the highest that was acknowledged. Numbers
  /// that were left out are no packets: counted, they would make two that came in another order a loss.
  private func isFarBelow(_ largest: UInt64, first: UInt64) -> Bool {
    var needed = first + Self.packetThreshold
    var i = 1
    while needed <= largest, i < outstanding.packets.count, outstanding.packets[i].number < needed {
      if outstanding.packets[i].state == .skipped { needed += 1 }
      i += 1
    }
    return needed <= largest
  }

  /// When the oldest in-flight packet left that a later one overtook. Fewer than `packetThreshold` candidates remain.
  private func overtakenInFlight() -> Instant? {
    guard let largestAcknowledged else { return nil }
    for packet in outstanding.packets {
      guard packet.number < largestAcknowledged else { return nil }
      if packet.state == .outstanding, packet.isInFlight { return packet.sentAt }
    }
    return nil
  }

  private mutating func forgetLost(olderThan age: Duration, now: Instant) {
    while let first = lost.packets.first, now - first.settledAt > age { lost.removeFirst() }
  }

  private mutating func boundLost() {
    while lost.packets.count > Self.maximumLost || lost.frames.count > Self.maximumLostFrames { lost.removeFirst() }
  }
}

/// Lost ack-eliciting packets with no acknowledged one between (RFC 9002 §7.6.2).
private struct LossRun {
  let longest: Duration
  let since: Instant?
  var start: Instant?
  var isPersistent = false

  mutating func interrupt() { start = nil }

  mutating func extend(to sentAt: Instant) {
    guard let since, sentAt > since else { return }
    start = start ?? sentAt
    if let start, sentAt - start > longest { isPersistent = true }
  }
}
