public import RoamkeyCrypto
public import RoamkeyWire

/// A session's number inside one endpoint: never reused, so a late command cannot hit the wrong player.
package struct SessionHandle: Hashable, Sendable {
  package let rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What the engine tells the app, in the order in which it happened.
package enum EngineEvent: Sendable {
  /// Server: a player was admitted. Client: the server has answered under its key.
  case joined(SessionHandle, PlayerID, NetworkAddress)
  case message(SessionHandle, InboundMessage)
  case roamed(SessionHandle, AddressChange)
  /// Nothing was heard for a while; the session goes on and keeps its queue.
  case offline(SessionHandle)
  /// It was heard again.
  case online(SessionHandle)
  case left(SessionHandle, EndReason)
  /// What became of a message whose sender asked for a receipt, by the number that the sender gave it.
  case receipt(SessionHandle, UInt64, DeliveryOutcome)
  /// Client: there will be no session.
  case connectFailed(ConnectError)
  /// Client: the server is silent, and its name should be looked up again (`ClientEndpoint.learn`).
  case searching(SessionHandle)
  /// Client: the server has begun anew and does not know the session. `joined` follows with another handle once it has
  /// let us in again, else `left`. These reliable messages were not acknowledged: it may have got them or not.
  case reset(SessionHandle, [UndeliveredMessage])
}

/// A reliable message that was not acknowledged when its session was lost.
package struct UndeliveredMessage: Sendable, Equatable {
  package var stream: StreamID
  package var priority: Priority
  package var content: MessageContent
  /// After this moment it would not have been sent any more.
  package var expires: Instant?
  /// The app's number for it, where it wanted a receipt.
  package var receipt: UInt64?

  package init(
    stream: StreamID, priority: Priority, content: MessageContent, expires: Instant? = nil, receipt: UInt64? = nil
  ) {
    self.stream = stream
    self.priority = priority
    self.content = content
    self.expires = expires
    self.receipt = receipt
  }
}

/// A message that arrived.
package struct InboundMessage: Sendable {
  package var stream: StreamID
  /// Its number in the stream, from 0.
  package var sequence: UInt64
  package var content: MessageContent
  /// What it costs of the sender's credit: given back with `consumed` once the app has taken it. 0 where it is not
  /// reliable.
  package var credit: Int
  package var receivedAt: Instant
  /// When it was sent, on this side's clock; without a comparison of clocks a guess from the round trip.
  package var sentAt: Instant
  /// How far `sentAt` may be off; nil while the clocks have not been compared.
  package var sentAtError: Duration?

  package init(
    stream: StreamID, sequence: UInt64, content: MessageContent, credit: Int, receivedAt: Instant, sentAt: Instant,
    sentAtError: Duration? = nil
  ) {
    self.stream = stream
    self.sequence = sequence
    self.content = content
    self.credit = credit
    self.receivedAt = receivedAt
    self.sentAt = sentAt
    self.sentAtError = sentAtError
  }
}

/// Somebody's address changed; the session did not.
package struct AddressChange: Sendable, Equatable {
  package enum Side: Sendable { case own, peer }
  package var side: Side
  package var from: NetworkAddress
  package var to: NetworkAddress
}

/// Why a session ended.
public enum EndReason: Sendable, Hashable {
  /// Closed by an app, all in order.
  case closed
  /// Put out by the host, with the host's words.
  case kicked(String)
  /// The same player opened a newer session, which took the place of this one.
  case replaced
  /// The server stopped.
  case shutdown
  /// The player did not keep up with what the host had to send.
  case tooSlow
  /// Nothing was heard for the whole `offlineLimit`; a client has looked everywhere for its server meanwhile.
  case timedOut
  /// One side broke the protocol, so the session was ended; the number is the code on the wire.
  case violation(code: UInt64)
  /// The server began anew, and did not let this player in again, or was not heard any more. A client's `undelivered`
  /// has what was not confirmed, as at every end.
  case notReadmitted(ConnectError)
}

/// Why a server turned somebody away.
public enum Refusal: Sendable, Hashable {
  case wrongApplication
  case wrongSigningPolicy
  /// The server has a list of players, and this one is not on it.
  case notAllowed
  case banned
  case full
}

/// Why there is no session.
public enum ConnectError: Error, Sendable, Hashable {
  /// Nobody answered within the handshake timeout.
  case noAnswer
  /// Somebody answered with another key than the pinned one.
  case wrongServer(expected: PlayerID, found: PlayerID)
  /// The server speaks other versions of the protocol.
  case unsupportedVersion
  /// The server runs another application.
  case wrongApplication(server: String)
  /// The server's signing policy is not the required one.
  case wrongSigningPolicy(server: SigningPolicy)
  case refused(Refusal)
  /// The app closed the client before it was connected.
  case closed
}

/// Why a message was not taken. Nothing of it was sent.
public enum SendError: Error, Sendable, Hashable {
  /// The message has more bytes than `maximumMessageSize`, or than the other side takes.
  case tooLarge(size: Int, limit: Int)
  /// The queue holds as many bytes as `sendQueueLimit` allows: try again later, or send less.
  case queueFull(limit: Int)
  /// The session has ended, or there is none with this player.
  case notConnected
  /// The value has no form that can be sent, and why.
  case notEncodable(String)
}
