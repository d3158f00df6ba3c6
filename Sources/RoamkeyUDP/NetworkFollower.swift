// The way of a look at the networks:
//
//  1. something was heard from the system, or the watched addresses are not those of the last look, or it is time for
//     another one
//  2. ask: interfaces, addresses, the route to each watched address
//  3. a client on another way than before: a new main socket, the old one stays for a while
//  4. a client: doors through the other interfaces
//  5. a view that is not the one told last: the loop tells the handler
internal import RoamkeyEngine
internal import RoamkeyWire

/// Keeps a loop's sockets in step with the machine's networks, and tells what it sees of them.
final class NetworkFollower {
  /// The system does not announce all that follows from a change (routes that go with an address or a link): after
  /// each one it is looked once more.
  private static let settling: Duration = .milliseconds(50)
  /// After a look that failed, or left something to be done.
  private static let retry: Duration = .seconds(1)
  /// Addresses in a view.
  static let mostAddresses = 64
  /// Interfaces that are asked for a door; machines with more are no players'.
  private static let mostCandidates = 32

  private let mobility: Mobility
  private let watcher: NetworkWatcher
  private var queries: NetworkQueries
  private var budget = LookBudget()
  /// What was watched at the last look.
  private var watched: [NetworkAddress] = []
  /// Something has changed since the last look.
  private var isStale = false
  /// When to look again even if nothing is heard.
  private var again = Instant.distantFuture
  /// The first watched address and the last way there; a new one is measured against it.
  private var baseline: (destination: NetworkAddress, route: Route?)?
  /// The way of the baseline is lost, and the main socket is a new one since then: whatever way comes next, nothing has
  /// left by it yet.
  private var isSocketFresh = false
  private var told: NetworkView?

  /// What one look saw.
  private struct Sight {
    var isRunning: [UInt32: Bool] = [:]
    /// On interfaces that run and are not loopback.
    var addresses: [InterfaceAddress] = []
    var loopback: Set<UInt32> = []
    var tunnels: Set<UInt32> = []
  }

  /// Nil for a driver that stays where it is.
  /// - Throws: where the system does not let networks be watched.
  init?(_ mobility: Mobility, poller: borrowing Poller) throws(SystemError) {
    guard mobility != .fixed else { return nil }
    self.mobility = mobility
    queries = try NetworkQueries()
    watcher = try NetworkWatcher()
    try poller.add(watcher)
  }

  /// When `look` is to be called at the latest.
  var next: Instant {
    guard !watched.isEmpty else { return .distantFuture }
    return isStale ? budget.next : max(again, budget.next)
  }

  /// Takes note that the system has told of a change.
  /// - Throws: when it will tell of no more.
  func hear() throws(SystemError) {
    if try watcher.drain() { isStale = true }
  }

  /// Takes note that the loop's main socket was replaced from outside.
  func socketReplaced() { isStale = true }

  /// Looks, where there is a reason to, and changes the sockets as it takes.
  /// - Returns: what to tell the handler, if it is news.
  func look(
    at destinations: [NetworkAddress], now: Instant, sockets: inout SocketSet, poller: inout Poller,
    statistics: inout SocketStatistics
  ) -> NetworkView? {
    if destinations != watched {
      watched = destinations
      isStale = true
      if destinations.isEmpty { return leave(&sockets, &poller, &statistics) }
    }
    guard !watched.isEmpty, isStale || again <= now, budget.next <= now else { return nil }
    budget.spend(at: now)
    again = isStale ? now + Self.settling : .distantFuture
    isStale = false
    do throws(SystemError) {
      return try see(now, &sockets, &poller, &statistics)
    } catch {
      statistics.networkLooksFailed += 1
      again = now + Self.retry
      return nil
    }
  }

  /// Nothing is watched any more.
  private func leave(
    _ sockets: inout SocketSet, _ poller: inout Poller, _ statistics: inout SocketStatistics
  ) -> NetworkView? {
    again = .distantFuture
    baseline = nil
    sockets.closeDoors(except: [], &poller, &statistics)
    guard var view = told else { return nil }
    (view.routes, view.doors, view.socket) = ([], [], sockets.main.localAddress)
    return news(view)
  }

  private func see(
    _ now: Instant, _ sockets: inout SocketSet, _ poller: inout Poller, _ statistics: inout SocketStatistics
  ) throws(SystemError) -> NetworkView? {
    let sight = try see()
    var view = NetworkView()
    let addresses = Set(sight.addresses.map(\.address)).sorted { ($0.ip, $0.scope) < ($1.ip, $1.scope) }
    view.addresses = Array(addresses.prefix(Self.mostAddresses))
    for destination in watched { view.routes.append(try route(to: destination, sight: sight)) }
    if mobility == .client && sockets.main.localAddress.isUnspecified {
      let ways = try doorRoutes(to: watched[0], besides: view.routes[0], sight, sockets.doors.map(\.route))
      renew(view.routes[0], now, &sockets, &poller, &statistics)
      open(ways, now, &sockets, &poller, &statistics)
    } else {
      sockets.closeDoors(except: [], &poller, &statistics)
    }
    view.socket = sockets.main.localAddress
    view.doors = sockets.doors.map(\.address)
    return news(view)
  }

  private func news(_ view: NetworkView) -> NetworkView? {
    guard view != told else { return nil }
    told = view
    return view
  }

  // MARK: Asking

  private func see() throws(SystemError) -> Sight {
    var sight = Sight()
    for link in try queries.links() {
      sight.isRunning[link.interface] = link.isRunning
      if link.isLoopback { sight.loopback.insert(link.interface) }
      if link.isPointToPoint { sight.tunnels.insert(link.interface) }
    }
    sight.addresses = try queries.addresses().filter {
      sight.isRunning[$0.interface] == true && !sight.loopback.contains($0.interface) && !$0.address.isLoopback
    }
    return sight
  }

  /// A route through an interface without a cable stays in the system's table, and leads nowhere. So does an IPv6 route
  /// when the last address that could be answered is gone: packets leave from a link-local one.
  private func route(
    to destination: NetworkAddress, through interface: UInt32? = nil, sight: Sight
  ) throws(SystemError) -> Route? {
    guard let route = try queries.route(to: destination, through: interface) else { return nil }
    let isDead = sight.isRunning[route.interface] == false
    let isMute = route.source.isLinkLocal && !destination.isLinkLocal && !destination.isMulticast
    return isDead || isMute ? nil : route
  }

  /// Ways to `destination` through interfaces that the system does not prefer, those of `open` doors first.
  ///
  /// None around a tunnel: who sends everything through one does not want to be seen elsewhere, whatever a table behind
  /// its back would allow. Nor any new ones while the system knows no way: it may be a tunnel's that has failed.
  private func doorRoutes(
    to destination: NetworkAddress, besides main: Route?, _ sight: Sight, _ open: [Route]
  ) throws(SystemError) -> [Route] {
    // Nothing leads to this machine but its loopback, and a scope names its interface.
    let isHere = main.map { sight.loopback.contains($0.interface) } ?? false
    let isTunnelled = main.map { sight.tunnels.contains($0.interface) } ?? false
    guard !isHere, !isTunnelled, !destination.isLoopback, destination.scope == 0 else { return [] }
    let suited = sight.addresses.filter {
      $0.address.isIPv4 == destination.isIPv4 && (!$0.address.isLinkLocal || destination.isLinkLocal)
    }
    let opened = open.map(\.interface)
    var candidates = opened.filter { interface in suited.contains { $0.interface == interface } }
    for interface in Set(suited.map(\.interface)).sorted() where !opened.contains(interface) {
      if let main, interface != main.interface { candidates.append(interface) }
    }
    var routes: [Route] = []
    for interface in candidates.prefix(Self.mostCandidates) {
      guard let route = try route(to: destination, through: interface, sight: sight) else { continue }
      // Behind a door that is open already the main route may have come; a new one is not opened there.
      if interface != main?.interface || open.contains(route) { routes.append(route) }
    }
    return Array(routes.prefix(SocketSet.mostDoors))
  }

  // MARK: Changing the sockets

  private func renew(
    _ route: Route?, _ now: Instant, _ sockets: inout SocketSet, _ poller: inout Poller,
    _ statistics: inout SocketStatistics
  ) {
    guard let last = baseline, last.destination == watched[0] else {
      baseline = (watched[0], route)
      isSocketFresh = false
      return
    }
    let isLost = route == nil && last.route != nil
    guard isLost ? !isSocketFresh : route != nil && (route != last.route || isSocketFresh) else { return }
    if last.route != nil, !isSocketFresh {
      do {
        try sockets.renewMain(by: UDPSocket(bind: .any(port: 0)), at: now, &poller, &statistics)
      } catch {
        statistics.socketsRefused += 1
        // The baseline stays, so that the next look tries again.
        again = min(again, now + Self.retry)
        return
      }
      statistics.socketsRenewed += 1
    }
    isSocketFresh = isLost
    if !isLost { baseline = (watched[0], route) }
  }

  private func open(
    _ routes: [Route], _ now: Instant, _ sockets: inout SocketSet, _ poller: inout Poller,
    _ statistics: inout SocketStatistics
  ) {
    sockets.closeDoors(except: routes, &poller, &statistics)
    let opened = sockets.doors.map(\.route)
    for route in routes where !opened.contains(route) {
      do {
        let socket = try UDPSocket(bind: .any(port: 0))
        // Not everywhere allowed. IPv4 needs no more than the interface beside each datagram; for IPv6 that is not
        // enough, and a door that does not lead where it says is worse than none.
        guard socket.restrict(to: route.interface) || route.source.isIPv4 else {
          statistics.socketsRefused += 1
          continue
        }
        try sockets.addDoor(socket, by: route, &poller, &statistics)
      } catch {
        statistics.socketsRefused += 1
        again = min(again, now + Self.retry)
      }
    }
  }
}
