/// What stands before the payload of a state message (STATE §2).
struct StateHeader: Equatable {
  /// The number of the state, one for each call of `publish`.
  var frame: UInt64
  /// Frames back to the first baseline; 0 for a whole state.
  var distance: UInt64
  /// Frames back to the older one; 0 for none.
  var olderDistance: UInt64

  /// Distances are below it.
  static let distanceLimit: UInt64 = 1 << 32

  /// The three numbers as varints: seven bits in each byte, the lowest first, and 80 where another byte follows.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for number in [frame, distance, olderDistance] {
      var left = number
      while left >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: left) | 0x80)
        left >>= 7
      }
      bytes.append(UInt8(truncatingIfNeeded: left))
    }
    return bytes
  }

  init(frame: UInt64, distance: UInt64 = 0, olderDistance: UInt64 = 0) {
    self.frame = frame
    self.distance = distance
    self.olderDistance = olderDistance
  }

  /// Takes it from the front of a message.
  init(_ body: inout ArraySlice<UInt8>) throws(StateError) {
    frame = try Self.number(&body)
    distance = try Self.number(&body)
    olderDistance = try Self.number(&body)
    let isInOrder = distance <= frame && (olderDistance == 0 || distance > 0 && olderDistance > distance)
    guard isInOrder, distance < Self.distanceLimit, olderDistance < Self.distanceLimit, olderDistance <= frame else {
      throw .malformed
    }
  }

  private static func number(_ body: inout ArraySlice<UInt8>) throws(StateError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 63, by: 7) {
      guard let byte = body.popFirst() else { throw .malformed }
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte & 0x80 == 0 { return value }
    }
    throw .malformed
  }
}
