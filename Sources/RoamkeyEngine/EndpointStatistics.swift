/// Why a datagram or packet was dropped.
package enum DropReason: Int, CaseIterable, Sendable {
  /// Shorter than any packet, longer than a packet may be, or a first byte that means nothing.
  case malformed
  /// A handshake datagram of a version that is not spoken.
  case unknownVersion
  /// A Hello without the mac at a quiet server.
  case quiet
  /// A Hello beyond the number of handshakes or of players per address.
  case tooManyHandshakes
  /// A Welcome or Finish that did not verify, or that belongs to no handshake.
  case badHandshake
  /// A packet for a connection id that nobody has.
  case unknownConnection
  /// A packet beyond the few that are held until Finish.
  case heldOverflow
  /// A packet number seen before, or too old to tell.
  case replayed
  /// The seal was wrong.
  case authenticationFailed
  /// The seal was right and the signature wrong.
  case badSignature
  /// A packet for a session that has ended.
  case ended
}

/// What an endpoint has counted since it began.
package struct EndpointStatistics: Sendable {
  private var drops = [UInt64](repeating: 0, count: DropReason.allCases.count)
  package var datagramsReceived: UInt64 = 0
  package var bytesReceived: UInt64 = 0
  package var datagramsSent: UInt64 = 0
  package var bytesSent: UInt64 = 0
  package var messagesReceived: UInt64 = 0
  package var messagesSent: UInt64 = 0
  /// Packets declared lost; their messages were sent again.
  package var packetsLost: UInt64 = 0
  /// Signatures made for packets: fewer than packets where some share one.
  package var signatures: UInt64 = 0
  /// Of the signatures that packets came with: those that other threads of the server have verified for this one.
  package var signaturesVerifiedElsewhere: UInt64 = 0
  package var sessionsOpened: UInt64 = 0
  package var refusals: UInt64 = 0
  /// Validated address changes.
  package var moves: UInt64 = 0
  package var retriesSent: UInt64 = 0
  /// Packets of unknown sessions that were told so, and sessions that a server did not know any more.
  package var resetsSent: UInt64 = 0
  package var resetsReceived: UInt64 = 0

  package init() {}

  package subscript(_ reason: DropReason) -> UInt64 { drops[reason.rawValue] }

  package mutating func count(_ reason: DropReason) { drops[reason.rawValue] += 1 }

  /// A datagram of so many bytes went out.
  mutating func countSent(_ bytes: Int) {
    datagramsSent += 1
    bytesSent += UInt64(bytes)
  }

  /// A datagram of so many bytes came in.
  mutating func countReceived(_ bytes: Int) {
    datagramsReceived += 1
    bytesReceived += UInt64(bytes)
  }

  /// A datagram that came in was handed over, and counts where it is received.
  mutating func countHandedOver(_ bytes: Int) {
    datagramsReceived -= 1
    bytesReceived -= UInt64(bytes)
  }

  /// Adds what another shard of the same server has counted.
  package mutating func add(_ other: EndpointStatistics) {
    for i in drops.indices { drops[i] += other.drops[i] }
    datagramsReceived += other.datagramsReceived
    bytesReceived += other.bytesReceived
    datagramsSent += other.datagramsSent
    bytesSent += other.bytesSent
    messagesReceived += other.messagesReceived
    messagesSent += other.messagesSent
    packetsLost += other.packetsLost
    signaturesVerifiedElsewhere += other.signaturesVerifiedElsewhere
    sessionsOpened += other.sessionsOpened
    refusals += other.refusals
    moves += other.moves
    retriesSent += other.retriesSent
    resetsSent += other.resetsSent
    resetsReceived += other.resetsReceived
  }

  /// All drops together.
  package var dropped: UInt64 { drops.reduce(0, +) }
}
