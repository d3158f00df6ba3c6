/// What `detectLosses` found.
package struct LossOutcome: Equatable, Sendable {
  /// Packets deemed lost, bare acknowledgements included.
  package var lostPackets = 0
  /// Bytes of those that were in flight.
  package var lostBytes = 0
  /// When the newest lost in-flight packet was sent: the congestion event, if not nil.
  package var newestLostSentAt: Instant?
  /// Nothing got through for longer than the persistent congestion duration (RFC 9002 §7.6).
  package var isPersistentCongestion = false
  /// When to call again, as `lossTime` says too.
  package var nextLossTime: Instant?
}

extension LossOutcome {
  mutating func note(_ packet: SentPacket) {
    lostPackets += 1
    guard packet.isInFlight else { return }
    lostBytes += packet.size
    newestLostSentAt = packet.sentAt
  }
}
