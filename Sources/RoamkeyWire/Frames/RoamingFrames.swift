/// The frames of players and servers that move (PROTOCOL §5).

/// A connection id for the receiver of the frame to use: `07 ‖ sequence ‖ retire ‖ length1 ‖ id ‖ token16`, with the
/// token by which the sender would say that it knows the id no more (PROTOCOL §6).
///
/// Id and token are left where they are and read on demand, so that a `Frame` stays small.
package struct NewConnectionIDFrame: Sendable {
  /// The id's number; 0 is the one of the handshake.
  package var sequence: UInt64
  /// Ids with a lower number are to be retired.
  package var retirePriorTo: UInt64
  private var id: Range<Int>

  package static let tokenSize = 16
  /// The most bytes it takes.
  package static let maximumSize = 1 + 8 + 8 + 1 + ConnectionID.maximumCount + tokenSize

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    sequence = try payload.readVarint(at: &position)
    retirePriorTo = try payload.readVarint(at: &position)
    let count = Int(try payload.readByte(at: &position))
    // Who uses the empty id has no other.
    guard (1...ConnectionID.maximumCount).contains(count), retirePriorTo <= sequence else { throw .malformed }
    id = try payload.readRange(count, at: &position)
    _ = try payload.readRange(Self.tokenSize, at: &position)
  }

  /// The id; `payload` is the one that the frame was read from.
  package func connectionID(_ payload: RawSpan) -> ConnectionID {
    // Its size was looked at when the frame was read.
    (try? ConnectionID(payload, id)) ?? ConnectionID()
  }

  /// The token; `payload` is the one that the frame was read from.
  package func token(_ payload: RawSpan) -> UInt128 {
    UInt128(bigEndian: payload.unsafeLoadUnaligned(fromByteOffset: id.upperBound, as: UInt128.self))
  }
}

/// Where a host can be reached beside the address in use: `0A ‖ sequence ‖ count1 ‖ count * (ip16 ‖ port2)`.
package struct AddressesFrame: Sendable {
  /// Rises with every change, so that a late one is recognised.
  package var sequence: UInt64
  private var list: Range<Int>

  /// How many addresses a frame holds at most.
  package static let maximumCount = 8
  private static let addressSize = 16 + 2

  init(_ payload: RawSpan, at position: inout Int) throws(WireError) {
    sequence = try payload.readVarint(at: &position)
    let count = Int(try payload.readByte(at: &position))
    guard count <= Self.maximumCount else { throw .malformed }
    list = try payload.readRange(count * Self.addressSize, at: &position)
  }

  /// The addresses, best first; `payload` is the one that the frame was read from.
  package func addresses(_ payload: RawSpan) -> [NetworkAddress] {
    stride(from: list.lowerBound, to: list.upperBound, by: Self.addressSize).map { start in
      let ip = UInt128(bigEndian: payload.unsafeLoadUnaligned(fromByteOffset: start, as: UInt128.self))
      let port = UInt16(bigEndian: payload.unsafeLoadUnaligned(fromByteOffset: start + 16, as: UInt16.self))
      return NetworkAddress(ip: ip, port: port)
    }
  }

  /// The bytes of a frame with so many addresses, at most.
  package static func maximumSize(count: Int) -> Int { 1 + 8 + 1 + count * addressSize }
}

extension OutputRawSpan {
  package mutating func appendPathDrop(_ data: UInt64) {
    append(FrameType.pathDrop)
    append(bigEndian: data)
  }

  /// - Parameter id: not the empty one.
  package mutating func appendNewConnectionID(
    sequence: UInt64, retirePriorTo: UInt64, _ id: ConnectionID, token: UInt128
  ) {
    append(FrameType.newConnectionID)
    append(varint: sequence)
    append(varint: retirePriorTo)
    append(UInt8(truncatingIfNeeded: id.count))
    id.withUnsafeBytes { append(contentsOf: $0) }
    append(bigEndian: token)
  }

  package mutating func appendRetireConnectionID(_ sequence: UInt64) {
    append(FrameType.retireConnectionID)
    append(varint: sequence)
  }

  package mutating func appendMoved(epoch: UInt64) {
    append(FrameType.moved)
    append(varint: epoch)
  }

  /// - Parameter addresses: at most `AddressesFrame.maximumCount`.
  package mutating func appendAddresses(sequence: UInt64, _ addresses: [NetworkAddress]) {
    append(FrameType.addresses)
    append(varint: sequence)
    append(UInt8(truncatingIfNeeded: addresses.count))
    for address in addresses {
      append(bigEndian: address.ip)
      append(bigEndian: address.port)
    }
  }
}
