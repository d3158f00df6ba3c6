/// How long the peer lets acknowledgements wait these days, by its own word (the ACK Delay field, RFC 9000 §19.3).
///
/// A peer that waits for company does so by up to 25 ms, and one that is under loss answers at once (PROTOCOL §10.1).
/// Who waits for what is overdue should wait as long as the peer does, and no longer. So a long delay counts at once,
/// and is forgotten by 3/8 with each shorter one: 25 ms are 0.6 ms after eight acknowledgements.
package struct AckDelayTracker: Sendable {
  private let maximumAckDelay: Duration
  private var nanoseconds: Int64

  /// - Parameter maximumAckDelay: what the peer promised to wait at most: believed until it has answered.
  package init(maximumAckDelay: Duration) {
    self.maximumAckDelay = max(maximumAckDelay, .zero)
    nanoseconds = self.maximumAckDelay.inNanoseconds
  }

  /// The longest delay to reckon with.
  package var delay: Duration { .nanoseconds(nanoseconds) }

  /// An acknowledgement came whose largest number is new. Others say nothing: their delay counts from long ago.
  ///
  /// What is above the promise is cut: a peer that lies delays only what it gets itself.
  package mutating func onAck(reported: Duration) {
    let limited = min(max(reported, .zero), maximumAckDelay).inNanoseconds
    nanoseconds = max(limited, nanoseconds / 8 * 5 + nanoseconds % 8 * 5 / 8)
  }
}
