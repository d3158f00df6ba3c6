import RoamkeyEngine
package import RoamkeyWire

/// What a NAT does with datagrams. By default as most routers at home (RFC 4787): one outside port for each inside
/// address, and only those may answer whom somebody inside has written to.
package struct NATBehavior: Sendable, Equatable {
  /// How long a mapping, and the leave to answer, lasts after the last datagram from inside: 30 s are found in the
  /// field, RFC 4787 §4.3 asks for 120 s and more. What comes from outside prolongs nothing.
  package var timeout: Duration = .seconds(30)
  /// Whether each destination gets a port of its own (a "symmetric" NAT).
  package var isSymmetric = false
  /// Ports that may be in use at once, 1 to 16384; with none left, newcomers get nothing through.
  package var portLimit = 1024
  /// Destinations that a mapping remembers; the one not written to for longest is forgotten first.
  package var peerLimit = 64

  /// A `portLimit` outside of 1 to 16384 counts as the nearer end.
  package init(timeout: Duration = .seconds(30), isSymmetric: Bool = false, portLimit: Int = 1024) {
    self.timeout = timeout
    self.isSymmetric = isSymmetric
    self.portLimit = portLimit
  }
}

/// What a NAT has done since the world began.
public struct NATStatistics: Sendable, Equatable {
  /// Mappings made, each with a port that was not in use.
  public package(set) var mapped = 0
  /// Mappings that ran out, noticed when they were asked for or their port was needed.
  public package(set) var expired = 0
  /// Datagrams from outside to a port without a mapping.
  public package(set) var unmapped = 0
  /// Datagrams from outside to a mapping, by somebody whom nobody inside has written to lately.
  public package(set) var filtered = 0
  /// Datagrams from inside for which no port was left.
  public package(set) var exhausted = 0
}

/// A router that lends its address to those behind it: one player, or a household.
package final class SimulatedNAT {
  private struct Key: Hashable {
    let inside: NetworkAddress
    /// Only where each destination has its own mapping.
    let remote: NetworkAddress?
  }

  private struct Mapping {
    let key: Key
    var lastSent: Instant
    /// Who may answer, and when they were last written to.
    var peers: [NetworkAddress: Instant] = [:]
  }

  private static let firstPort: UInt16 = 49_152
  private static let portCount = 16_384

  /// Its outside address; the port means nothing.
  package let address: NetworkAddress
  /// Changes count from the next datagram on.
  package var behavior: NATBehavior
  /// What it has done.
  package private(set) var statistics = NATStatistics()
  /// The line that all behind it share.
  package internal(set) var uplink: AccessLink
  package internal(set) var downlink: AccessLink

  private var mappings: [UInt16: Mapping] = [:]
  private var ports: [Key: UInt16] = [:]
  /// How many ports were given out: the next one is another than the last.
  private var cursor = 0
  /// Ports that somebody has asked the router to keep open for whoever writes there, and for whom.
  private var openPorts: [UInt16: NetworkAddress] = [:]

  init(address: NetworkAddress, behavior: NATBehavior, conditions: NetworkConditions) {
    self.address = address
    self.behavior = behavior
    uplink = AccessLink(conditions)
    downlink = AccessLink(conditions)
  }

  /// Ports in use, those among them that have run out unnoticed.
  package var portsInUse: Int { mappings.count }

  // MARK: Open ports

  /// Keeps a port open for everybody, under the same number outside; below those that are given out.
  func open(_ inside: NetworkAddress) {
    precondition(inside.port < Self.firstPort, "such ports are given out to others")
    openPorts[inside.port] = inside
  }

  /// Whether everybody gets through to that port inside.
  func isOpen(to inside: NetworkAddress) -> Bool { openPorts[inside.port] == inside }

  // MARK: Translation

  /// The outside address that a datagram from inside leaves under; nil when there is no port for it.
  func translateOutbound(from inside: NetworkAddress, to remote: NetworkAddress, now: Instant) -> NetworkAddress? {
    if isOpen(to: inside) { return NetworkAddress(ip: address.ip, port: inside.port) }
    let key = Key(inside: inside, remote: behavior.isSymmetric ? remote : nil)
    guard let port = livePort(for: key, now: now) ?? makePort(for: key, now: now) else {
      statistics.exhausted += 1
      return nil
    }
    mappings[port]?.lastSent = now
    mappings[port]?.peers[remote] = now
    forgetPeers(of: port)
    var outside = address
    outside.port = port
    return outside
  }

  /// Whose datagram this is; nil when it is dropped.
  func translateInbound(from remote: NetworkAddress, to port: UInt16, now: Instant) -> NetworkAddress? {
    if let inside = openPorts[port] { return inside }
    guard let mapping = mappings[port], isAlive(mapping.lastSent, now: now) else {
      if mappings[port] != nil { remove(port) }
      statistics.unmapped += 1
      return nil
    }
    guard let lastSent = mapping.peers[remote], isAlive(lastSent, now: now) else {
      statistics.filtered += 1
      return nil
    }
    return mapping.key.inside
  }

  /// Whose port it is, or was: a mapping that has run out counts as well.
  func owner(of port: UInt16) -> NetworkAddress? { openPorts[port] ?? mappings[port]?.key.inside }

  /// Forgets every mapping, as a router that starts anew; each gets a fresh port with the next datagram from inside.
  /// Ports that were asked for stay open.
  package func forget() {
    mappings.removeAll()
    ports.removeAll()
  }

  // MARK: Mappings

  private func isAlive(_ lastSent: Instant, now: Instant) -> Bool { now < lastSent + behavior.timeout }

  private func livePort(for key: Key, now: Instant) -> UInt16? {
    guard let port = ports[key], let mapping = mappings[port] else { return nil }
    guard isAlive(mapping.lastSent, now: now) else {
      remove(port)
      return nil
    }
    return port
  }

  private func makePort(for key: Key, now: Instant) -> UInt16? {
    let limit = min(max(1, behavior.portLimit), Self.portCount)
    if mappings.count >= limit {
      for (port, mapping) in mappings where !isAlive(mapping.lastSent, now: now) { remove(port) }
    }
    guard mappings.count < limit else { return nil }
    // There is a free one, since fewer are in use than there are.
    var port = nextPort()
    while mappings[port] != nil { port = nextPort() }
    mappings[port] = Mapping(key: key, lastSent: now)
    ports[key] = port
    statistics.mapped += 1
    return port
  }

  private func nextPort() -> UInt16 {
    defer { cursor = (cursor + 1) % Self.portCount }
    return Self.firstPort + UInt16(cursor)
  }

  private func remove(_ port: UInt16) {
    guard let mapping = mappings.removeValue(forKey: port) else { return }
    ports[mapping.key] = nil
    statistics.expired += 1
  }

  /// Keeps a mapping's memory bounded. Which one goes does not depend on a dictionary's order: that differs from run to
  /// run.
  private func forgetPeers(of port: UInt16) {
    guard let peers = mappings[port]?.peers, peers.count > max(1, behavior.peerLimit) else { return }
    let oldest = peers.min { ($0.value, $0.key.ip, $0.key.port) < ($1.value, $1.key.ip, $1.key.port) }
    if let oldest { mappings[port]?.peers[oldest.key] = nil }
  }
}
