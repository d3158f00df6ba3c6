import Testing

@testable import RoamkeyCrypto

private struct Primitives: Decodable {
  struct Ed25519: Decodable {
    let seed, publicKey, message, signature: String
  }
  struct Multiplication: Decodable {
    let scalar, point, result: String
  }
  struct Agreement: Decodable {
    let alice, alicePublic, bob, bobPublic, shared: String
  }
  struct AEAD: Decodable {
    let plaintext, associated, key, nonce, sealed: String
  }
  let ed25519: [Ed25519]
  let x25519: [Multiplication]
  let x25519Agreement: Agreement
  let chachapoly: AEAD
  let blake2b256OfABC: String

  static func load() throws -> Primitives { try Vectors.decode(Primitives.self, "primitives.json") }
}

@Suite struct PrimitiveTests {
  @Test func ed25519SignsAsRFC8032() throws {
    for vector in try Primitives.load().ed25519 {
      let key = PlayerKey(seed: secret(vector.seed))
      let message = hex(vector.message)
      #expect(hexString(key.id.publicKey.bytes) == vector.publicKey)
      let signature = key.sign(message.span.bytes)
      #expect(hexString(signature.bytes) == vector.signature)
      #expect(verifies(key.id, hex(vector.signature), message))
    }
  }

  @Test func alteredSignaturesMessagesAndKeysAreRefused() throws {
    let vector = try #require(try Primitives.load().ed25519.last)
    let id = PlayerID(publicKey: Digest(hex(vector.publicKey)))
    let message = hex(vector.message)
    let signature = hex(vector.signature)
    #expect(verifies(id, signature, message))
    for index in signature.indices { #expect(!verifies(id, signature.flipped(at: index, bit: index % 8), message)) }
    for index in message.indices { #expect(!verifies(id, signature, message.flipped(at: index))) }
    #expect(!verifies(id, signature, Array(message.dropLast())))
    for index in 0..<32 {
      let other = PlayerID(publicKey: Digest(id.publicKey.bytes.flipped(at: index)))
      #expect(!verifies(other, signature, message))
    }
  }

  /// S + L signs the same equation; a second valid form of a signature must not exist (RFC 8032 §8.4).
  @Test func signatureHasOneForm() throws {
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
    let vector = try #require(try Primitives.load().ed25519.first)
    var signature = hex(vector.signature)
    var carry = 0
    for index in 0..<32 {
      let sum = Int(signature[32 + index]) + Int(order[index]) + carry
      signature[32 + index] = UInt8(sum & 255)
      carry = sum >> 8
    }
    #expect(!verifies(PlayerID(publicKey: Digest(hex(vector.publicKey))), signature, []))
  }

  /// With a public key of small order, a signature that fits every message could be made without any secret.
  @Test func publicKeysOfSmallOrderVerifyNothing() {
    let neutral = [1] + [UInt8](repeating: 0, count: 31)
    let signature = neutral + [UInt8](repeating: 0, count: 32)
    for point in [
      neutral, [UInt8](repeating: 0, count: 32), [UInt8](repeating: 0, count: 31) + [0x80],
      hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
      hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ] {
      for byte in UInt8(0)...32 { #expect(!verifies(PlayerID(publicKey: Digest(point)), signature, [byte])) }
    }
  }

  @Test func x25519MultipliesAsRFC7748() throws {
    let vectors = try Primitives.load()
    for vector in vectors.x25519 {
      #expect(agreed(vector.scalar, vector.point) == vector.result)
    }
    let agreement = vectors.x25519Agreement
    #expect(hexString(X25519.publicKey(of: secret(agreement.alice)).bytes) == agreement.alicePublic)
    #expect(hexString(X25519.publicKey(of: secret(agreement.bob)).bytes) == agreement.bobPublic)
    #expect(agreed(agreement.alice, agreement.bobPublic) == agreement.shared)
    #expect(agreed(agreement.bob, agreement.alicePublic) == agreement.shared)
  }

  @Test(arguments: smallOrderPoints) func x25519RefusesSmallOrder(point: String) throws {
    #expect(agreed(try Primitives.load().x25519Agreement.alice, point) == nil)
  }

  @Test func aeadSealsAsRFC8439() throws {
    let vector = try Primitives.load().chachapoly
    var nonce = ChaChaPoly.Nonce(packetNumber: 0)
    withUnsafeMutableBytes(of: &nonce.bytes) { $0.copyBytes(from: hex(vector.nonce)) }
    let header = hex(vector.associated)
    let plaintext = hex(vector.plaintext)
    let key = secret(vector.key)
    var packet = header + plaintext + [UInt8](repeating: 0, count: 16)
    var elements = packet.mutableSpan
    var bytes = elements.mutableBytes
    ChaChaPoly.seal(&bytes, headerCount: header.count, plaintextCount: plaintext.count, nonce: nonce, key: key)
    #expect(hexString(packet) == vector.associated + vector.sealed)

    #expect(open(packet, header.count, nonce, key) == plaintext)
    for index in packet.indices { #expect(open(packet.flipped(at: index), header.count, nonce, key) == nil) }
    #expect(open(Array(packet.dropLast()), header.count, nonce, key) == nil)
    #expect(open(packet, header.count, .init(packetNumber: 1), key) == nil)
    #expect(open(Array(packet.prefix(header.count + 15)), header.count, nonce, key) == nil)
  }

  @Test func noncesAreLaidOutAsStated() {
    #expect(nonceBytes(.init(packetNumber: 0x0102_0304_0506_0708)) == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
    #expect(nonceBytes(.init(noiseCounter: 0x0102_0304_0506_0708)) == [0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1])
  }

  @Test func blake2bWithoutPersonalStringIsTheStandardOne() throws {
    let hash = BLAKE2b.hash("") { $0.update(Array("abc".utf8).span.bytes) }
    #expect(hexString(hash.bytes) == (try Primitives.load().blake2b256OfABC))
  }

  private func verifies(_ id: PlayerID, _ signature: [UInt8], _ message: [UInt8]) -> Bool {
    id.verify(Signature(signature.span.bytes), of: message.span.bytes)
  }

  private func agreed(_ scalar: String, _ point: String) -> String? {
    var output = SecretBytes(zeros: 32)
    let passed = X25519.agree(secret(scalar), at: 0, with: Digest(hex(point)), into: &output)
    return passed ? output.hexString() : nil
  }

  private func open(
    _ packet: [UInt8], _ headerCount: Int, _ nonce: ChaChaPoly.Nonce, _ key: borrowing SecretBytes
  ) -> [UInt8]? {
    var packet = packet
    let sealedCount = packet.count - headerCount
    var elements = packet.mutableSpan
    var bytes = elements.mutableBytes
    guard ChaChaPoly.open(&bytes, headerCount: headerCount, sealedCount: sealedCount, nonce: nonce, key: key) else {
      return nil
    }
    return Array(packet[headerCount...].dropLast(16))
  }

  private func nonceBytes(_ nonce: ChaChaPoly.Nonce) -> [UInt8] { withUnsafeBytes(of: nonce.bytes) { Array($0) } }
}
