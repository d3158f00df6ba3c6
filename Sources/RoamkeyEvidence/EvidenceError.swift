public import RoamkeyCrypto

/// Why a file is not accepted as evidence: one sentence. Records are counted from 1 in each file; 0 is the header.
public enum EvidenceError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The system does not let it be read, in its own words.
  case unusable(reason: String)
  /// It is something else.
  case notEvidence
  /// It was written by a later version.
  case unknownVersion(UInt16)
  /// It says itself that the packets were not signed.
  case notSigned
  /// A record, or the header, does not have the form that it should have.
  case malformed(record: UInt32)
  /// It stops without its last record. `records` of it are there; the recorder has signed for the first `signed`.
  case truncated(records: UInt32, signed: UInt32)
  /// What the recorder has signed is not what stands there up to this record.
  case altered(record: UInt32)
  /// Another record stands where this one should be: some were swapped, repeated or taken away.
  case reordered(record: UInt32, found: UInt32)
  /// The recorder itself says that somebody has sent a packet which that key has not signed for this session.
  case wronglyAttributed(record: UInt32)
  /// The recorder gives a packet twice, or long after its time.
  case repeated(record: UInt32, packet: UInt64)
  /// The recorder has counted wrongly.
  case miscounted(record: UInt32)
  /// There is something behind the last record.
  case continued(record: UInt32)
  /// It is of another player than the one who was asked for.
  case wrongPlayer(expected: PlayerID, found: PlayerID)
  /// It is of another server than the one that was asked for.
  case wrongServer(expected: PlayerID, found: PlayerID)
  /// It does not go on where the part before it ended.
  case detached(part: UInt32)
  /// Two files say that they are this part of the session.
  case partTwice(part: UInt32)

  /// Whether it is of somebody else than was asked for, as opposed to no good evidence.
  public var isOfSomebodyElse: Bool {
    switch self {
    case .wrongPlayer, .wrongServer: true
    case .unusable, .notEvidence, .unknownVersion, .notSigned, .malformed, .truncated, .altered, .reordered,
      .wronglyAttributed, .repeated, .miscounted, .continued, .detached, .partTwice:
      false
    }
  }

  /// A short name for programs, which stays.
  public var code: String {
    switch self {
    case .unusable: "unusable"
    case .notEvidence: "notEvidence"
    case .unknownVersion: "unknownVersion"
    case .notSigned: "notSigned"
    case .malformed: "malformed"
    case .truncated: "truncated"
    case .altered: "altered"
    case .reordered: "reordered"
    case .wronglyAttributed: "wronglyAttributed"
    case .repeated: "repeated"
    case .miscounted: "miscounted"
    case .continued: "continued"
    case .wrongPlayer: "wrongPlayer"
    case .wrongServer: "wrongServer"
    case .detached: "detached"
    case .partTwice: "partTwice"
    }
  }

  public var description: String {
    switch self {
    case .unusable(let reason): "it cannot be read (\(reason))"
    case .notEvidence: "this is no file of evidence"
    case .unknownVersion(let version): "it has version \(version) of the format, which is not known here: update"
    case .notSigned: "its packets were not signed, so that it proves nothing"
    case .malformed(let record): "\(Self.place(record)) does not have the form that it should have"
    case .truncated(let records, let signed):
      "it is cut off behind record \(records): "
        + (signed == 0 ? "the recorder has signed for nothing of it" : "it is good up to record \(signed)")
    case .altered(let record):
      "altered: what the recorder has signed is not what stands in \(Self.place(record)), or before it"
    case .reordered(let record, let found):
      "reordered: record \(found) stands where record \(record) should be"
    case .wronglyAttributed(let record):
      "wrongly attributed: the one who is said to have sent record \(record) has not signed it for this session"
    case .repeated(let record, let packet):
      "record \(record) has packet \(packet) again, or long after its time: the recorder has made up the order"
    case .miscounted(let record): "the counts in record \(record) are not those of the records before it"
    case .continued(let record): "there is something behind record \(record), which is the last one"
    case .wrongPlayer(let expected, let found): "it is of the player \(found), not of \(expected)"
    case .wrongServer(let expected, let found): "it is of the server \(found), not of \(expected)"
    case .detached(let part): "part \(part) does not go on where the part before it ended"
    case .partTwice(let part): "another file says as well that it is part \(part) of this session"
    }
  }

  private static func place(_ record: UInt32) -> String { record == 0 ? "its header" : "record \(record)" }
}
