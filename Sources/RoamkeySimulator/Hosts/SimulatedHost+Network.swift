import RoamkeyEngine
package import RoamkeyWire

/// A host's sockets, and which way its datagrams take.
extension SimulatedHost {
  /// How long a socket that was replaced is still read.
  static let formerSocketLifetime = Duration.seconds(3)
  /// Sockets at most that send through one interface only.
  private static let doorLimit = 4
  private static let firstPort: UInt16 = 40_000
  private static let portRange = 20_000

  // MARK: The interface that the system prefers

  /// The interface that the system prefers.
  package var interface: SimulatedInterface { interfaces[preferred] }

  /// Its own address there, and the one that others see.
  package var inside: NetworkAddress { interface.inside }
  package var outside: NetworkAddress { interface.outside }
  package var nat: SimulatedNAT? { interface.nat }
  package var uplink: AccessLink { interface.uplink }
  package var downlink: AccessLink { interface.downlink }

  /// While false, nothing leaves and nothing arrives there, and nobody is told.
  package var isUp: Bool {
    get { interface.state == .up }
    set { interface.state = newValue ? .up : .silent }
  }

  /// Whether others see it at that IP address, alone or with others of its household.
  func isSeen(at address: NetworkAddress) -> Bool {
    interfaces.contains { interface in
      interface.attachments.contains { ($0.nat?.address.ip ?? $0.outsideIP) == address.ip }
    }
  }

  // MARK: Ways

  /// The address that the system would send from; nil where there is no network of that family.
  func choice(_ family: AddressFamily) -> Attachment? {
    if interface.state != .down, let attachment = interface.attachment(family) { return attachment }
    for other in interfaces where other.state != .down {
      if let attachment = other.attachment(family) { return attachment }
    }
    return nil
  }

  /// Whether anything at all gets out by the way that the system would choose.
  var hasNetwork: Bool { AddressFamily.allCases.contains { choice($0)?.interface.state == .up } }

  /// Which way a datagram takes, and from which port: as the Linux driver has it. It names a socket by its port, and
  /// may name an address of the host.
  func way(_ path: NetworkPath) -> (from: Attachment, port: UInt16)? {
    let (local, family) = (path.local, path.remote.family)
    if local.port == 0 || local.port == port {
      // Better from another address than not at all.
      return (holder(of: local, family) ?? choice(family)).map { ($0, port) }
    }
    if let interface = interfaces.first(where: { $0.door == local.port }) {
      guard interface.state != .down, let attachment = interface.attachment(family) else { return nil }
      return local.isUnspecified || attachment.ip == local.ip ? (attachment, local.port) : nil
    }
    if formerPorts.contains(where: { $0.port == local.port }) {
      // Who moved must not be seen with the port of before at the address of now.
      return (local.isUnspecified ? choice(family) : holder(of: local, family)).map { ($0, local.port) }
    }
    return choice(family).map { ($0, port) }
  }

  /// The interface's address that this is, if the host has it. The datagram leaves through that interface: a machine
  /// with several networks that did otherwise would be heard by nobody.
  private func holder(of local: NetworkAddress, _ family: AddressFamily) -> Attachment? {
    guard !local.isUnspecified, local.family == family else { return nil }
    for interface in interfaces where interface.state != .down {
      if let attachment = interface.attachment(family), attachment.ip == local.ip { return attachment }
    }
    return nil
  }

  /// Whether what arrives there on this port is read.
  func listens(on port: UInt16, of interface: SimulatedInterface, now: Instant) -> Bool {
    if port == self.port || port == interface.door { return true }
    return formerPorts.contains { $0.port == port && now < $0.until }
  }

  // MARK: Sockets

  /// A port that it has not had for long.
  func freshPort() -> UInt16 {
    portCount += 1
    return Self.firstPort + UInt16(portCount % Self.portRange)
  }

  /// Sockets of the process before are closed.
  func closeSockets() {
    formerPorts.removeAll()
    for interface in interfaces { interface.door = nil }
    view = NetworkView()
    watched = []
    baseline = nil
  }

  /// Looks at the networks as the Linux driver does, opens and closes sockets, and says what the process is to be told.
  func look(now: Instant) -> NetworkView {
    formerPorts.removeAll { $0.until <= now }
    var view = NetworkView()
    let present = interfaces.filter { $0.state != .down }
    view.addresses = present.flatMap { $0.attachments.map { $0.inside(port: 0) } }.sorted { $0.ip < $1.ip }
    view.routes = watched.map { choice($0.family)?.route }
    if renewsPort, let first = watched.first {
      renewPort(first, view.routes[0], now: now)
      view.doors = doors(first.family)
    }
    view.socket = .any(port: port)
    return view
  }

  /// On another way than before, a new socket for whatever names no other; the one before is read a little longer.
  private func renewPort(_ destination: NetworkAddress, _ route: Route?, now: Instant) {
    guard let last = baseline, last.destination == destination else {
      baseline = (destination, route)
      return
    }
    guard let route, route != last.route else { return }
    if last.route != nil {
      formerPorts.append((port, now + Self.formerSocketLifetime))
      port = freshPort()
    }
    baseline = (destination, route)
  }

  /// Opens doors through the interfaces that the system does not prefer, and closes those whose network is gone. One
  /// that is open stays when the system comes to prefer its interface.
  private func doors(_ family: AddressFamily) -> [NetworkAddress] {
    let chosen = choice(family)?.interface
    for interface in interfaces {
      let attachment = interface.state == .down ? nil : interface.attachment(family)
      if interface.door != nil, interface.doorRoute != attachment?.route { interface.door = nil }
    }
    var count = interfaces.count { $0.door != nil }
    for interface in interfaces where interface.door == nil && interface !== chosen && count < Self.doorLimit {
      guard interface.state != .down, let attachment = interface.attachment(family) else { continue }
      (interface.door, interface.doorRoute) = (freshPort(), attachment.route)
      count += 1
    }
    return interfaces.compactMap { interface in
      interface.door.flatMap { interface.attachment(family)?.inside(port: $0) }
    }
  }
}

extension Attachment {
  /// The way that begins here. The router has an address that no other network's has.
  var route: Route {
    let gateway = NetworkAddress(ip: (nat?.address.ip ?? ip) ^ 0x80, port: 0)
    return Route(source: inside(port: 0), gateway: gateway, interface: interface.number)
  }
}
