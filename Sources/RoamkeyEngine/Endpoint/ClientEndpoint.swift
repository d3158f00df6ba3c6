package import RoamkeyCrypto
package import RoamkeyWire

/// What a client wants, beside its key.
package struct ClientSettings: Sendable {
  package var application: String
  /// The only key that the server may have; nil trusts whichever answers first (and lets the caller remember it).
  package var pin: PlayerID?
  /// The only signing policy that is accepted; nil takes the server's.
  package var requiredPolicy: SigningPolicy?
  package var displayName: String?
  /// Whether the handshake tells limits; off only for the reference vectors, which have none.
  package var announcesLimits = true

  package init(application: String) { self.application = application }
}

/// A client's protocol machine: one handshake, then one session, over a socket of its own.
package final class ClientEndpoint: DatagramHandler {
  /// Begins with the first address of `candidates`, and tries the others when it stays silent.
  package init(
    key: consuming PlayerKey, settings: ClientSettings, configuration: RoamkeyConfiguration, entropy: Entropy
  ) {}
  package private(set) var statistics = EndpointStatistics()

  /// Starts the handshake; `joined` or `connectFailed` follows.
  package func connect(to candidates: [NetworkAddress], now: Instant) {}

  package func receive(_ datagram: inout MutableRawSpan, path: NetworkPath, now: Instant) {}
  package func handleTimeout(now: Instant) {}
  package var nextTimeout: Instant? { nil }
  package func pollTransmit(into output: inout OutputRawSpan, now: Instant) -> NetworkPath? { nil }

  package func drainEvents(into events: inout [EngineEvent]) {}
  package func send(_ content: [UInt8], delivery: Delivery, channel: UInt64, now: Instant) throws(SendError) {}
  package func consumed(_ credit: Int, now: Instant) {}
  /// Ends the session: at once, or once everything that was queued has been acknowledged. `left` follows.
  package func close(afterDelivery: Bool, now: Instant) {}
  /// The socket has a new local address: tell the server at once.
  package func localAddressChanged(from: NetworkAddress, to: NetworkAddress, now: Instant) {}
  /// Whether nothing is left to send.
  package var isIdle: Bool { true }
}
