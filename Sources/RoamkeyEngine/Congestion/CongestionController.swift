/// Decides how many bytes may be in flight on a path. Bytes in flight themselves are counted by `SentPackets`.
package protocol CongestionController {
  /// Bytes that may be in flight.
  var window: Int { get }
  /// When the current recovery period began: only packets sent later make the window grow (RFC 9002 §7.3.2).
  var recoveryStart: Instant? { get }
  /// A packet that counts as in flight was sent.
  mutating func onSent(bytes: Int)
  /// In-flight bytes were acknowledged.
  ///
  /// - Parameters:
  ///   - bytes: of packets sent after `recoveryStart`: `AckOutcome.congestionBytes`, or a single packet's.
  ///   - sentAt: when the newest of them was sent.
  ///   - now: when the acknowledgement arrived.
  ///   - isApplicationLimited: the window was not filled for want of data (RFC 9002 §7.8): no reason to widen it.
  mutating func onAcknowledged(bytes: Int, sentAt: Instant, now: Instant, isApplicationLimited: Bool)
  /// In-flight packets were lost, the newest of which was sent at `newestLostSentAt`.
  ///
  /// `persistent`: nothing got through for longer than the persistent congestion duration (RFC 9002 §7.6).
  mutating func onCongestion(newestLostSentAt: Instant, now: Instant, persistent: Bool)
  /// The path leads to another network: nothing learnt so far holds (PROTOCOL §5, RFC 9000 §9.4).
  mutating func reset()
}
