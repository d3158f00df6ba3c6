package import RoamkeyWire

/// A client whose machine changes networks (PROTOCOL §5.5).
extension ClientEndpoint {
  package func networkChanged(_ view: NetworkView, now: Instant) {
    var view = view
    if !context.configuration.usesOtherInterfaces { view.doors = [] }
    let isFirst = self.view == nil || viewedAddress != watchedAddresses.first
    self.view = view
    viewedAddress = watchedAddresses.first
    switch state {
    case .idle, .ended: break
    case .connecting(var attempt):
      // Whatever has changed, a Hello may get through now.
      if !isFirst { attempt.nextTry = now }
      state = .connecting(attempt)
    case .connected(let session, _): session.networkChanged(view, isFirst: isFirst, now: now)
    }
  }

  /// What is known of the networks when a session begins.
  func equip(_ session: Session, now: Instant) {
    if let view, viewedAddress == session.peerAddress { session.networkChanged(view, isFirst: true, now: now) }
  }

  /// Addresses for which the server's name stands now: where it is looked for when it is silent.
  package func learn(_ addresses: [NetworkAddress], now: Instant) {
    for address in addresses where !familiar.contains(address) { familiar.append(address) }
    familiar.removeFirst(max(0, familiar.count - Self.familiarLimit))
    switch state {
    case .idle, .ended: break
    case .connecting(var attempt):
      let news = addresses.prefix(Self.familiarLimit).filter { !attempt.candidates.contains($0) }
      guard attempt.isReconnecting, !news.isEmpty else { break }
      attempt.candidates = Array((news + attempt.candidates).prefix(Attempt.candidateLimit))
      attempt.nextTry = now
      state = .connecting(attempt)
    case .connected(let session, _): session.search.learn(addresses)
    }
  }

  private static let familiarLimit = 16

  /// Gives the server ids to move with, where ours are not empty.
  func issueIDs(to session: Session) {
    guard session.issuedIDs.wantsMore, session.isOpen, session.isAnnounced else { return }
    while session.issuedIDs.wantsMore {
      // No token of ours means anything: a client that has forgotten a session has nothing to say.
      let token = UInt128(context.entropy.number()) << 64 | UInt128(context.entropy.number())
      session.issuedIDs.issue(ConnectionID(context.entropy.number()), token: token)
    }
  }
}
