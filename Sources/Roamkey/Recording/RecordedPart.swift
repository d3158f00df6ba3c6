internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyEvidence

/// A part that is being written.
final class RecordedPart {
  private(set) var writer: EvidenceWriter
  /// Of its file.
  let name: String
  /// What is not in the file yet.
  private(set) var pending: [UInt8] = []
  /// What is.
  private(set) var written = 0
  private(set) var isOpen = true
  /// Where it lies, once something of it is written.
  var file: RecordedFile?
  /// It is on the list of those that are written next.
  var isTouched = false

  /// One busy second of a player; a thousand of them do not keep the memory of their busiest.
  private static let keptCapacity = 64 << 10

  init(_ header: EvidenceHeader, name: String) {
    self.name = name
    writer = EvidenceWriter(header, into: &pending)
  }

  /// Whether a packet fits, and the signed records that may have to follow it.
  func hasRoom(for plaintext: Int, limit: Int) -> Bool {
    let size = written + pending.count + EvidenceWriter.size(ofPacket: plaintext)
    return size + EvidenceWriter.checkpointSize + EvidenceWriter.endSize <= limit
  }

  func add(_ packet: SignedPacket, _ plaintext: RawSpan, time: UInt64) {
    writer.add(packet, plaintext, time: time, into: &pending)
  }

  func addGap(_ count: UInt64, time: UInt64) { writer.addGap(count, time: time, into: &pending) }

  func sign(_ key: borrowing PlayerKey, at time: UInt64) { writer.addCheckpoint(key, time: time, into: &pending) }

  func end(_ what: EvidenceEnd, _ key: borrowing PlayerKey, at time: UInt64) {
    writer.addEnd(what, key, time: time, into: &pending)
    isOpen = false
  }

  /// What was pending is in the file.
  func onWritten() {
    written += pending.count
    if isOpen && pending.capacity <= Self.keptCapacity {
      pending.removeAll(keepingCapacity: true)
    } else {
      pending = []
    }
  }
}
