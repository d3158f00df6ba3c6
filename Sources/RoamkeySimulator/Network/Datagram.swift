package import RoamkeyEngine
package import RoamkeyWire

/// A datagram on its way, as it is seen outside of anybody's NAT.
package struct Datagram: Sendable {
  /// When it was sent.
  package var time: Instant
  package var source: NetworkAddress
  package var destination: NetworkAddress
  package var bytes: [UInt8]
  /// Addresses at which its sender had received something of the server by then: what it can prove to hold.
  var heardAt: [NetworkAddress] = []
  /// Which process of the server was running when it was sent: what an older one was shown proves nothing.
  var serverProcess = 0
}

/// What somebody on the way does with a datagram.
package enum TapVerdict: Sendable {
  case pass
  case drop
}
