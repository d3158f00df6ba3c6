/// Whether packets carry a signature (PROTOCOL §4). The server states it inside the handshake.
public enum SigningPolicy: UInt8, Sendable, Hashable {
  /// The handshake proves identity and every packet is bound to it by its seal; nothing more is signed.
  case sealedOnly = 0
  /// Every packet carries its sender's Ed25519 signature. The default.
  case everyPacket = 1
}

/// What a side says of itself inside the handshake, as tag1 ‖ length1 ‖ value; unknown tags are ignored.
package struct HandshakeParameters: Sendable, Equatable {
  /// The application's name and version, such as `galaxy/1`: 1 to 255 bytes of UTF-8, the same on both sides.
  package var application: String
  package var signingPolicy: SigningPolicy
  package var clientConnectionID: ConnectionID
  package var serverConnectionID: ConnectionID
  /// Versions that this side speaks; empty where it does not say.
  package var versions: [ProtocolVersion] = []
  /// How many bytes of reliable messages the other side may send before it is given more credit; nil: the default.
  package var initialCredit: UInt64?
  /// The longest message that this side takes, in bytes of content; nil: the default.
  package var maximumMessageSize: UInt64?
  /// How much of that credit one reliable stream may use before it is given more; nil: all of it.
  package var initialChannelCredit: UInt64?
  /// A server's: what it would say if it did not know the session any more (PROTOCOL §6).
  package var resetToken: UInt128?
  /// What this side calls itself: at most 64 bytes of harmless characters; it proves nothing.
  package var displayName: String?

  package init(
    application: String, signingPolicy: SigningPolicy, clientConnectionID: ConnectionID,
    serverConnectionID: ConnectionID
  ) {
    self.application = application
    self.signingPolicy = signingPolicy
    self.clientConnectionID = clientConnectionID
    self.serverConnectionID = serverConnectionID
  }

  private enum Tag: UInt8 {
    case application = 1
    case signingPolicy = 2
    case clientConnectionID = 3
    case serverConnectionID = 4
    case versions = 5
    case initialCredit = 6
    case maximumMessageSize = 7
    case displayName = 8
    case resetToken = 9
    case initialChannelCredit = 10
  }

  /// The TLVs in the order of their tags.
  package func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    func put(_ tag: Tag, _ value: [UInt8]) {
      precondition(value.count <= 255, "a handshake parameter has at most 255 bytes")
      bytes.append(tag.rawValue)
      bytes.append(UInt8(value.count))
      bytes += value
    }
    func varint(_ value: UInt64) -> [UInt8] {
      var bytes: [UInt8] = []
      bytes.append(varint: value)
      return bytes
    }
    put(.application, Array(application.utf8))
    put(.signingPolicy, [signingPolicy.rawValue])
    put(.clientConnectionID, clientConnectionID.bytes)
    put(.serverConnectionID, serverConnectionID.bytes)
    if !versions.isEmpty {
      var list: [UInt8] = []
      for version in versions { list.append(bigEndian: version.rawValue) }
      put(.versions, list)
    }
    if let initialCredit { put(.initialCredit, varint(initialCredit)) }
    if let maximumMessageSize { put(.maximumMessageSize, varint(maximumMessageSize)) }
    if let displayName { put(.displayName, Array(displayName.utf8)) }
    if let resetToken {
      var token: [UInt8] = []
      token.append(bigEndian: resetToken)
      put(.resetToken, token)
    }
    if let initialChannelCredit { put(.initialChannelCredit, varint(initialChannelCredit)) }
    return bytes
  }

  /// Reads TLVs; the first four tags must be there, and none of the known ones twice.
  package init(_ tlvs: RawSpan) throws(WireError) {
    var application: String?
    var policy: SigningPolicy?
    var client: ConnectionID?
    var server: ConnectionID?
    var rest = HandshakeParameters(
      application: "", signingPolicy: .everyPacket, clientConnectionID: .init(), serverConnectionID: .init())
    var seen: Set<UInt8> = []
    var position = 0
    while position < tlvs.byteCount {
      let number = try tlvs.readByte(at: &position)
      let count = Int(try tlvs.readByte(at: &position))
      let range = try tlvs.readRange(count, at: &position)
      guard let tag = Tag(rawValue: number) else { continue }
      guard seen.insert(number).inserted else { throw .malformed }
      let value = tlvs.extracting(range)
      switch tag {
      case .application: application = try Self.text(value, atMost: 255)
      case .signingPolicy: policy = SigningPolicy(rawValue: try Self.byte(value))
      case .clientConnectionID: client = try ConnectionID(tlvs, range)
      case .serverConnectionID: server = try ConnectionID(tlvs, range)
      case .versions: rest.versions = try Self.versions(value)
      case .initialCredit: rest.initialCredit = try Self.varint(value)
      case .maximumMessageSize: rest.maximumMessageSize = try Self.varint(value)
      case .displayName: rest.displayName = try Self.displayName(value)
      case .resetToken: rest.resetToken = try Self.token(value)
      case .initialChannelCredit: rest.initialChannelCredit = try Self.varint(value)
      }
    }
    guard let application, !application.isEmpty, let policy, let client, let server else { throw .malformed }
    self = rest
    self.application = application
    self.signingPolicy = policy
    self.clientConnectionID = client
    self.serverConnectionID = server
  }

  private static func text(_ value: RawSpan, atMost limit: Int) throws(WireError) -> String {
    guard value.byteCount <= limit, let text = value.text else { throw .malformed }
    return text
  }

  /// People will see it, so it is refused with control or bidirectional characters (PROTOCOL §7).
  private static func displayName(_ value: RawSpan) throws(WireError) -> String {
    let name = try text(value, atMost: 64)
    guard DisplayText.isClean(name) else { throw .malformed }
    return name
  }

  private static func byte(_ value: RawSpan) throws(WireError) -> UInt8 {
    guard value.byteCount == 1 else { throw .malformed }
    return value.unsafeLoad(as: UInt8.self)
  }

  private static func token(_ value: RawSpan) throws(WireError) -> UInt128 {
    guard value.byteCount == ResetDatagram.tokenSize else { throw .malformed }
    return UInt128(bigEndian: value.unsafeLoadUnaligned(as: UInt128.self))
  }

  private static func varint(_ value: RawSpan) throws(WireError) -> UInt64 {
    var position = 0
    let number = try value.readVarint(at: &position)
    guard position == value.byteCount else { throw .malformed }
    return number
  }

  private static func versions(_ value: RawSpan) throws(WireError) -> [ProtocolVersion] {
    guard value.byteCount % 4 == 0 else { throw .malformed }
    var versions: [ProtocolVersion] = []
    var position = 0
    while position < value.byteCount {
      versions.append(ProtocolVersion(rawValue: try value.readInteger(at: &position)))
    }
    return versions
  }
}

extension RawSpan {
  /// The bytes as text, or nil where they are not valid UTF-8.
  package var text: String? {
    withUnsafeBytes { String(validating: $0, as: UTF8.self) }
  }
}
