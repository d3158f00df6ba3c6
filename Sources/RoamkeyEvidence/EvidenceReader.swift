package import RoamkeyCrypto
package import RoamkeyEngine
internal import RoamkeyWire

/// A packet whose sender has signed it.
package struct EvidencePacket: Sendable {
  package var record: UInt32
  package var number: UInt64
  /// When it was received, in microseconds since 1970, in the word of the recorder.
  package var time: UInt64
  package var frames: [UInt8]

  /// One that somebody has checked.
  package init(record: UInt32, number: UInt64, time: UInt64, frames: [UInt8]) {
    self.record = record
    self.number = number
    self.time = time
    self.frames = frames
  }
}

/// Reads and checks one part, piece by piece (EVIDENCE §4): `append` bytes, ask for packets with `next` until there is
/// none, and `finish` at the end. Whatever is in the file: memory stays small, and nothing traps.
package struct EvidenceReader: Sendable {
  /// Once it was read.
  package private(set) var header: EvidenceHeader?
  package private(set) var summary = EvidenceSummary()
  /// Which numbers came, so that none counts twice; for the next part.
  package private(set) var window: ReplayWindow
  /// Where the chain stands.
  package var chainValue: Digest { chain?.value ?? Digest() }

  /// The last record that the recorder has signed for, with all before it.
  package private(set) var signed: UInt32 = 0

  private var buffer: [UInt8] = []
  private var position = 0
  private var chain: EvidenceChain?
  private var verifier: SignatureVerifier?
  private var records: UInt32 = 0
  /// The first packet that its sender has not signed. Whether somebody has altered it, or the recorder itself says so,
  /// the recorder's next signature tells.
  private var suspect: UInt32?

  /// - Parameter window: what has come in the parts before.
  package init(after window: ReplayWindow = ReplayWindow()) { self.window = window }

  package mutating func append(_ bytes: [UInt8]) {
    if position > 0 {
      buffer.removeFirst(position)
      position = 0
    }
    buffer += bytes
  }

  /// The next packet that is good.
  /// - Returns: nil where more bytes are needed.
  package mutating func next() throws(EvidenceError) -> EvidencePacket? {
    if header == nil { try readHeader() }
    guard let header else { return nil }
    while summary.end == nil, let (kind, range) = try nextRecord() {
      let record = Array(buffer[range])
      let bytes = record.span.bytes
      switch kind {
      case .packet:
        if let packet = try readPacket(bytes, header) { return packet }
      case .gap: try readGap(bytes)
      case .checkpoint, .end: try readSignature(kind, bytes, header)
      }
    }
    if summary.end != nil, position < buffer.count { throw .continued(record: records) }
    return nil
  }

  /// The file has no more bytes.
  package mutating func finish() throws(EvidenceError) {
    if let packet = try next() { preconditionFailure("packet \(packet.number) was not asked for") }
    guard summary.end == nil else { return }
    if let suspect { throw .altered(record: suspect) }
    throw .truncated(records: records, signed: signed)
  }

  // MARK: Pieces

  /// Reads the header, where all of it is there.
  mutating func readHeader() throws(EvidenceError) {
    guard let (header, size) = try EvidenceHeader.read(buffer) else { return }
    self.header = header
    chain = EvidenceChain(header: Array(buffer[..<size]))
    verifier = SignatureVerifier(peer: header.sender)
    position = size
  }

  /// The next record where all of it is there; the reader stands behind it.
  private mutating func nextRecord() throws(EvidenceError) -> (EvidenceRecord.Kind, Range<Int>)? {
    let start = position + EvidenceRecord.headSize
    guard buffer.count >= start else { return nil }
    let code = buffer[position]
    let number = buffer[(position + 1)..<(position + 5)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let size = Int(buffer[position + 5]) << 8 | Int(buffer[position + 6])
    let (expected, isTooFar) = records.addingReportingOverflow(1)
    guard let kind = EvidenceRecord.Kind(rawValue: code), EvidenceRecord.allows(kind, size: size), !isTooFar else {
      throw suspect.map { .altered(record: $0) } ?? .malformed(record: expected)
    }
    guard number == expected else {
      throw suspect.map { .altered(record: $0) } ?? .reordered(record: expected, found: number)
    }
    guard buffer.count - start >= size else { return nil }
    let range = position..<(start + size)
    position = range.upperBound
    records = expected
    return (kind, range)
  }

  /// - Returns: nil where the packet is not the sender's.
  private mutating func readPacket(
    _ record: RawSpan, _ header: EvidenceHeader
  ) throws(EvidenceError) -> EvidencePacket? {
    chain?.add(record)
    var place = EvidenceRecord.headSize
    guard let time: UInt64 = try? record.readInteger(at: &place),
      let number: UInt64 = try? record.readInteger(at: &place),
      let blinderRange = try? record.readRange(Digest.size, at: &place)
    else { throw .malformed(record: records) }
    summary.note(time: time)
    summary.packets += 1
    let plaintext = record.extracting(place..<record.byteCount)
    let blinder = Digest(record.extracting(blinderRange))
    guard let trailer = try? SignatureTrailer(plaintext) else {
      suspect = suspect ?? records
      return nil
    }
    let frames = plaintext.extracting(0..<trailer.frameCount)
    let leaf = SignatureTrailer.leaf(
      of: header.sessionID, header.direction, number: number, frames: frames, blinder: blinder)
    guard verifier?.verify(trailer, leaf: leaf, plaintext) == true else {
      suspect = suspect ?? records
      return nil
    }
    guard suspect == nil else { return nil }
    guard window.accepts(number) else { throw .repeated(record: records, packet: number) }
    window.commit(number)
    summary.note(number: number)
    return EvidencePacket(record: records, number: number, time: time, frames: frames.array(0..<frames.byteCount))
  }

  private mutating func readGap(_ record: RawSpan) throws(EvidenceError) {
    chain?.add(record)
    var place = EvidenceRecord.headSize
    guard let time: UInt64 = try? record.readInteger(at: &place),
      let count: UInt64 = try? record.readInteger(at: &place), count > 0,
      count <= PacketNumber.maximum, summary.missed <= PacketNumber.maximum
    else { throw suspect.map { .altered(record: $0) } ?? .malformed(record: records) }
    summary.note(time: time)
    summary.gaps += 1
    summary.missed += count
  }

  private mutating func readSignature(
    _ kind: EvidenceRecord.Kind, _ record: RawSpan, _ header: EvidenceHeader
  ) throws(EvidenceError) {
    let start = record.byteCount - Signature.size
    let statement = chain?.statement(of: record.extracting(0..<start)) ?? []
    guard header.recorderID.verify(Signature(record, at: start), of: statement.span.bytes) else {
      throw .altered(record: suspect ?? records)
    }
    if let suspect { throw .wronglyAttributed(record: suspect) }
    chain?.add(record)
    var place = EvidenceRecord.headSize
    guard let time: UInt64 = try? record.readInteger(at: &place),
      let packets: UInt64 = try? record.readInteger(at: &place),
      let missed: UInt64 = try? record.readInteger(at: &place)
    else { throw .malformed(record: records) }
    guard packets == summary.packets, missed == summary.missed else { throw .miscounted(record: records) }
    summary.note(time: time)
    signed = records
    guard kind == .end else { return }
    guard let code = try? record.readByte(at: &place), let end = EvidenceEnd(rawValue: code) else {
      throw .malformed(record: records)
    }
    summary.end = end
  }
}
