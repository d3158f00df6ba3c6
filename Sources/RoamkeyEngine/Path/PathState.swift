import RoamkeyWire

/// One way to the peer: its addresses, whether the peer was shown to receive there, and what it may be sent
/// (PROTOCOL §5).
struct PathState: Sendable {
  /// A challenge on its way: who answers it receives at this address.
  struct Challenge: Sendable {
    let data: UInt64
    var triesLeft: Int
    var nextTry: Instant
    let deadline: Instant

    /// When it is to be repeated, if it may be, or given up.
    func nextTimeout(isBlocked: Bool) -> Instant {
      triesLeft > 0 && !isBlocked ? min(nextTry, deadline) : deadline
    }
  }

  var path: NetworkPath
  var isValidated: Bool
  /// Bytes of committed packets that came from there, and bytes sent there, while it was not validated.
  private var received = 0
  private var sent = 0
  var challenge: Challenge?
  /// A fallback's: its challenge was answered.
  var hasAnswered = false

  /// What may be sent to an unvalidated address, in multiples of what came from there.
  static let amplificationFactor = 3

  init(_ path: NetworkPath, isValidated: Bool) {
    self.path = path
    self.isValidated = isValidated
  }

  /// How many bytes may be sent there now.
  var budget: Int {
    isValidated ? .max : max(0, received.multipliedReportingOverflow(by: Self.amplificationFactor).partialValue - sent)
  }

  mutating func onReceived(_ bytes: Int) {
    if !isValidated { received += bytes }
  }

  mutating func onSent(_ bytes: Int) {
    if !isValidated { sent += bytes }
  }

  /// The data of its challenge, if it is due now; the next try follows after `interval`.
  mutating func takeChallenge(now: Instant, interval: Duration) -> UInt64? {
    guard let challenge, challenge.triesLeft > 0, now >= challenge.nextTry else { return nil }
    self.challenge?.triesLeft -= 1
    self.challenge?.nextTry = now + interval
    return challenge.data
  }
}
