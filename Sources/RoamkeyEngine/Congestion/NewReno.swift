/// NewReno as in RFC 9002 §7 and Appendix B, window in bytes.
package struct NewReno: CongestionController, Sendable {
  /// Bytes of a full datagram: the step of growth (max_datagram_size). Follows the path MTU.
  package var maximumDatagramSize: Int
  /// The window never grows beyond: bounds what is kept for retransmission.
  package let maximumWindow: Int
  package private(set) var window: Int
  package private(set) var recoveryStart: Instant?
  /// Bytes below which the window grows by what is acknowledged (ssthresh); infinite until the first loss.
  package private(set) var slowStartThreshold = Int.max
  /// Bytes acknowledged in congestion avoidance that did not yet make up a whole window.
  private var avoidanceCredit = 0

  /// A window of 10 packets in slow start (RFC 9002 §7.2).
  ///
  /// - Parameters:
  ///   - maximumDatagramSize: bytes of a full datagram, more than 0.
  ///   - maximumWindow: bytes; 4 MiB fill 300 Mbit/s at 100 ms.
  package init(maximumDatagramSize: Int = 1200, maximumWindow: Int = 4 << 20) {
    precondition(maximumDatagramSize > 0 && maximumWindow >= 2 * maximumDatagramSize, "the window holds two packets")
    self.maximumDatagramSize = maximumDatagramSize
    self.maximumWindow = maximumWindow
    window = min(Self.initialWindow(maximumDatagramSize), maximumWindow)
  }

  /// The lowest window, 2 packets (kMinimumWindow, RFC 9002 §7.2).
  package var minimumWindow: Int { 2 * maximumDatagramSize }
  /// Whether the window still grows by what is acknowledged (RFC 9002 §7.3.1).
  package var isInSlowStart: Bool { window < slowStartThreshold }

  /// NewReno learns from acknowledgements only.
  package mutating func onSent(bytes: Int) {}

  package mutating func onAcknowledged(bytes: Int, sentAt: Instant, now: Instant, isApplicationLimited: Bool) {
    guard !isApplicationLimited, !isInRecovery(sentAt: sentAt), bytes > 0 else { return }
    if isInSlowStart {
      window = min(window + bytes, maximumWindow)
      return
    }
    // One datagram for each window acknowledged (RFC 9002 §7.3.3), counted so that no rounding is lost.
    avoidanceCredit += bytes
    guard avoidanceCredit >= window else { return }
    avoidanceCredit -= window
    window = min(window + maximumDatagramSize, maximumWindow)
  }

  package mutating func onCongestion(newestLostSentAt: Instant, now: Instant, persistent: Bool) {
    if !isInRecovery(sentAt: newestLostSentAt) {
      recoveryStart = now
      slowStartThreshold = window / 2
      window = max(slowStartThreshold, minimumWindow)
      avoidanceCredit = 0
    }
    if persistent {
      window = minimumWindow
      recoveryStart = nil
      avoidanceCredit = 0
    }
  }

  package mutating func reset() {
    self = NewReno(maximumDatagramSize: maximumDatagramSize, maximumWindow: maximumWindow)
  }

  /// Losses and acknowledgements of what was sent before the period began belong to it (RFC 9002 B.5, B.6).
  private func isInRecovery(sentAt: Instant) -> Bool {
    guard let recoveryStart else { return false }
    return sentAt <= recoveryStart
  }

  /// min(10 packets, max(14720 bytes, 2 packets)) (kInitialWindow, RFC 9002 §7.2).
  private static func initialWindow(_ datagram: Int) -> Int { min(10 * datagram, max(14_720, 2 * datagram)) }
}
