/// How long the peer has owed an acknowledgement: the only sign of a way that has died without an error.
///
/// One packet may be lost on the best of ways. So a silence is believed once a second packet, too, has gone unanswered
/// for as long as its answer takes. The silence after a packet whose answer may take longer (PROTOCOL §10.1) begins
/// so much later: it may begin in the future.
struct Silence: Sendable {
  /// Since when something ack-eliciting awaits its answer, with none since.
  private(set) var start: Instant?
  /// Since when the first such packet, and the second one, could be answered if the second is answered at once.
  private var first: Instant?
  private var second: Instant?

  /// Something ack-eliciting leaves on the active path.
  /// - Parameters:
  ///   - answerDelay: how long the peer may wait with its answer, if it comes to that one packet's own.
  ///   - beyondPromised: the part of it that a probe timeout does not count.
  mutating func onSent(answerDelay: Duration = .zero, beyondPromised: Duration = .zero, now: Instant) {
    let (begins, answerable) = (now + beyondPromised, now + answerDelay)
    guard let start else {
      (self.start, first) = (begins, answerable)
      return
    }
    self.start = min(start, begins)
    second = second ?? max(first ?? answerable, answerable)
  }

  /// Something was acknowledged.
  /// - Parameters:
  ///   - isAwaiting: other packets still await their answers.
  ///   - beyondPromised: how much later these may come than a probe timeout counts.
  mutating func onAnswer(isAwaiting: Bool, beyondPromised: Duration = .zero, now: Instant) {
    start = isAwaiting ? now + beyondPromised : nil
    first = isAwaiting ? start : nil
    second = nil
  }

  /// Another path is in use, or nothing is awaited any more.
  mutating func end() { (start, first, second) = (nil, nil, nil) }

  /// Whether nothing was heard for as long as that.
  func lasts(_ patience: Duration, now: Instant) -> Bool { start.map { now - $0 >= patience } ?? false }

  /// From when on the silence is believed: nil while only one packet is unanswered.
  func believedFrom(patience: Duration, answerTime: Duration) -> Instant? {
    guard let start, let second else { return nil }
    return max(start + patience, second + answerTime)
  }
}
