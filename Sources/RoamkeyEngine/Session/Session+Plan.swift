import RoamkeyCrypto
import RoamkeyWire

/// What is about to leave, as far as can be told before it is written: the depth of a tree depends on it.
extension Session {
  /// How many packets surely leave now and may share a signature, at most `limit`.
  ///
  /// Sure is what fills packets; of what else is due only one packet is counted.
  func expectedPackets(atMost limit: Int, now: Instant) -> Int {
    guard signingPolicy == .everyPacket, paths.active.isValidated else { return 0 }
    switch state {
    case .open: break
    case .closing(let closing): return closing.triesLeft > 0 && now >= closing.nextTry ? 1 : 0
    case .draining: return closeEchoesLeft > 0 ? 1 : 0
    case .ended: return 0
    }
    let others = owesProbe || owesPing || received.isAckDue(now: now) || channels.owesControl ? 1 : 0
    guard channels.checkForData(), sent.bytesInFlight < congestion.window, sent.hasRoom else {
      return min(others, limit)
    }
    let size = mtu.current
    // The most that a packet may hold.
    let room = size - (1 + peerIDs.active.count + 1 + SignatureTrailer.size(depth: 0) + ChaChaPoly.tagSize)
    let waiting = channels.waitingBytes(atMost: limit * size, includesNew: !isBundling(now: now))
    let allowed = min(congestion.window - sent.bytesInFlight + size - 1, limit * size) / size
    let paced = pacer.burst(
      size: size, window: congestion.window, isInSlowStart: congestion.isInSlowStart, rtt: rtt.smoothed,
      hasSample: rtt.hasSample, now: now)
    return min(limit, max(others, min((waiting + room - 1) / room, allowed, paced)))
  }
}
