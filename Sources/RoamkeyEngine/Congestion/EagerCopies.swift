/// When copies of unacknowledged messages go out, and how many bytes of them (docs/decisions/0009-eager-copies.md).
///
/// Without measured loss copies use up to a tenth of the bytes that are sent anyway. Under loss they may use up to a
/// quarter of what the congestion controller allows for a round trip: a game that sends little over a path that carries
/// much may then repeat each message once, and no path is loaded beyond its window either way.
struct EagerCopies: Sendable {
  /// Copies get one byte for so many others (10 %).
  private static let ordinaryShare = 10
  /// Under loss copies get this part of a congestion window each round trip (25 %).
  private static let lossyShare = 4
  /// What the ordinary share may save up, in bytes: two packets.
  private static let ordinaryLimit = 2400
  /// A copy waits for the next packet of the app for this part more than the usual time between two of them.
  private static let patience = (numerator: 5, denominator: 4)

  /// Bytes, times `ordinaryShare`.
  private var ordinaryAllowance = 0
  private var lossyAllowance = 0
  private var refilledAt: Instant?
  private var pausedUntil: Instant?

  /// When the app last had new messages that might be copied, and how long usually passes between two such times.
  private var lastNews: Instant?
  private var interval: Duration?
  /// The tail of what the app said has been repeated.
  private var isTailSent = true

  // MARK: How many

  /// Bytes of copies that may leave now.
  ///
  /// - Parameters:
  ///   - isLossy: loss was measured lately.
  ///   - window: the congestion controller's, in bytes.
  mutating func allowance(isLossy: Bool, window: Int, roundTrip: Duration, now: Instant) -> Int {
    if let pausedUntil {
      guard now >= pausedUntil else { return 0 }
      self.pausedUntil = nil
    }
    let ordinary = ordinaryAllowance / Self.ordinaryShare
    guard isLossy else {
      refilledAt = nil
      lossyAllowance = 0
      return ordinary
    }
    refill(window: window, roundTrip: roundTrip, now: now)
    return max(ordinary, lossyAllowance)
  }

  private mutating func refill(window: Int, roundTrip: Duration, now: Instant) {
    let limit = window / Self.lossyShare
    guard let before = refilledAt else {
      refilledAt = now
      lossyAllowance = limit
      return
    }
    let period = max(roundTrip.inNanoseconds, 1_000_000)
    let elapsed = min(max(0, (now - before).inNanoseconds), period)
    // At most a window of 2^40 bytes times 2^42 ns would overflow, so the product is taken in full width.
    let (high, low) = limit.multipliedFullWidth(by: Int(elapsed))
    let gained = high < period ? Int(period).dividingFullWidth((high, low)).quotient : limit
    // What is too little for a byte keeps its time.
    guard gained > 0 else { return }
    refilledAt = now
    lossyAllowance = min(limit, lossyAllowance + gained)
  }

  /// A packet left: `bytes` in all, `copied` of them copies.
  mutating func onSent(bytes: Int, copied: Int) {
    let gained = (bytes - copied) - copied * Self.ordinaryShare
    ordinaryAllowance = min(max(0, ordinaryAllowance + gained), Self.ordinaryLimit * Self.ordinaryShare)
    lossyAllowance = max(0, lossyAllowance - copied)
  }

  /// The path is congested. Copies pause for a round trip, so that they do not add to it, unless what is in flight uses
  /// less than half of the window: then it was not we who filled the path.
  mutating func onCongestion(isWindowUsed: Bool, roundTrip: Duration, now: Instant) {
    if isWindowUsed { pausedUntil = now + roundTrip }
  }

  // MARK: When

  /// New messages left that may be copied.
  mutating func onNews(now: Instant) {
    if let lastNews {
      let sample = min(now - lastNews, .seconds(1))
      interval = interval.map { ($0 * 3 + sample) / 4 } ?? sample
    }
    lastNews = now
    isTailSent = false
  }

  /// The tail goes out now, or may not: it is tried once.
  mutating func onTail() { isTailSent = true }

  /// When copies leave in a packet of their own, should nothing else leave before: the tail of what the app says.
  ///
  /// An app that speaks in a rhythm is given until a little after its next word is due, since a copy costs least in a
  /// packet that goes out anyway. `suspicion`: the time after which a missing acknowledgement is suspicious.
  func tailDeadline(suspicion: Duration) -> Instant? {
    guard let lastNews, !isTailSent else { return nil }
    if let interval {
      let wait = interval * Self.patience.numerator / Self.patience.denominator
      if wait <= suspicion { return lastNews + wait }
    }
    return lastNews + suspicion / 2
  }

  /// Another network: what was learnt of the old one says nothing; the app's rhythm stays.
  mutating func reset() {
    pausedUntil = nil
    refilledAt = nil
    lossyAllowance = 0
  }
}
