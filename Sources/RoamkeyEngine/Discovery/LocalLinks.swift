package import RoamkeyWire

/// The links that a machine is on: who is a neighbour there, and which addresses are everybody's. A value, so that
/// discovery can be replayed without a network.
package struct LocalLinks: Equatable, Sendable {
  /// An address of this machine.
  package struct Entry: Hashable, Sendable {
    package var interface: UInt32
    /// Port 0.
    package var address: NetworkAddress
    /// How many bits of it all neighbours share: at most 32, for IPv6 128.
    package var prefixLength: Int
    /// The interface leads to this machine itself.
    package var isLoopback: Bool

    package init(interface: UInt32, address: NetworkAddress, prefixLength: Int, isLoopback: Bool = false) {
      self.interface = interface
      self.address = address
      self.prefixLength = prefixLength
      self.isLoopback = isLoopback
    }

    /// The bits that differ between neighbours.
    fileprivate var hostMask: UInt128 {
      let width = address.isIPv4 ? 32 : 128
      let count = width - min(max(prefixLength, 0), width)
      return count == 128 ? .max : (1 << UInt128(count)) - 1
    }

    /// Whether it is on the link, by the bits of its address. A prefix of no bits would be the whole world.
    fileprivate func contains(_ other: NetworkAddress) -> Bool {
      prefixLength > 0 && other.isIPv4 == address.isIPv4 && (other.ip ^ address.ip) & ~hostMask == 0
    }

    /// The link's broadcast address; nil for IPv6, and for links of one or two addresses, which have none (RFC 3021).
    package var broadcast: NetworkAddress? {
      guard address.isIPv4, (1...30).contains(prefixLength) else { return nil }
      return NetworkAddress(ip: address.ip | hostMask, port: 0)
    }
  }

  /// All addresses on links that run; none of tunnels, which have another end and no neighbours.
  package var entries: [Entry]

  package init(_ entries: [Entry] = []) { self.entries = entries }

  /// IPv4: an organisation's own scope (RFC 2365 §6.1), 239.255/16, and in it the letters RK: no number that somebody
  /// assigns. It is sent with hop limit 1.
  package static let group4 = NetworkAddress(ipv4: 239, 255, 0x52, 0x4b, port: 0)
  /// IPv6: `ff12::524b:1`, link-local and not assigned by anybody (RFC 4291 §2.7, T flag).
  package static let group6 = NetworkAddress(ip: 0xff12 << 112 | 0x524b_0001, port: 0)
  /// All on the link, `255.255.255.255`: where a switch loses groups.
  package static let everybody = NetworkAddress(ipv4: 255, 255, 255, 255, port: 0)

  /// Whether `address` can only be a machine on this interface's link, or this machine itself.
  package func isNeighbour(_ address: NetworkAddress, on interface: UInt32) -> Bool {
    guard !address.isUnspecified, !address.isMulticast, !address.isBroadcast else { return false }
    let here = entries.filter { $0.interface == interface }
    if here.contains(where: \.isLoopback) {
      // What this machine sends to an address of its own comes by here, whichever address that is. The system lets
      // nobody else use one.
      return address.isLoopback || entries.contains { $0.address.ip == address.ip }
    }
    guard !address.isLoopback else { return false }
    if address.isLinkLocal { return here.contains { !$0.address.isIPv4 } }
    return here.contains { $0.contains(address) && $0.broadcast?.ip != address.ip }
  }

  /// The address of ours that a neighbour is answered from, by an interface; port 0. Nil where none is of its family.
  package func address(facing neighbour: NetworkAddress, on interface: UInt32) -> NetworkAddress? {
    let here = entries.filter { $0.interface == interface && $0.address.isIPv4 == neighbour.isIPv4 }
    let exact =
      neighbour.isLinkLocal
      ? here.first { $0.address.isLinkLocal } : here.first { !$0.address.isLinkLocal && $0.contains(neighbour) }
    return (exact ?? here.first)?.address
  }

  /// Whether a datagram to `destination` was for all on this interface's link: no router passes such a one on.
  package func isForEverybody(_ destination: NetworkAddress, on interface: UInt32) -> Bool {
    let here = entries.filter { $0.interface == interface }
    guard !here.isEmpty else { return false }
    switch destination.ip {
    case Self.group4.ip, Self.group6.ip, Self.everybody.ip: return true
    default: return here.contains { $0.broadcast?.ip == destination.ip }
    }
  }
}
