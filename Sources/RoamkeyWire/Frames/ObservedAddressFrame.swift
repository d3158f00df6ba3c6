/// Where the server sees the client: `0B ‖ sequence ‖ ip16 ‖ port2`, IPv4 in its mapped form.
///
/// A client behind a NAT cannot see its own address change; this tells it, so that both sides can say `roamed`.
package struct ObservedAddressFrame: Sendable {
  /// Rises with every change, so that a late one is recognised.
  package var sequence: UInt64
  package var address: NetworkAddress

  package init(sequence: UInt64, address: NetworkAddress) {
    self.sequence = sequence
    self.address = address
  }

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    sequence = try payload.readVarint(at: &position)
    address = NetworkAddress(
      ip: try payload.readInteger(at: &position), port: try payload.readInteger(at: &position))
  }

  /// The most bytes it takes.
  package static let maximumSize = 1 + 8 + 16 + 2
}

extension OutputRawSpan {
  package mutating func appendObservedAddress(_ frame: ObservedAddressFrame) {
    append(FrameType.observedAddress)
    append(varint: frame.sequence)
    append(bigEndian: frame.address.ip)
    append(bigEndian: frame.address.port)
  }
}
