import RoamkeyCrypto

extension SentPackets {
  /// Whether nothing depends any more on what becomes of the packets that are remembered.
  var isSettled: Bool { bytesInFlight == 0 && ackElicitingInFlight == 0 }

  /// Forgets packets that are settled, and the room that they took. A late acknowledgement of one that was deemed lost
  /// is not recognised any more.
  mutating func releaseMemory() {
    guard isSettled, !isWriting else { return }
    outstanding = SentPacketRing()
    lost = SentPacketRing()
    nextSuspect = nil
    lossTime = nil
  }

  mutating func prefetch() { outstanding.prefetch() }
}
