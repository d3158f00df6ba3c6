import RoamkeyWire

/// Eager copies (docs/decisions/0009-eager-copies.md): what may be lost goes out again before anything proves it.
extension Session {
  /// How long an acknowledgement may take before its absence is suspicious.
  private var suspicion: Duration { rtt.suspicionDelay(peerAckDelay: ackDelays.delay) }

  /// When copies should leave though nothing else does.
  var copyTime: Instant? {
    guard rtt.hasSample, isOpen else { return nil }
    let patience = suspicion
    // Of `sent` a method would copy all.
    guard let suspect = sent.nextSuspect.map({ $0.sentAt + patience }) else { return tailTime(patience) }
    return tailTime(patience).map { min($0, suspect) } ?? suspect
  }

  /// When the app's last words are repeated, unless it speaks again before.
  private func tailTime(_ patience: Duration) -> Instant? {
    guard lossMeter.isLossy, channels.hasCopyCandidates else { return nil }
    return eager.tailDeadline(suspicion: patience)
  }

  /// Looks for packets whose acknowledgement is overdue, and for a tail that has waited long enough.
  func handleOverdue(now: Instant) {
    guard rtt.hasSample else { return }
    let patience = suspicion
    if sent.takeSuspects(now: now, patience: patience, into: &suspectFrames) > 0 {
      for case .message(let part) in suspectFrames { channels.suspect(part) }
      suspectFrames.removeAll(keepingCapacity: true)
      owesCopies = owesCopies || channels.hasUrgentCopies
    }
    if let tail = tailTime(patience), tail <= now {
      eager.onTail()
      owesCopies = true
    }
  }

  /// Writes the copies that may leave, in a packet that holds something else or because they are due.
  /// - Returns: their bytes.
  func appendCopies(_ packet: PacketInProgress, isAlone: Bool, into output: inout OutputRawSpan, now: Instant) -> Int {
    guard channels.hasCopyCandidates || channels.hasUrgentCopies, !isAlone || owesCopies, paths.active.isValidated
    else { return 0 }
    let allowance = eager.allowance(
      isLossy: lossMeter.isLossy, window: congestion.window, roundTrip: rtt.smoothed, now: now)
    return channels.fillCopies(
      &output, room: packet.end - output.byteCount, budget: allowance, now: now, frames: &writtenFrames)
  }
}
