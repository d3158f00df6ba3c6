import RoamkeyWire

/// A datagram under way, and what it comes to next.
///
/// Out: the host's NAT, then its uplink, then the line of its household; in: the line, the NAT, the downlink. So a NAT
/// sees all that its players send, and mappings live on what is lost behind it.
final class Flight {
  enum Leg {
    /// The line that a household shares, on the way out.
    case line(SimulatedNAT)
    /// The middle of the network, where a datagram is routed by its destination.
    case core
    /// A household's NAT, on the way in.
    case nat(SimulatedNAT)
    /// The socket of a host with this port, reached at one of its addresses.
    case socket(Attachment, port: UInt16)
    /// An address that no host holds.
    case elsewhere

    /// Whether somebody gets the datagram there.
    var isLast: Bool {
      switch self {
      case .socket, .elsewhere: true
      case .line, .core, .nat: false
      }
    }
  }

  var datagram: Datagram
  /// The index of the host that sent it; nil for somebody on the way, whom no cut stops and whose datagrams no link
  /// loses.
  let sender: Int?
  var leg = Leg.core
  /// Its sender has not finished its turn.
  var isBeingSent: Bool

  init(_ datagram: Datagram, sender: Int?) {
    self.datagram = datagram
    self.sender = sender
    isBeingSent = sender != nil
  }

  /// Bytes of UDP payload.
  var size: Int { datagram.bytes.count }

  /// A second one of it, which goes its own way from here.
  func copy() -> Flight {
    let copy = Flight(datagram, sender: sender)
    copy.isBeingSent = isBeingSent
    return copy
  }
}
