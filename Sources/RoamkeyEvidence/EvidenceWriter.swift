package import RoamkeyCrypto
package import RoamkeyEngine
internal import RoamkeyWire

/// Writes one part as bytes (EVIDENCE). It knows no file: whoever has it appends what it makes.
package struct EvidenceWriter: Sendable {
  /// Of this part.
  package let header: EvidenceHeader
  private var chain: EvidenceChain
  private var records: UInt32 = 0
  private var packets: UInt64 = 0
  private var missed: UInt64 = 0
  /// Whether something was written since the recorder last signed.
  package private(set) var isUnsigned = false

  /// So many bytes a signed record takes, the last one included.
  package static let endSize = EvidenceRecord.headSize + EvidenceRecord.endSize
  package static let checkpointSize = EvidenceRecord.headSize + EvidenceRecord.checkpointSize

  /// So many bytes a packet takes.
  package static func size(ofPacket plaintext: Int) -> Int {
    EvidenceRecord.headSize + EvidenceRecord.packetHead + plaintext
  }

  /// Begins a part.
  package init(_ header: EvidenceHeader, into bytes: inout [UInt8]) {
    self.header = header
    let encoded = header.encoded
    chain = EvidenceChain(header: encoded)
    bytes += encoded
  }

  /// A packet that was received. One that no record can hold, which is more than a datagram may have, becomes a gap: a
  /// peer decides what it sends.
  /// - Parameters:
  ///   - packet: its number and blinder.
  ///   - plaintext: frames and trailer.
  ///   - time: when it was received, in microseconds since 1970.
  ///   - bytes: what the record is appended to.
  /// - Returns: whether it is kept.
  @discardableResult
  package mutating func add(
    _ packet: SignedPacket, _ plaintext: RawSpan, time: UInt64, into bytes: inout [UInt8]
  ) -> Bool {
    guard EvidenceRecord.allows(.packet, size: EvidenceRecord.packetHead + plaintext.byteCount) else {
      addGap(1, time: time, into: &bytes)
      return false
    }
    packets += 1
    write(.packet, size: EvidenceRecord.packetHead + plaintext.byteCount, time: time, into: &bytes) { bytes in
      bytes.append(bigEndian: packet.number)
      packet.blinder.withUnsafeBytes { bytes.append(contentsOf: $0) }
      plaintext.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    return true
  }

  /// So many packets were received here, and left out.
  package mutating func addGap(_ count: UInt64, time: UInt64, into bytes: inout [UInt8]) {
    missed = missed.addingReportingOverflow(count).partialValue
    write(.gap, size: EvidenceRecord.gapSize, time: time, into: &bytes) { $0.append(bigEndian: count) }
  }

  /// Signs for all that is there so far.
  package mutating func addCheckpoint(_ key: borrowing PlayerKey, time: UInt64, into bytes: inout [UInt8]) {
    sign(.checkpoint, what: nil, key, time: time, into: &bytes)
  }

  /// Signs for all of it: nothing follows in this part.
  package mutating func addEnd(
    _ what: EvidenceEnd, _ key: borrowing PlayerKey, time: UInt64, into bytes: inout [UInt8]
  ) {
    sign(.end, what: what, key, time: time, into: &bytes)
  }

  /// The header of the part that goes on where this one has ended.
  package var next: EvidenceHeader {
    EvidenceHeader(
      application: header.application, server: header.server, player: header.player, recorder: header.recorder,
      handshakeHash: header.handshakeHash, part: header.part + 1, previous: chain.value)
  }

  // MARK: Helpers

  private mutating func write(
    _ kind: EvidenceRecord.Kind, size: Int, time: UInt64, into bytes: inout [UInt8], _ body: (inout [UInt8]) -> Void
  ) {
    let start = begin(kind, size: size, into: &bytes)
    bytes.append(bigEndian: time)
    body(&bytes)
    chain.add(bytes.span.bytes.extracting(start..<bytes.count))
    isUnsigned = true
  }

  private mutating func sign(
    _ kind: EvidenceRecord.Kind, what: EvidenceEnd?, _ key: borrowing PlayerKey, time: UInt64, into bytes: inout [UInt8]
  ) {
    let size = what == nil ? EvidenceRecord.checkpointSize : EvidenceRecord.endSize
    let start = begin(kind, size: size, into: &bytes)
    bytes.append(bigEndian: time)
    bytes.append(bigEndian: packets)
    bytes.append(bigEndian: missed)
    if let what { bytes.append(what.rawValue) }
    let statement = chain.statement(of: bytes.span.bytes.extracting(start..<bytes.count))
    bytes += key.sign(statement.span.bytes).bytes
    chain.add(bytes.span.bytes.extracting(start..<bytes.count))
    isUnsigned = false
  }

  /// - Returns: where the record begins.
  private mutating func begin(_ kind: EvidenceRecord.Kind, size: Int, into bytes: inout [UInt8]) -> Int {
    let start = bytes.count
    records += 1
    bytes.append(kind.rawValue)
    bytes.append(bigEndian: records)
    bytes.append(bigEndian: UInt16(size))
    return start
  }
}
