public import RoamkeyEngine

extension SendError: CustomStringConvertible {
  /// One sentence that says what to do.
  public var description: String {
    switch self {
    case .tooLarge(let size, let limit): "the message has \(size) bytes and at most \(limit) can be sent: split it"
    case .notEncodable(let reason): "this value cannot be sent: \(reason)"
    case .queueFull(let limit): "\(limit) bytes are waiting to be sent already: wait a moment, or send less"
    case .notConnected: "there is no session any more: connect again"
    }
  }
}

extension EndReason: CustomStringConvertible {
  /// A short stable name, with the host's words after `kicked`.
  public var description: String {
    switch self {
    case .closed: "closed"
    case .kicked(let words): words.isEmpty ? "kicked" : "kicked: \(words)"
    case .replaced: "replaced"
    case .shutdown: "shutdown"
    case .tooSlow: "tooSlow"
    case .timedOut: "timedOut"
    case .violation(let code): "violation \(code)"
    case .notReadmitted: "notReadmitted"
    }
  }
}
