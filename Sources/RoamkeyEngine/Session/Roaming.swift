import RoamkeyWire

/// News of which only the latest counts: numbered, and told until the peer knows.
struct OwedNews: Sendable {
  private(set) var sequence: UInt64 = 0
  var isOwed = false

  /// There is news.
  mutating func renew() {
    sequence += 1
    isOwed = true
  }

  /// The packet that told it was lost.
  mutating func onLost(_ lost: UInt64) { if lost == sequence { isOwed = true } }
}

/// What is owed to the peer of our own addresses, and of its (PROTOCOL §5). Every packet asks for it.
struct AddressNews: Sendable {
  /// MOVED: that we are elsewhere now, on purpose.
  var move = OwedNews()
  /// OBSERVED_ADDRESS, a server's: where the client is seen.
  var observation = OwedNews()
  /// ADDRESSES, a server's: where it could be reached besides.
  var list = OwedNews()
}

/// What both sides of a session have said, and know, of their own addresses (PROTOCOL §5).
struct Roaming: Sendable {
  /// The newest MOVED of the peer.
  var peerMove: UInt64?
  /// A server's: where it could be reached besides.
  var addresses: [NetworkAddress] = []

  // MARK: A client's

  /// Where the server last saw us.
  var observed: ObservedAddressFrame?
  /// The port from which what names no other leaves, and the way that the system takes: as of the last view.
  var socketPort: UInt16?
  var route: Route?
  /// The same, nil where there is none now.
  var routeNow: Route?

  /// How often our own end has changed without our knowing more of it.
  var changes: UInt64 = 0
  /// The server does not know this session any more.
  var isReset = false
  /// It ended since nothing was heard for too long.
  var isMissed = false
  /// A server that has closed: where else its client was heard, and how much may be said there.
  var closesElsewhere: PathManager.Response?
}
