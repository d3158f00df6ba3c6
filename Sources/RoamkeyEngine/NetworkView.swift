package import RoamkeyWire

/// How the system would send to an address now.
package struct Route: Hashable, Sendable {
  /// The address that it would send from; port 0.
  package var source: NetworkAddress
  /// The router on the way; nil where the destination is on the link. Port 0.
  package var gateway: NetworkAddress?
  /// The number of the interface.
  package var interface: UInt32

  package init(source: NetworkAddress, gateway: NetworkAddress?, interface: UInt32) {
    self.source = source
    self.gateway = gateway
    self.interface = interface
  }
}

/// What a driver knows of the networks that its machine is on: a value, so that roaming can be replayed without any.
package struct NetworkView: Equatable, Sendable {
  /// The machine's addresses on interfaces that are up, none of loopback; port 0.
  package var addresses: [NetworkAddress] = []
  /// How the system would send to each of the handler's `watchedAddresses`, in their order; nil: not at all.
  package var routes: [Route?] = []
  /// The address of the socket that carries whatever names no other. It changes when the driver has opened a new one,
  /// so that nobody can recognise a player who moved by the port.
  package var socket = NetworkAddress.any(port: 0)
  /// Local addresses of further sockets: each sends through one interface only, which the system does not prefer, to
  /// the first of the watched addresses. There are at most four.
  package var doors: [NetworkAddress] = []

  package init() {}
}
