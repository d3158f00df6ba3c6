package import RoamkeyEngine
package import RoamkeyWire

/// A datagram on its way, as it is seen outside of anybody's NAT.
package struct Datagram {
  /// When it was sent.
  package var time: Instant
  package var source: NetworkAddress
  package var destination: NetworkAddress
  package var bytes: [UInt8]
  /// The index of the host whose bytes these are, whoever passes them on; nil for inventions.
  var author: Int?
  /// Which process of the server was running when it was sent: what an older one was shown proves nothing.
  var serverProcess = 0
  /// Where its sender had received something of the server by then, the first `proofCount` of these: what it can prove
  /// to hold.
  var proofs: Proofs?
  var proofCount = 0
  /// The same for those who have passed it on.
  var passedOnFrom: [NetworkAddress] = []

  /// Whether its bytes are the server's.
  package var isServers: Bool { author == 0 }
  /// Whether its bytes are a player's.
  package func isFrom(_ player: SimulatedPlayer) -> Bool { author == player.host.index }
}

/// What somebody on the way does with a datagram.
package enum TapVerdict: Sendable {
  case pass
  case drop
}

/// Addresses at which something of the server's process was received. They only grow, and may be thousands.
final class Proofs {
  private(set) var addresses: [NetworkAddress] = []
  private var known: Set<NetworkAddress> = []
  /// How many of them the ledger has taken note of.
  var counted = 0

  func add(_ address: NetworkAddress) {
    if addresses.last != address, known.insert(address).inserted { addresses.append(address) }
  }
}
