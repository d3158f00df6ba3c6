import RoamkeyEngine
package import RoamkeyWire

/// A host's connection to one network: its addresses there, and its access.
package final class SimulatedInterface {
  package enum State: Sendable {
    case up
    /// Nothing passes, and nobody is told: the system still believes in it.
    case silent
    /// The system knows that it is gone: it has no addresses, and no way leads through it.
    case down
  }

  /// Its number, as the system of its host counts: 1 is loopback.
  package let number: UInt32
  unowned let host: SimulatedHost
  package var state = State.up
  /// At most one of each family.
  var attachments: [Attachment] = []
  /// The socket that sends through this interface alone, and the way that it was opened for.
  package internal(set) var door: UInt16?
  var doorRoute: Route?
  package internal(set) var uplink: AccessLink
  package internal(set) var downlink: AccessLink

  init(number: UInt32, host: SimulatedHost, conditions: NetworkConditions) {
    self.number = number
    self.host = host
    uplink = AccessLink(conditions)
    downlink = AccessLink(conditions)
  }

  /// Its address of a family, if it has one.
  func attachment(_ family: AddressFamily) -> Attachment? { attachments.first { $0.family == family } }

  /// The port that sends from here: the door's where the system prefers another interface.
  var port: UInt16 { self === host.interface ? host.port : door ?? host.port }

  /// Its own address, and the one that others see: they differ behind a NAT. Behind a simulated one it is the address
  /// of the last datagram that left, with port 0 before the first. Of two families IPv4; unspecified where it has none.
  package var inside: NetworkAddress { attachments.first?.inside(port: port) ?? .any(port: 0) }
  package var outside: NetworkAddress { attachments.first?.outside(port: port) ?? .any(port: 0) }
  package var nat: SimulatedNAT? { attachments.first?.nat }

  /// The same for one family; nil where it has none.
  package func outside(_ family: AddressFamily) -> NetworkAddress? { attachment(family)?.outside(port: port) }
  package func inside(_ family: AddressFamily) -> NetworkAddress? { attachment(family)?.inside(port: port) }
}

package enum AddressFamily: Sendable, CaseIterable {
  case ipv4, ipv6
}

/// The families of addresses that a network gives out.
package enum AddressFamilies: Sendable, CaseIterable {
  case ipv4, ipv6, both

  func contains(_ family: AddressFamily) -> Bool {
    switch self {
    case .both: true
    case .ipv4: family == .ipv4
    case .ipv6: family == .ipv6
    }
  }
}

extension NetworkAddress {
  package var family: AddressFamily { isIPv4 ? .ipv4 : .ipv6 }
}

/// An address of an interface, for as long as it keeps it. What is under way to one that is gone reaches nobody, even
/// if another network gives out the same address.
final class Attachment {
  unowned let interface: SimulatedInterface
  let family: AddressFamily
  /// The address that the host knows of.
  let ip: UInt128
  /// The one that others see, where no simulated NAT lends its own.
  let outsideIP: UInt128
  let nat: SimulatedNAT?
  /// What a router that is not simulated makes of ports, where it is not the same.
  private var outsidePorts: [UInt16: UInt16] = [:]
  /// Behind a simulated NAT, where the last datagram left from.
  private var lastOutside: NetworkAddress

  init(_ interface: SimulatedInterface, inside: NetworkAddress, outside: NetworkAddress, behind nat: SimulatedNAT?) {
    self.interface = interface
    family = inside.family
    ip = inside.ip
    outsideIP = outside.ip
    self.nat = nat
    lastOutside = nat?.address ?? .any(port: 0)
  }

  func inside(port: UInt16) -> NetworkAddress { NetworkAddress(ip: ip, port: port) }

  func outside(port: UInt16) -> NetworkAddress {
    guard let nat else { return NetworkAddress(ip: outsideIP, port: outsidePorts[port] ?? port) }
    return nat.isOpen(to: inside(port: port)) ? NetworkAddress(ip: nat.address.ip, port: port) : lastOutside
  }

  /// Where the next datagram from a port leaves from; nil when the NAT has no port for it.
  func leave(from port: UInt16, to remote: NetworkAddress, now: Instant) -> NetworkAddress? {
    guard let nat else { return outside(port: port) }
    guard let outside = nat.translateOutbound(from: inside(port: port), to: remote, now: now) else { return nil }
    lastOutside = outside
    return outside
  }

  /// The host's port that stands behind an outside one, where no simulated NAT decides; nil where none does.
  func insidePort(of outside: UInt16) -> UInt16? {
    guard !outsidePorts.isEmpty else { return outside }
    if let port = outsidePorts.first(where: { $0.value == outside })?.key { return port }
    return outsidePorts[outside] == nil ? outside : nil
  }

  /// The router that is not simulated gives a port another outside port.
  func map(_ port: UInt16, to outside: UInt16) { outsidePorts[port] = outside }
}
