package import RoamkeyCrypto
package import RoamkeyWire

/// What a server is, beside its key.
package struct ServerSettings: Sendable {
  /// The application's name and version; clients of another one are turned away.
  package var application: String
  package var signingPolicy: SigningPolicy = .everyPacket
  /// For people to read.
  package var displayName: String?
  package var access = AccessList()
  /// Whether the handshake tells versions and limits; off only for the reference vectors, which have neither.
  package var announcesLimits = true

  package init(application: String) { self.application = application }
}

/// Who may join.
package struct AccessList: Sendable {
  /// Where set, nobody else may.
  package var allowed: Set<PlayerID>?
  package var denied: Set<PlayerID> = []

  package init() {}
}

/// A server's protocol machine: routes packets to sessions by connection id, admits newcomers.
package final class ServerEndpoint: DatagramHandler {
  package init(
    key: consuming PlayerKey, settings: ServerSettings, configuration: RoamkeyConfiguration, entropy: Entropy
  ) {
  }
  /// Replaces the lists for those who join from now on.
  package var access = AccessList()
  package private(set) var statistics = EndpointStatistics()

  package func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {}
  package func handleTimeout(now: Instant) {}
  package var nextTimeout: Instant? { nil }
  package func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? { nil }

  /// Hands over what happened since the last call, in order.
  package func drainEvents(into events: inout [EngineEvent]) {}
  /// Queues a message; only enqueues.
  package func send(
    _ content: [UInt8], delivery: Delivery, channel: UInt64, to handle: SessionHandle, now: Instant
  ) throws(SendError) {}
  /// Bytes of reliable messages (`InboundMessage.credit`) that the app has taken.
  package func consumed(_ credit: Int, of handle: SessionHandle, now: Instant) {}
  /// Ends a session; what was queued is not delivered any more. `left` follows.
  package func close(_ handle: SessionHandle, code: CloseCode, reason: String, now: Instant) {}
  /// Ends all sessions with `shutdown`; done when `isIdle`.
  package func shutdown(now: Instant) {}
  /// Whether nothing is left to send: no session is open or closing.
  package var isIdle: Bool { true }
}
