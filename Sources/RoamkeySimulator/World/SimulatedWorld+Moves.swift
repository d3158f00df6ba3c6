import RoamkeyEngine
package import RoamkeyWire

/// Where hosts are in the network, and what their systems tell them of it.
extension SimulatedWorld {
  // MARK: Players

  /// The player's NAT forgets its mapping and makes another: the same IP address with another port, which the player
  /// cannot see. What is sent to the old port goes nowhere. A simulated NAT forgets those of the whole household, and
  /// each gets its new port when it sends.
  package func rebind(_ player: SimulatedPlayer) {
    let host = player.host
    for attachment in host.interface.attachments {
      if let nat = attachment.nat {
        nat.forget()
      } else {
        attachment.map(host.interface.port, to: host.freshPort())
      }
    }
    trace.note(UInt64(host.outside.port))
  }

  /// The player goes to another network, with another IP address, on the interface that its system prefers.
  /// - Parameters:
  ///   - isNoticed: whether its system tells it so, as Linux does. If not it is a router on the way that has moved: the
  ///     player keeps the address that it knows of, and others see another.
  ///   - place: the number of the network; one where it never was by default.
  ///   - nat: the NAT there, if there is one.
  package func move(
    _ player: SimulatedPlayer, isNoticed: Bool = true, toPlace place: Int? = nil, behind nat: SimulatedNAT? = nil,
    _ families: AddressFamilies = .ipv4
  ) {
    move(player.host.interface, isNoticed: isNoticed, toPlace: place, behind: nat, families)
  }

  /// The player's app binds another socket, on another port; the one before is closed at once.
  package func rebindSocket(of player: SimulatedPlayer) {
    let (host, client) = (player.host, player.client)
    whenRunning(host) { [unowned host] now in
      let before = NetworkAddress.any(port: host.port)
      host.port = host.freshPort()
      host.view.socket = .any(port: host.port)
      client.localAddressChanged(from: before, to: host.view.socket, now: now)
    }
  }

  // MARK: The server

  /// The server goes to another network, with another IP address and the same port.
  /// - Parameters:
  ///   - isNoticed: whether its system tells it so, as with players.
  ///   - nat: the NAT there, if there is one. It lets nobody in whom the server has not written to, unless it was told
  ///     to (`openPort`).
  package func moveServer(
    isNoticed: Bool = true, toPlace place: Int? = nil, behind nat: SimulatedNAT? = nil,
    _ families: AddressFamilies = .ipv4
  ) {
    move(serverHost.interface, isNoticed: isNoticed, toPlace: place, behind: nat, families)
  }

  /// Tells the router of a host to let everybody in who writes to the host's port: under the same port outside.
  package func openPort(of host: SimulatedHost) {
    host.nat?.open(host.inside)
    touch(host)
  }

  /// Where the server can be found, as others see it, the preferred interface first: what a name would say.
  package var serverAddresses: [NetworkAddress] {
    let others = serverHost.interfaces.filter { $0 !== serverHost.interface }
    return ([serverHost.interface] + others).filter { $0.state == .up }.flatMap { interface in
      interface.attachments.map { $0.outside(port: serverHost.port) }
    }
  }

  // MARK: Interfaces

  /// Adds an interface that is connected to nothing; the first one is the preferred one.
  @discardableResult
  package func addInterface(to host: SimulatedHost, conditions: NetworkConditions = .perfect) -> SimulatedInterface {
    let number = UInt32(truncatingIfNeeded: host.interfaces.count + 2)
    let interface = SimulatedInterface(number: number, host: host, conditions: conditions)
    host.interfaces.append(interface)
    return interface
  }

  /// Connects an interface to another network, and tells nobody.
  /// - Parameters:
  ///   - place: the number of the network; one where the host never was by default.
  ///   - families: which addresses it gives out. IPv6 needs no NAT.
  package func connect(
    _ interface: SimulatedInterface, toPlace place: Int? = nil, behind nat: SimulatedNAT? = nil,
    _ families: AddressFamilies = .ipv4
  ) {
    let place = goOn(interface, to: place)
    attach(
      interface,
      AddressFamily.allCases.filter(families.contains).map { family in
        let nat = family == .ipv4 ? nat : nil
        let address = Self.address(host: interface.host.index, place: place, family, isInside: nat != nil)
        return Attachment(interface, inside: address, outside: address, behind: nat)
      })
  }

  /// Connects an interface to another network.
  /// - Parameter isNoticed: if not, it keeps its own addresses, as far as it has any of these families.
  package func move(
    _ interface: SimulatedInterface, isNoticed: Bool = true, toPlace place: Int? = nil,
    behind nat: SimulatedNAT? = nil, _ families: AddressFamilies = .ipv4
  ) {
    let host = interface.host
    if isNoticed {
      connect(interface, toPlace: place, behind: nat, families)
    } else {
      let place = goOn(interface, to: place)
      attach(
        interface,
        AddressFamily.allCases.filter(families.contains).map { family in
          let outside = Self.address(host: host.index, place: place, family)
          let inside = interface.attachment(family)?.inside(port: 0) ?? outside
          return Attachment(interface, inside: inside, outside: outside, behind: family == .ipv4 ? nat : nil)
        })
    }
    interface.uplink.change(to: interface.uplink.conditions)
    interface.downlink.change(to: interface.downlink.conditions)
    if isNoticed { notice(host) }
  }

  /// The system of a host prefers another interface: the default route moves.
  package func prefer(_ interface: SimulatedInterface, isNoticed: Bool = true) {
    let host = interface.host
    guard let index = host.interfaces.firstIndex(where: { $0 === interface }) else { return }
    host.preferred = index
    trace.note(UInt64(index) | 1 << 59)
    if isNoticed { notice(host) }
  }

  /// An interface comes, goes, or falls silent. With `down` and `up` the system notices.
  package func set(_ interface: SimulatedInterface, _ state: SimulatedInterface.State) {
    let host = interface.host
    let isNoticed = (interface.state == .down) != (state == .down)
    interface.state = state
    if isNoticed { notice(host) }
  }

  private func goOn(_ interface: SimulatedInterface, to place: Int?) -> Int {
    let host = interface.host
    let place = place ?? (host.lastPlace + 1)
    host.lastPlace = max(host.lastPlace, place)
    return place
  }

  private func attach(_ interface: SimulatedInterface, _ attachments: [Attachment]) {
    for old in interface.attachments {
      if attachmentsByIP[old.outsideIP] === old { attachmentsByIP[old.outsideIP] = nil }
      if attachmentsByInside[old.ip] === old { attachmentsByInside[old.ip] = nil }
    }
    interface.attachments = attachments
    for new in attachments {
      if new.nat == nil { attachmentsByIP[new.outsideIP] = new } else { attachmentsByInside[new.ip] = new }
      trace.note(UInt64(truncatingIfNeeded: new.outsideIP))
    }
  }

  // MARK: What a system tells

  /// How often a process may be told of its networks at one moment.
  private static let lookLimit = 100

  /// The host's driver looks at the networks, now or as soon as it runs, and tells the process of what is new.
  package func notice(_ host: SimulatedHost) {
    // Unowned: the host, which keeps it while it is suspended, is the world's.
    whenRunning(host) { [unowned self, unowned host] _ in look(host) }
  }

  /// What a driver does once its process watches other addresses; the first ones among them.
  func lookIfNeeded(_ host: SimulatedHost) {
    if host.endpoint.watchedAddresses != host.watched { look(host) }
  }

  private func look(_ host: SimulatedHost) {
    // Who watches nothing is told nothing.
    if host.watched.isEmpty, host.endpoint.watchedAddresses.isEmpty { return }
    host.watched = host.endpoint.watchedAddresses
    let view = host.look(now: now)
    guard view != host.view else { return }
    host.view = view
    host.looks = host.lookedAt == now ? host.looks + 1 : 1
    host.lookedAt = now
    if host.looks > Self.lookLimit {
      fail("\(host.name) watches other addresses without end")
      isStuck = true
    }
    trace.note(UInt64(view.socket.port) | UInt64(view.doors.count) << 32 | 1 << 58)
    host.endpoint.networkChanged(view, now: time(of: host))
    touch(host)
  }

  // MARK: Addresses

  /// A host's address at the n-th place it goes to, with port 0: each place is another network. Host 0 is the server.
  /// - Parameter isInside: whether it is one behind a NAT, and so a private one.
  static func address(
    host: Int, place: Int, _ family: AddressFamily, isInside: Bool = false
  ) -> NetworkAddress {
    let (high, low) = (UInt8(truncatingIfNeeded: place >> 8), UInt8(truncatingIfNeeded: place))
    switch family {
    case .ipv4 where host == 0 && isInside: return NetworkAddress(ipv4: 192, 168, high, low, port: 0)
    case .ipv4 where host == 0 && place < 254: return NetworkAddress(ipv4: 192, 0, 2, low + 1, port: 0)
    // More than fit into the range for documents.
    case .ipv4 where host == 0: return NetworkAddress(ipv4: 192, 1, high, low, port: 0)
    case .ipv4:
      precondition(host <= 20_000, "there are addresses for 20,000 players")
      return NetworkAddress(
        ipv4: 10 + UInt8((host - 1) >> 8), UInt8(truncatingIfNeeded: host - 1), high, low, port: 0)
    case .ipv6:
      // In the range for documents, with a /64 of its own for each place.
      let network = UInt128(0x2001_0db8) << 96
      let subnet = UInt128(UInt16(truncatingIfNeeded: host)) << 80 | UInt128(UInt16(truncatingIfNeeded: place)) << 64
      return NetworkAddress(ip: network | subnet | 1, port: 0)
    }
  }
}
