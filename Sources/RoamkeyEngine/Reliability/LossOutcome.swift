/// What `detectLosses` found.
package struct LossOutcome: Equatable, Sendable {
  /// Lost packets larger than a given size: what a black hole swallows (RFC 8899 §4.3).
  package struct Large: Equatable, Sendable {
    package var count: Int
    /// Bytes of the smallest of them.
    package var smallestSize: Int
    /// When the newest of them was sent.
    package var newestSentAt: Instant
  }

  /// Packets deemed lost, bare acknowledgements included, MTU probes not.
  package var lostPackets = 0
  /// Bytes of those that were in flight.
  package var lostBytes = 0
  /// When the newest lost in-flight packet was sent, MTU probes excepted: the congestion event, if not nil.
  package var newestLostSentAt: Instant?
  /// Nothing got through for longer than the persistent congestion duration (RFC 9002 §7.6).
  package var isPersistentCongestion = false
  /// Those of the lost packets that were larger than `detectLosses` was told, if any; no MTU probes.
  package var large: Large?
  /// The size of an MTU probe deemed lost; of the newest, should there be two.
  package var lostProbeSize: Int?
  /// When to call again, as `lossTime` says too.
  package var nextLossTime: Instant?

  mutating func note(_ packet: SentPacket, largerThan size: Int) {
    // "Not a reliable indication of congestion" (RFC 9000 §14.4, RFC 8899 §3 item 7): it most likely did not fit.
    guard !packet.isMTUProbe else {
      lostProbeSize = packet.size
      return
    }
    lostPackets += 1
    if packet.size > size {
      let known = large
      large = Large(
        count: (known?.count ?? 0) + 1, smallestSize: min(known?.smallestSize ?? packet.size, packet.size),
        newestSentAt: packet.sentAt)
    }
    guard packet.isInFlight else { return }
    lostBytes += packet.size
    newestLostSentAt = packet.sentAt
  }
}
