/// Ed25519 keys in DER: PKCS#8 and SPKI as RFC 8410 says.
enum KeyDER {
  enum ParsingError: Error, Equatable {
    case malformed
    /// A well-formed key of another kind, in words for the user.
    case otherKind(String)
    /// A private key beside a public one that is not its own.
    case mismatch
  }

  private static let ed25519: [UInt8] = [0x2b, 0x65, 0x70]
  /// What stands before the 32 bytes of seed (RFC 8410 §7) and of public key (RFC 8410 §4).
  private static let privatePrefix: [UInt8] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
  ]
  private static let publicPrefix: [UInt8] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
  ]

  private enum Tag {
    static let integer: UInt8 = 0x02, bitString: UInt8 = 0x03, octetString: UInt8 = 0x04, objectID: UInt8 = 0x06
    static let sequence: UInt8 = 0x30
    /// `attributes [0]` and `publicKey [1]` of OneAsymmetricKey (RFC 5958 §2).
    static let attributes: UInt8 = 0xa0, publicKey: UInt8 = 0x81
  }

  /// The 48 bytes that `openssl genpkey -algorithm ED25519` would write too.
  static func encode(_ key: borrowing PlayerKey) -> SecretBytes {
    let result = SecretBytes(zeros: privatePrefix.count + 32)
    result.mutablePointer(at: 0, size: privatePrefix.count).update(from: privatePrefix, count: privatePrefix.count)
    result.mutablePointer(at: privatePrefix.count, size: 32).update(
      from: key.secret.pointer(at: 0, size: 32), count: 32)
    return result
  }

  static func encode(_ id: PlayerID) -> [UInt8] { publicPrefix + id.publicKey.bytes }

  /// OneAsymmetricKey of version 1 or 2, attributes ignored, a public key compared.
  static func privateKey(_ bytes: UnsafeRawBufferPointer) throws(ParsingError) -> PlayerKey {
    var file = DERReader(bytes)
    var key = try file.element(Tag.sequence)
    guard file.isEmpty else { throw .malformed }
    let version = try key.element(Tag.integer)
    guard version.count == 1, let number = version.byte(at: 0), number <= 1 else { throw .malformed }
    try algorithm(try key.element(Tag.sequence))
    var outer = try key.element(Tag.octetString)
    let seed = try outer.element(Tag.octetString)
    guard outer.isEmpty, seed.count == 32 else { throw .malformed }
    _ = try key.optional(Tag.attributes)
    let result = PlayerKey(seed: SecretBytes(copying: seed.contents))
    if number == 1, let publicKey = try key.optional(Tag.publicKey) {
      guard let stated = bitString(publicKey) else { throw .malformed }
      guard stated == result.id.publicKey else { throw .mismatch }
    }
    guard key.isEmpty else { throw .malformed }
    return result
  }

  /// SubjectPublicKeyInfo.
  static func publicKey(_ bytes: UnsafeRawBufferPointer) throws(ParsingError) -> PlayerID {
    var file = DERReader(bytes)
    var info = try file.element(Tag.sequence)
    guard file.isEmpty else { throw .malformed }
    try algorithm(try info.element(Tag.sequence))
    guard let key = bitString(try info.element(Tag.bitString)), info.isEmpty else { throw .malformed }
    return PlayerID(publicKey: key)
  }

  /// 32 bytes behind the count of unused bits, which is zero.
  private static func bitString(_ reader: DERReader) -> Digest? {
    guard reader.count == 33, reader.byte(at: 0) == 0 else { return nil }
    return Digest(Array(reader.contents.dropFirst()))
  }

  /// Passes for Ed25519, whose parameters must be absent (RFC 8410 §3).
  private static func algorithm(_ identifier: DERReader) throws(ParsingError) {
    var identifier = identifier
    let object = Array(try identifier.element(Tag.objectID).contents)
    guard object == ed25519 else { throw .otherKind(name(of: object)) }
    guard identifier.isEmpty else { throw .malformed }
  }

  private static func name(of object: [UInt8]) -> String {
    switch object {
    case [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]: return "an RSA key"
    case [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]: return "an EC key"
    case [0x2b, 0x65, 0x6e]: return "an X25519 key"
    case [0x2b, 0x65, 0x6f]: return "an X448 key"
    case [0x2b, 0x65, 0x71]: return "an Ed448 key"
    default: return "a key of another kind"
    }
  }
}

/// Walks over DER elements; every step is checked against the bytes that are left.
struct DERReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  /// The memory stays the caller's, and outlives this.
  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isEmpty: Bool { position == bytes.count }
  var count: Int { bytes.count - position }
  var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[position...]) }

  func byte(at index: Int) -> UInt8? { index >= 0 && index < count ? bytes[position + index] : nil }

  /// The contents of the next element, which must have this tag.
  mutating func element(_ tag: UInt8) throws(KeyDER.ParsingError) -> DERReader {
    guard byte(at: 0) == tag, let first = byte(at: 1) else { throw .malformed }
    var length = Int(first)
    var header = 2
    if first >= 0x80 {
      // Two bytes of length at most: a file has 16 KiB. DER wants the shortest form.
      let extra = Int(first & 0x7f)
      guard (1...2).contains(extra) else { throw .malformed }
      length = 0
      for index in 0..<extra {
        guard let next = byte(at: 2 + index) else { throw .malformed }
        length = length << 8 | Int(next)
      }
      guard length >= (extra == 1 ? 0x80 : 0x100) else { throw .malformed }
      header += extra
    }
    guard length <= count - header else { throw .malformed }
    let start = position + header
    position = start + length
    return DERReader(UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
  }

  /// The contents of the next element if it has this tag.
  mutating func optional(_ tag: UInt8) throws(KeyDER.ParsingError) -> DERReader? {
    byte(at: 0) == tag ? try element(tag) : nil
  }
}
