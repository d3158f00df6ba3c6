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

  /// Which way a datagram takes: through the interface whose door it names; with a socket for all, from the address
  /// that it names, if there is one; else as the system has it.
  func way(_ path: NetworkPath) -> (from: Attachment, port: UInt16)? {
    let family = path.remote.family
    let local = path.local
    if local.port != port, local.port != 0 {
      for interface in interfaces where interface.door == local.port {
        return interface.state == .down ? nil : interface.attachment(family).map { ($0, local.port) }
      }
    }
    if !renewsPort, !local.isUnspecified {
      for interface in interfaces where interface.state != .down {
        for attachment in interface.attachments where attachment.ip == local.ip && attachment.family == family {
          return (attachment, port)
        }
      }
    }
    return choice(family).map { ($0, port) }
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

  /// Opens a new socket for whatever names no other; the one before is read a little longer.
  func renewPort(now: Instant) {
    retire(port, now: now)
    port = freshPort()
  }

  private func retire(_ port: UInt16, now: Instant) {
    formerPorts.removeAll { $0.until <= now }
    formerPorts.append((port, now + Self.formerSocketLifetime))
  }

  /// Sockets of the process before are closed.
  func closeSockets() {
    formerPorts.removeAll()
    for interface in interfaces { interface.door = nil }
    hasLooked = false
    view = NetworkView()
    watched = []
    socketRoute = nil
  }

  /// Looks at the networks as a driver does, opens and closes sockets, and says what the process is to be told.
  func look(now: Instant) -> NetworkView {
    var view = NetworkView()
    for interface in interfaces where interface.state != .down {
      view.addresses += interface.attachments.map { $0.inside(port: 0) }
    }
    view.routes = watched.map { choice($0.family)?.route }
    if let route = view.routes.first ?? nil, renewsPort {
      if let socketRoute, socketRoute != route { renewPort(now: now) }
      socketRoute = route
    }
    if renewsPort, let first = watched.first { view.doors = doors(first.family, now: now) }
    view.socket = .any(port: port)
    return view
  }

  private func doors(_ family: AddressFamily, now: Instant) -> [NetworkAddress] {
    let chosen = choice(family)?.interface
    var doors: [NetworkAddress] = []
    for interface in interfaces {
      let attachment = interface.state == .down || interface === chosen ? nil : interface.attachment(family)
      guard let attachment, doors.count < Self.doorLimit else {
        if let door = interface.door { retire(door, now: now) }
        interface.door = nil
        continue
      }
      let door = interface.door ?? freshPort()
      interface.door = door
      doors.append(attachment.inside(port: door))
    }
    return doors
  }
}

extension Attachment {
  /// The way that begins here. The router has an address that no other network's has.
  var route: Route {
    let gateway = NetworkAddress(ip: (nat?.address.ip ?? ip) ^ 0x80, port: 0)
    return Route(source: inside(port: 0), gateway: gateway, interface: interface.number)
  }
}
