import RoamkeyWire

/// What a change of this machine's own networks asks for.
extension Session {
  /// What is known of our end where packets leave from a local address.
  func here(_ local: NetworkAddress) -> NetworkKey.Here {
    if search.isDoor(local) { return .door(local) }
    return roaming.route.map { .route($0) } ?? .counted(roaming.changes)
  }

  // MARK: A client's

  /// The networks of a client's machine, as they are now.
  /// - Parameter isFirst: nothing was known of the ways to this server before, so that nothing has changed.
  func networkChanged(_ view: NetworkView, isFirst: Bool, now: Instant) {
    guard isOpen else { return }
    let current = paths.active.path
    let before = (route: roaming.routeNow, port: roaming.socketPort)
    let last = roaming.route
    let wasLost = search.routeLostAt != nil
    let route = view.routes.first ?? nil
    search.doors = view.doors
    peerIDs.retireAsking { way in
      way.port == 0 ? view.socket.port != before.port : !view.doors.contains { $0.port == way.port }
    }
    roaming.routeNow = route
    if let route { roaming.route = route }
    roaming.socketPort = view.socket.port
    if search.isDoor(current.local), !isBetter(route, than: before.route, door: current.local) { return }
    // What named a door that is gone leaves from the main socket from now on.
    let isDoorGone = !current.local.isUnspecified
    guard let route else { return leaveLostRoute(view, from: before.port, now: now) }
    search.setRoute(isLost: false, now: now)
    let isOther = isDoorGone || before.port != view.socket.port || last != route
    if isFirst, !isDoorGone {
      networkKey.here = .route(route)
    } else if isOther || wasLost {
      move(
        to: NetworkPath(local: .any(port: 0), remote: current.remote), here: .route(route), announces: true, now: now)
    }
  }

  /// Whether the system has come to prefer a way that is not the door's own.
  private func isBetter(_ route: Route?, than before: Route?, door: NetworkAddress) -> Bool {
    guard let route, route != before else { return false }
    return route.source.ip != door.ip
  }

  /// The system has no way to the server where it is: by another interface at once, else it is looked for elsewhere.
  private func leaveLostRoute(_ view: NetworkView, from port: UInt16?, now: Instant) {
    if let door = view.doors.first {
      move(to: NetworkPath(local: door, remote: peerAddress), here: .door(door), announces: true, now: now)
    } else {
      // What may still leave does so by a new port, and must not be known by its id there.
      if port != view.socket.port { peerIDs.activate(for: .init(paths.active.path)) }
      search.setRoute(isLost: true, now: now)
    }
  }

  /// The app has given us another socket.
  func localAddressChanged(from: NetworkAddress, to: NetworkAddress, now: Instant) {
    guard !isEnded else { return }
    if from.ip != to.ip { roaming.changes += 1 }
    peerIDs.retireAsking { $0.port == 0 }
    roaming.socketPort = roaming.socketPort == nil ? nil : to.port
    let here = from.ip == to.ip ? networkKey.here : .counted(roaming.changes)
    move(to: NetworkPath(local: .any(port: 0), remote: peerAddress), here: here, announces: true, now: now)
  }

  // MARK: A server's

  /// The address of ours that the client uses is gone, or the way to it may be another one.
  func ownNetworkChanged(now: Instant) {
    guard isOpen else { return }
    roaming.changes += 1
    paths.active.path.local = .any(port: paths.active.path.local.port)
    pathChanged(to: NetworkKey(remote: peerAddress.ip, here: .counted(roaming.changes)), now: now)
    news.move.renew()
    owesPing = true
  }

  /// Where the server can be reached, beside where the client reaches it now.
  func tellAddresses(_ addresses: [NetworkAddress]) {
    let remote = peerAddress
    // What means nothing to the client, or is none of its business, is not told: addresses of a private network go to
    // those who are in one.
    let known = addresses.filter { !$0.isPrivate || remote.isPrivate || remote.isLoopback }
      .filter { !$0.isLinkLocal }
    let list = Array(known.prefix(AddressesFrame.maximumCount))
    guard list != roaming.addresses else { return }
    roaming.addresses = list
    news.list.renew()
  }
}
