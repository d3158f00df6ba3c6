internal import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyWire

/// How a file of evidence is laid out behind its header (EVIDENCE §3).
enum EvidenceRecord {
  enum Kind: UInt8 {
    case packet = 1
    case gap = 2
    case checkpoint = 3
    case end = 4
  }

  /// `kind1 ‖ number4 ‖ size2`.
  static let headSize = 7
  /// In front of the plaintext of a packet: time, packet number, blinder.
  static let packetHead = 8 + 8 + Digest.size
  /// Frames and trailer: more than any datagram carries.
  static let longestPlaintext = maximumDatagramSize
  static let gapSize = 8 + 8
  /// Time, packets, missed, signature.
  static let checkpointSize = 8 + 8 + 8 + Signature.size
  static let endSize = checkpointSize + 1
  static let longest = packetHead + longestPlaintext

  /// Whether a record of a kind may have so many bytes.
  static func allows(_ kind: Kind, size: Int) -> Bool {
    switch kind {
    case .packet: size > packetHead && size <= longest
    case .gap: size == gapSize
    case .checkpoint: size == checkpointSize
    case .end: size == endSize
    }
  }
}

/// What ties the records of a file together, and the files of a session: a hash over all of it so far.
struct EvidenceChain {
  private(set) var value: Digest

  /// From the bytes of a header on.
  init(header: [UInt8]) { value = BLAKE2b.hash("rk1 record") { $0.update(header.span.bytes) } }

  /// What it would be with these bytes.
  func with(_ bytes: RawSpan) -> Digest {
    BLAKE2b.hash("rk1 record") { hash in
      hash.update(value)
      hash.update(bytes)
    }
  }

  mutating func add(_ record: RawSpan) { value = with(record) }

  /// What a recorder signs of a record that is signed, `record` without the signature.
  func statement(of record: RawSpan) -> [UInt8] { domainLabel("roamkey/1 record") + with(record).bytes }
}

/// Why a part has ended.
public enum EvidenceEnd: UInt8, Sendable, Hashable {
  /// The file was closed; another part follows once something more comes.
  case continued = 0
  /// The session had ended.
  case sessionEnded = 1
  /// The recorder stopped.
  case recorderStopped = 2
}
