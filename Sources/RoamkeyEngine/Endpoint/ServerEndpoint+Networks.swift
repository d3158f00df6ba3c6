import RoamkeyWire

/// A server whose own machine changes networks (PROTOCOL §5.6).
extension ServerEndpoint {
  /// Its clients may be anywhere: an address of each family that stands for the whole net and is nobody's (RFC 5737,
  /// RFC 3849). Nothing is ever sent there.
  static let everywhere = [
    NetworkAddress(ipv4: 192, 0, 2, 1, port: 9), NetworkAddress(ip: 0x2001_0db8 << 96 | 1, port: 9),
  ]

  package func networkChanged(_ view: NetworkView, now: Instant) {
    let before = self.view
    self.view = view
    // In order of age: a dictionary's own order differs from run to run.
    for session in sessions.values.sorted(by: { $0.handle.rawValue < $1.handle.rawValue }) {
      if let before, hasMoved(session, from: before, to: view) { session.ownNetworkChanged(now: now) }
      tellAddresses(to: session)
      markReady(session)
    }
  }

  /// Whether a client may see us elsewhere now: the address that it uses is gone, or the way out is another one.
  private func hasMoved(_ session: Session, from before: NetworkView, to view: NetworkView) -> Bool {
    let path = session.paths.active.path
    // On the machine itself nothing moves.
    if path.remote.isLoopback { return false }
    func has(_ view: NetworkView) -> Bool { view.addresses.contains { $0.ip == path.local.ip } }
    if !path.local.isUnspecified, has(before), !has(view) { return true }
    let family = path.remote.isIPv4 ? 0 : 1
    guard family < view.routes.count, family < before.routes.count, let route = view.routes[family] else {
      return false
    }
    // Coming back counts as well: what was sent meanwhile is lost.
    return route != before.routes[family]
  }

  /// Tells a client where else the server can be reached.
  func tellAddresses(to session: Session) {
    guard let view else { return }
    let inUse = session.paths.active.path.local.ip
    // A socket that is bound to one address is reached there only.
    let others = view.socket.isUnspecified ? view.addresses.filter { $0.ip != inUse } : []
    // What everybody can reach first.
    let sorted = others.filter { !$0.isPrivate } + others.filter(\.isPrivate)
    session.tellAddresses(
      sorted.map { NetworkAddress(ip: $0.ip, port: view.socket.port, scope: 0) })
  }
}
