/// An outstanding packet whose acknowledgement will be overdue some time after it was sent.
struct Suspect: Sendable {
  let number: UInt64
  let sentAt: Instant
}

/// Packets whose acknowledgement is overdue before anything proves them lost.
///
/// Loss is proven by later packets (RFC 9002 §6.1), and a game that sends thirty of them a second waits 100 ms for
/// three. What is merely late may well be under way, so a suspicion changes nothing: the packet stays in flight,
/// congestion control does not hear of it, and a later verdict is reported as always. It only says that a copy would be
/// worth its bytes.
extension SentPackets {
  /// When the oldest packet becomes overdue that asks for an acknowledgement and was not suspected yet; `patience` is
  /// `RTTEstimator.suspicionDelay`.
  package func suspectTime(patience: Duration) -> Instant? { nextSuspect.map { $0.sentAt + patience } }

  /// Appends the frames of each packet that has become overdue, once a packet, oldest first.
  /// - Returns: how many packets that are.
  package mutating func takeSuspects(now: Instant, patience: Duration, into frames: inout [Frame]) -> Int {
    // The usual case, without a look at any packet.
    guard let suspect = nextSuspect, suspect.sentAt + patience <= now else { return 0 }
    var count = 0
    var i = outstanding.index(notBelow: suspect.number)
    while i < outstanding.packets.count {
      let packet = outstanding.packets[i]
      if packet.isSuspectable {
        guard packet.sentAt + patience <= now else {
          nextSuspect = Suspect(number: packet.number, sentAt: packet.sentAt)
          return count
        }
        outstanding.copyFrames(of: packet, into: &frames)
        count += 1
      }
      i += 1
    }
    nextSuspect = nil
    return count
  }

  /// Moves on to the next packet when the one that was next is settled. Only ever forward: each packet is passed once.
  mutating func findSuspect() {
    guard let suspect = nextSuspect else { return }
    var i = outstanding.index(notBelow: suspect.number)
    while i < outstanding.packets.count {
      let packet = outstanding.packets[i]
      if packet.isSuspectable {
        nextSuspect = Suspect(number: packet.number, sentAt: packet.sentAt)
        return
      }
      i += 1
    }
    nextSuspect = nil
  }
}

extension SentPacket {
  fileprivate var isSuspectable: Bool { state == .outstanding && isAckEliciting && !isPatient }
}
