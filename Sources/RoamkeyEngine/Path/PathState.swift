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
  }

  var path: NetworkPath
  var isValidated: Bool
  /// Bytes of committed packets that came from there, and bytes sent there, while it was not validated.
  private var received = 0
  private var sent = 0
  var challenge: Challenge?

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
}
