import Roamkey

/// How a player has behaved: how many commands it may still give, and how many of its messages made no sense.
///
/// Both fill up and fade with time, so that neither a burst after a cut nor one old mistake counts for long.
struct Conduct: Hashable, Sendable {
  /// Commands a second, in the long run.
  private static let rate = 20.0
  /// What may come at once: five seconds of play that a dead network has kept back.
  private static let burst = 120.0
  /// Messages without sense that are too many; one is forgiven each second.
  private static let mostStrikes = 20.0

  private var allowance = Conduct.burst
  private var strikes = 0.0
  private var last: GameTime

  init(now: GameTime) { last = now }

  /// Whether there is one more command to spend.
  mutating func spend(_ cost: Double = 1, at now: GameTime) -> Bool {
    fade(now)
    guard allowance >= cost else { return false }
    allowance -= cost
    return true
  }

  /// Counts a message without sense.
  /// - Returns: whether it was one too many.
  mutating func strike(at now: GameTime) -> Bool {
    fade(now)
    strikes += 1
    return strikes > Self.mostStrikes
  }

  private mutating func fade(_ now: GameTime) {
    let seconds = max(0, last.duration(to: now).inSeconds)
    last = now
    allowance = min(Self.burst, allowance + seconds * Self.rate)
    strikes = max(0, strikes - seconds)
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
