package import RoamkeyWire

/// How a datagram came.
package struct Arrival: Hashable, Sendable {
  /// With port.
  package var source: NetworkAddress
  /// The address that it was sent to; the port means nothing.
  package var destination: NetworkAddress
  /// The interface that it came in by.
  package var interface: UInt32

  package init(source: NetworkAddress, destination: NetworkAddress, interface: UInt32) {
    self.source = source
    self.destination = destination
    self.interface = interface
  }
}

/// Times that both sides keep (PROTOCOL §15.3).
package enum DiscoveryTimes {
  /// How long after a question its answers count.
  package static let nonceLifetime: Duration = .seconds(3)
}
