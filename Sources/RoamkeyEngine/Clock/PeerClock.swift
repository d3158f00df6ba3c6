/// What the peer's clock shows, so that a message can tell its age (PROTOCOL §10.7).
///
/// Both sides ask each other with TIME_REQUEST and TIME_RESPONSE; neither sets its clock. Whatever a peer answers
/// concerns nothing but the ages of its own messages: it could lie about these anyway.
///
/// The caller's part: where `nextRequest` is due, `takeRequest` into a packet; `onRequest` and `onAnswer` for the
/// frames that come in; `takeAnswer` into the next packet that leaves.
struct PeerClock: Sendable {
  /// What became of an answer.
  enum AnswerOutcome: Sendable, Equatable {
    case accepted
    /// It contradicts what was known; the next answer decides.
    case doubted
    /// It contradicts what was known as the one before did: a clock was suspended or started again, and this is the
    /// first sample of a new estimate.
    case startedAnew
    /// Ignored: there was no such request lately, or it has been answered.
    case unsolicited
    /// Ignored: it says that it waited longer at the peer's than the whole trip took.
    case impossible
  }

  /// What the peer asked, and we have not answered yet.
  private struct Owed {
    let echo: UInt64
    let received: UInt64
  }

  // First what each packet asks for.
  private var owed: Owed?
  private var requests: TimeRequests
  /// Our own clock, as the peer sees it.
  let local: LocalClock
  private var filter = ClockFilter()
  /// Answers that were `unsolicited` or `impossible`.
  private(set) var ignoredAnswers: UInt64 = 0

  init(local: LocalClock, now: Instant) {
    self.local = local
    requests = TimeRequests(now: now)
  }

  // MARK: Asking

  /// When a request is to leave: nil while the session is not active, as none leaves by itself then. What is due before
  /// `activeUntil` stays due, so that this and `takeRequest` never disagree.
  @inline(__always)
  func nextRequest(activeUntil: Instant) -> Instant? { requests.next < activeUntil ? requests.next : nil }

  /// Our time for a TIME_REQUEST in the packet that is being written, if one is due. A packet that leaves anyway, for
  /// which `activeUntil` is `distantFuture`, takes along what would else leave in a packet of its own a moment later:
  /// both sides ask at the same pace, so one's answer carries the other's question. Where no message is about
  /// (`isIdle`), the packets are keep-alives, and what is known of the clock will do for a while.
  mutating func takeRequest(now: Instant, activeUntil: Instant, isIdle: Bool = false) -> UInt64? {
    let due =
      activeUntil < .distantFuture
      ? now : isIdle && hasSample ? now - TimeRequests.idlePatience : now + TimeRequests.earliness
    guard let next = nextRequest(activeUntil: activeUntil), next <= due else { return nil }
    let reading = local.microseconds(now)
    requests.onSent(reading, now: now)
    return reading
  }

  /// A TIME_RESPONSE: our request's time, the peer's clock when it arrived, and the microseconds that it then waited.
  /// Any values may come.
  mutating func onAnswer(echo: UInt64, received: UInt64, delay: UInt64, now: Instant) -> AnswerOutcome {
    let reading = local.microseconds(now)
    guard let elapsed = requests.takeElapsed(echo, now: reading) else {
      ignoredAnswers &+= 1
      return .unsolicited
    }
    guard let sample = ClockSample(elapsed: elapsed, received: received, delay: delay, local: reading) else {
      ignoredAnswers &+= 1
      return .impossible
    }
    switch filter.insert(sample) {
    case .accepted: return .accepted
    case .doubted:
      requests.askSoon(now: now)
      return .doubted
    case .startedAnew:
      requests.askAnew(now: now)
      return .startedAnew
    }
  }

  /// The first message is about to leave: what is due goes with it, and only if nothing leaves by itself.
  mutating func waitForCompany(now: Instant) { requests.waitForCompany(now: now) }

  /// The path is another one, or the peer is heard again after a silence: ask a few times at once. What is known stays,
  /// since clocks do not care about paths; samples of longer round trips are taken as they come, and count as soon as
  /// their error is the smaller one.
  mutating func reset(now: Instant) { requests.askAnew(now: now) }

  // MARK: Answering

  /// A TIME_REQUEST came. At most one answer is owed, to the newest.
  mutating func onRequest(_ time: UInt64, now: Instant) {
    owed = Owed(echo: time, received: local.microseconds(now))
  }

  /// Whether a packet should leave for an answer.
  var owesAnswer: Bool { owed != nil }

  /// The answer for the packet that is being written, if one is owed; once.
  mutating func takeAnswer(now: Instant) -> (echo: UInt64, received: UInt64, delay: UInt64)? {
    guard let owed else { return nil }
    self.owed = nil
    let reading = local.microseconds(now)
    return (owed.echo, owed.received, reading > owed.received ? reading - owed.received : 0)
  }

  // MARK: The estimate

  /// Whether anything is known of the peer's clock.
  var hasSample: Bool { filter.hasSample }

  /// What the peer's clock shows, in its microseconds; nil before the first sample.
  func peerMicroseconds(_ now: Instant) -> UInt64? { filter.reading(at: local.microseconds(now)) }

  /// How many microseconds the peer's clock is ahead of ours, which itself means nothing, as both began at random; but
  /// its changes do. Modulo 2^64.
  func offset(_ now: Instant) -> Int64? {
    peerMicroseconds(now).map { Int64(bitPattern: $0 &- local.microseconds(now)) }
  }

  /// How much faster the peer's clock runs than ours, in millionths; nil before it was measured, which takes 30 s.
  var skewPartsPerMillion: Double? {
    filter.isSkewKnown ? Double(filter.skew.partsPerBillion) / 1000 : nil
  }

  /// How far off the estimate may be at a moment: half the round trip, as nobody knows how it divides into there and
  /// back, and what the clocks may have drifted apart between the best sample and that moment. Give it `now`, or for a
  /// message the moment that `localInstant` told. Nil before the first sample.
  @inline(__always)
  func errorBound(at moment: Instant) -> Duration? {
    // A moment on our clock is off by more than the peer's reading where the peer's clock is the slower one.
    filter.error(at: local.microseconds(moment)).map { .microseconds($0 + $0 >> 10) }
  }

  /// When the peer's clock showed these 24 bits of its milliseconds, as a moment of ours: the latest such time that is
  /// not later than now, give or take the error. It is right to within `errorBound` and the millisecond of the
  /// rounding, for messages of the last 4.6 h; of older ones nobody can tell. Never later than `now`; nil before the
  /// first sample.
  @inline(__always)
  func localInstant(ofPeer24 milliseconds: UInt32, now: Instant) -> Instant? {
    let here = local.microseconds(now)
    guard let peerNow = filter.reading(at: here), let error = filter.error(at: here) else { return nil }
    let latest = (peerNow &+ UInt64(error) &+ 1000) / 1000
    let back = (latest &- UInt64(milliseconds)) & LocalClock.messageTimeMask
    let age = Int64(bitPattern: peerNow &- (latest &- back) &* 1000)
    guard age > 0 else { return now }
    let localAge = age + filter.skew.inverse.gain(over: age)
    return min(local.instant(here &- UInt64(localAge)), now)
  }
}
