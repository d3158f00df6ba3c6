import RoamkeyCrypto
import RoamkeyWire

/// The short header of every packet after the handshake (PROTOCOL §3), before protection:
/// `00000 ‖ phase1 ‖ (pn_length - 1)2 ‖ dcid ‖ pn`.
package enum ShortHeader {
  package static let phaseBit: UInt8 = 0x04
  package static let reservedBits: UInt8 = 0x18
  /// The bits that header protection covers.
  static let protectedBits: UInt8 = 0x1f

  /// A first byte that no packet has: long headers, and the bits that are always zero.
  package static func isShort(_ firstByte: UInt8) -> Bool { firstByte & 0xe0 == 0 }

  /// The smallest datagram that could be a packet: the sample of header protection must lie inside.
  package static func minimumPacketSize(connectionIDSize: Int) -> Int { 1 + connectionIDSize + 4 + 16 }
}

/// Why a packet was not opened.
package enum OpenError: Error, Sendable {
  case tooShort
  case replayed
  case authenticationFailed
}

/// A packet whose seal was right; nothing of it has been believed yet.
package struct OpenedPacket: Sendable {
  package var number: UInt64
  package var phase: SessionKeys.Phase
  /// Frames and trailer, in the datagram.
  package var plaintext: Range<Int>
  /// They are to be zero: if not, the session closes.
  package var reservedBits: UInt8
  /// It was seen before, or may have been: nothing of it counts but that it is authentic.
  package var isReplay = false
}

extension SessionKeys {
  /// Seals and hides a packet in place: header, plaintext, and 16 bytes of room for the tag.
  /// - Parameter number: its low `numberSize` bytes end the header already.
  package borrowing func protect(
    _ packet: inout MutableRawSpan, headerSize: Int, numberSize: Int, number: UInt64
  ) {
    let plaintextSize = packet.byteCount - headerSize - ChaChaPoly.tagSize
    precondition(plaintextSize >= 4 - numberSize, "the sample of header protection lies inside of the packet")
    ChaChaPoly.seal(
      &packet, headerCount: headerSize, plaintextCount: plaintextSize, nonce: .init(packetNumber: number),
      key: memory, at: Self.offset(sending, .seal))
    let numberStart = headerSize - numberSize
    let mask = ChaChaPoly.headerMask(
      packet.bytes, sampleAt: numberStart + 4, key: memory, at: Self.offset(sending, .headerProtection))
    Self.applyMask(mask, to: &packet, numberStart: numberStart, numberSize: numberSize)
  }

  /// Finds the packet number, tests it against the replay window and opens the packet in place.
  /// - Parameter opensReplays: whether one that was seen before is opened all the same, and marked as such.
  package borrowing func open(
    _ datagram: inout MutableRawSpan, connectionIDSize: Int, window: ReplayWindow, receiving state: KeyPhaseState,
    opensReplays: Bool = false
  ) throws(OpenError) -> OpenedPacket {
    guard datagram.byteCount >= ShortHeader.minimumPacketSize(connectionIDSize: connectionIDSize) else {
      throw .tooShort
    }
    let direction = sending.opposite
    let numberStart = 1 + connectionIDSize
    let mask = ChaChaPoly.headerMask(
      datagram.bytes, sampleAt: numberStart + 4, key: memory, at: Self.offset(direction, .headerProtection))
    let first = datagram.unsafeLoad(as: UInt8.self) ^ UInt8(truncatingIfNeeded: mask) & ShortHeader.protectedBits
    let numberSize = Int(first & 0x03) + 1
    Self.applyMask(mask, to: &datagram, numberStart: numberStart, numberSize: numberSize)
    var truncated: UInt32 = 0
    for i in 0..<numberSize {
      truncated = truncated << 8 | UInt32(datagram.unsafeLoad(fromByteOffset: numberStart + i, as: UInt8.self))
    }
    let number = PacketNumber.decode(
      truncated: truncated, length: numberSize, expected: window.highest.map { $0 + 1 } ?? 0)
    let isReplay = !window.accepts(number)
    guard !isReplay || opensReplays else { throw .replayed }
    guard let phase = state.phase(bit: first & ShortHeader.phaseBit != 0, number: number) else {
      throw .authenticationFailed
    }
    let headerSize = numberStart + numberSize
    guard
      ChaChaPoly.open(
        &datagram, headerCount: headerSize, sealedCount: datagram.byteCount - headerSize,
        nonce: .init(packetNumber: number), key: memory, at: Self.offset(direction, Self.sealSlot(phase)))
    else { throw .authenticationFailed }
    return OpenedPacket(
      number: number, phase: phase, plaintext: headerSize..<(datagram.byteCount - ChaChaPoly.tagSize),
      reservedBits: first & ShortHeader.reservedBits, isReplay: isReplay)
  }

  private static func applyMask(
    _ mask: UInt64, to packet: inout MutableRawSpan, numberStart: Int, numberSize: Int
  ) {
    let first = packet.unsafeLoad(as: UInt8.self) ^ UInt8(truncatingIfNeeded: mask) & ShortHeader.protectedBits
    packet.storeBytes(of: first, as: UInt8.self)
    for i in 0..<numberSize {
      let position = numberStart + i
      let byte = packet.unsafeLoad(fromByteOffset: position, as: UInt8.self)
      packet.storeBytes(
        of: byte ^ UInt8(truncatingIfNeeded: mask >> (8 * (UInt64(i) + 1))), toByteOffset: position, as: UInt8.self)
    }
  }
}
