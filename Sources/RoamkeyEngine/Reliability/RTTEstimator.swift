/// The round-trip time of one path, estimated as RFC 9002 §5 does.
package struct RTTEstimator: Sendable {
  /// The timer granularity, below which no timeout is set (kGranularity, RFC 9002 §6.1.2).
  package static let granularity = Duration.milliseconds(1)
  /// What is assumed before the first sample (kInitialRtt, RFC 9002 §6.2.2).
  package static let initialRTT = Duration.milliseconds(333)

  // Nanoseconds inside: 64-bit arithmetic in the path of each acknowledgement instead of 128-bit divisions.
  private let initialNanoseconds: Int64
  private var smoothedNanoseconds: Int64
  private var variationNanoseconds: Int64
  private var minimumNanoseconds: Int64 = 0
  private var latestNanoseconds: Int64 = 0
  /// Whether a sample was taken on this path.
  package private(set) var hasSample = false

  /// No sample counts as longer. One of minutes tells of an interruption, in which the network held packets back, and
  /// not of a path on which anybody waits: timeouts have lower caps (PROTOCOL §10.4), and what has none, pacing and the
  /// age of loss, would follow the interruption for minutes after it.
  package static var longest: Duration { .nanoseconds(longestSample) }
  private static let longestSample: Int64 = 5_000_000_000
  /// No delay counts as longer: it keeps the arithmetic far from overflow.
  private static let ceiling: Int64 = 3_600_000_000_000

  /// An estimate without samples: `initial` smoothed, half of it as variation (RFC 9002 §5.3).
  package init(initial: Duration = RTTEstimator.initialRTT) {
    initialNanoseconds = Self.clamped(initial)
    smoothedNanoseconds = initialNanoseconds
    variationNanoseconds = initialNanoseconds / 2
  }

  /// The exponentially weighted average (smoothed_rtt).
  package var smoothed: Duration { .nanoseconds(smoothedNanoseconds) }
  /// The mean deviation of the samples from the average (rttvar).
  package var variation: Duration { .nanoseconds(variationNanoseconds) }
  /// The lowest sample since the start or the last persistent congestion (min_rtt); zero before the first.
  package var minimum: Duration { .nanoseconds(minimumNanoseconds) }
  /// The last sample, acknowledgement delay included (latest_rtt); zero before the first.
  package var latest: Duration { .nanoseconds(latestNanoseconds) }

  /// The time to wait for an acknowledgement before probing, without backoff (RFC 9002 §6.2.1).
  package func probeTimeout(maximumAckDelay: Duration) -> Duration {
    let spread = max(4 * variationNanoseconds, Self.granularity.inNanoseconds)
    return .nanoseconds(smoothedNanoseconds + spread + Self.clamped(maximumAckDelay))
  }

  /// The time in which an acknowledgement comes that is sent at once: a probe timeout without the peer's delay.
  package var answerTime: Duration {
    .nanoseconds(smoothedNanoseconds + max(4 * variationNanoseconds, Self.granularity.inNanoseconds))
  }

  /// The age at which a packet that others overtook counts as lost: 9/8 of the RTT (RFC 9002 §6.1.2).
  package var lossDelay: Duration {
    let longest = max(smoothedNanoseconds, latestNanoseconds)
    return .nanoseconds(max(longest / 8 * 9 + longest % 8 * 9 / 8, Self.granularity.inNanoseconds))
  }

  /// The age at which a packet's acknowledgement is overdue: a probe timeout, but with the delay that the peer makes in
  /// fact (`AckDelayTracker`) instead of the longest that it may. Where it answers at once that is about a round trip.
  /// At least 3 ms are granted beyond, in which an acknowledgement that was lost is said again.
  package func suspicionDelay(peerAckDelay: Duration) -> Duration {
    let spread = max(4 * variationNanoseconds, Self.suspicionSlack)
    return .nanoseconds(smoothedNanoseconds + spread + Self.clamped(peerAckDelay))
  }

  private static let suspicionSlack: Int64 = 3_000_000

  /// Takes a sample (RFC 9002 §5.3).
  ///
  /// - Parameters:
  ///   - latest: from sending the largest newly acknowledged packet to its acknowledgement.
  ///   - ackDelay: what the peer says it waited; believed up to `maximumAckDelay`, and never below the minimum RTT.
  ///   - maximumAckDelay: what the peer promised to wait at most.
  package mutating func update(latest: Duration, ackDelay: Duration, maximumAckDelay: Duration) {
    let sample = min(Self.clamped(latest), Self.longestSample)
    latestNanoseconds = sample
    guard hasSample else {
      hasSample = true
      minimumNanoseconds = sample
      smoothedNanoseconds = sample
      variationNanoseconds = sample / 2
      return
    }
    minimumNanoseconds = min(minimumNanoseconds, sample)
    let delay = min(Self.clamped(ackDelay), Self.clamped(maximumAckDelay))
    let adjusted = sample >= minimumNanoseconds + delay ? sample - delay : sample
    variationNanoseconds = (3 * variationNanoseconds + abs(smoothedNanoseconds - adjusted)) / 4
    smoothedNanoseconds = (7 * smoothedNanoseconds + adjusted) / 8
  }

  /// Forgets the lowest sample in favour of the last one, as RFC 9002 §5.2 asks for after persistent congestion.
  package mutating func onPersistentCongestion() { minimumNanoseconds = latestNanoseconds }

  /// Starts anew: the path leads to another IP address (PROTOCOL §5, RFC 9000 §9.4).
  package mutating func reset() { self = RTTEstimator(initial: .nanoseconds(initialNanoseconds)) }

  private static func clamped(_ duration: Duration) -> Int64 { min(max(duration.inNanoseconds, 0), ceiling) }
}
