/// How long the peer has owed an acknowledgement: the only sign of a way that has died without an error.
///
/// One packet may be lost on the best of ways. So a silence is believed once a second packet, too, has gone unanswered
/// for as long as its answer takes.
struct Silence: Sendable {
  /// Since when something ack-eliciting awaits its answer, with none since.
  private(set) var start: Instant?
  /// When the second such packet left.
  private var second: Instant?

  /// Something ack-eliciting leaves on the active path.
  mutating func onSent(now: Instant) {
    if start == nil { start = now } else { second = second ?? now }
  }

  /// Something was acknowledged.
  /// - Parameter isAwaiting: other packets still await their answers.
  mutating func onAnswer(isAwaiting: Bool, now: Instant) {
    start = isAwaiting ? now : nil
    second = nil
  }

  /// Another path is in use, or nothing is awaited any more.
  mutating func end() { (start, second) = (nil, nil) }

  /// Whether nothing was heard for as long as that.
  func lasts(_ patience: Duration, now: Instant) -> Bool { start.map { now - $0 >= patience } ?? false }

  /// From when on the silence is believed: nil while only one packet is unanswered.
  func believedFrom(patience: Duration, answerTime: Duration) -> Instant? {
    guard let start, let second else { return nil }
    return max(start + patience, second + answerTime)
  }
}
