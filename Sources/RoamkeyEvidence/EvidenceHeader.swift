public import RoamkeyCrypto
internal import RoamkeyEngine
internal import RoamkeyWire

/// What a file of evidence says of itself in its first bytes (EVIDENCE §2): whose packets of which session it has.
///
/// Nothing of it is proven until packets and the recorder's signature have been checked.
public struct EvidenceHeader: Sendable, Hashable {
  /// Who has recorded what the other one sent.
  public enum Recorder: UInt8, Sendable, Hashable {
    case server = 0
    case player = 1
  }

  public let application: String
  public let server: PlayerID
  public let player: PlayerID
  public let recorder: Recorder
  /// The session's number of this part, from 1.
  public let part: UInt32
  /// Names the handshake, and with the ids the session.
  package let handshakeHash: Digest
  /// Where the chain of the part before ended; zeros in the first.
  package let previous: Digest
  /// `sid` of PROTOCOL §2.1.
  package let sessionID: Digest

  /// - Precondition: the application has 1 to 255 bytes.
  package init(
    application: String, server: PlayerID, player: PlayerID, recorder: Recorder, handshakeHash: Digest,
    part: UInt32 = 1, previous: Digest = Digest()
  ) {
    precondition((1...255).contains(application.utf8.count), "an application has 1 to 255 bytes")
    self.application = application
    self.server = server
    self.player = player
    self.recorder = recorder
    self.handshakeHash = handshakeHash
    self.part = part
    self.previous = previous
    sessionID =
      SessionContext(application: application, initiator: player, responder: server, handshakeHash: handshakeHash).id
  }

  /// Names the session, in 64 hexadecimal digits: the same in all of its parts, on both sides.
  public var session: String { hexadecimal(sessionID.bytes) }

  /// Who has sent what is recorded.
  public var sender: PlayerID { recorder == .server ? player : server }
  /// Who has recorded it.
  public var recorderID: PlayerID { recorder == .server ? server : player }

  /// Which way the packets went.
  var direction: Direction { recorder == .server ? .initiatorToResponder : .responderToInitiator }

  // MARK: As bytes

  static let magic: [UInt8] = Array("RKEVID".utf8)
  static let version: UInt16 = 1
  /// Up to the size of the application.
  static let fixedSize = 6 + 2 + 1 + 1 + 4 + 4 * Digest.size + 1
  private static let everyPacket: UInt8 = 1

  var encoded: [UInt8] {
    var bytes = Self.magic
    bytes.append(bigEndian: Self.version)
    bytes.append(recorder.rawValue)
    bytes.append(Self.everyPacket)
    bytes.append(bigEndian: part)
    bytes += server.publicKey.bytes + player.publicKey.bytes + handshakeHash.bytes + previous.bytes
    return bytes + [UInt8(truncatingIfNeeded: application.utf8.count)] + application.utf8
  }

  /// Reads the header that `bytes` begin with, as far as it is there.
  /// - Returns: it, and how many bytes it has; nil where more bytes are needed.
  static func read(_ bytes: [UInt8]) throws(EvidenceError) -> (EvidenceHeader, size: Int)? {
    guard bytes.starts(with: magic.prefix(bytes.count)) else { throw .notEvidence }
    guard bytes.count >= 8 else { return nil }
    let version = UInt16(bytes[6]) << 8 | UInt16(bytes[7])
    guard version == Self.version else { throw .unknownVersion(version) }
    guard bytes.count >= fixedSize else { return nil }
    let nameSize = Int(bytes[fixedSize - 1])
    guard let recorder = Recorder(rawValue: bytes[8]), nameSize > 0 else { throw .malformed(record: 0) }
    guard bytes[9] == everyPacket else { throw .notSigned }
    guard bytes.count >= fixedSize + nameSize else { return nil }
    guard let application = String(validating: bytes[fixedSize..<(fixedSize + nameSize)], as: UTF8.self) else {
      throw .malformed(record: 0)
    }
    let part = bytes[10..<14].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    func digest(_ place: Int) -> Digest { Digest(bytes.span.bytes, at: 14 + place * Digest.size) }
    guard part > 0, (part == 1) == (digest(3) == Digest()) else { throw .malformed(record: 0) }
    let header = EvidenceHeader(
      application: application, server: PlayerID(publicKey: digest(0)), player: PlayerID(publicKey: digest(1)),
      recorder: recorder, handshakeHash: digest(2), part: part, previous: digest(3))
    return (header, fixedSize + nameSize)
  }
}

/// Two digits a byte.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
