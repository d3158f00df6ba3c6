import RoamkeyCrypto
import Testing

/// What an implementation of its own computed (PROTOCOL): as far as hashes, keys and signatures go.
private struct Reference: Decodable {
  struct Inputs: Decodable {
    let edSeedInitiator, edSeedResponder, staticInitiator, staticResponder: String
    let ephemeralInitiator, ephemeralResponder, dcid, scid, serverCID: String
    let cookieKey, cookieTime, clientIP, clientPort, instanceID, tlvs, frames, packetNumber: String
  }
  let inputs: Inputs
  let hello, welcome, finish, h, k0, k1, sid, blinder, leaf, signature, packet, mac1, cookie, resetToken: String
  let base0, hp0, root00, aead00, blind00, root10: String
  let base1, hp1, root01, aead01, blind01, root11: String

  var application: [UInt8] { Array("galaxy/1".utf8) }
  var prologue: [UInt8] {
    Array("roamkey/1".utf8) + hex("524b000108" + inputs.dcid) + [UInt8(inputs.scid.count / 2)] + hex(inputs.scid)
  }
  var initiator: PlayerKey { PlayerKey(seed: secret(inputs.edSeedInitiator)) }
  var responder: PlayerKey { PlayerKey(seed: secret(inputs.edSeedResponder)) }

  /// base, hp, root, aead, blind, next root of a direction.
  func schedule(_ direction: Int) -> String {
    direction == 0
      ? base0 + hp0 + root00 + aead00 + blind00 + root10 : base1 + hp1 + root01 + aead01 + blind01 + root11
  }

  /// Where noise1 begins: behind the first byte, version, ids with their lengths, cookie and mac.
  var helloHeaderSize: Int { 1 + 4 + 9 + 1 + inputs.scid.count / 2 + 36 }

  static func load() throws -> [Reference] {
    Array(try Vectors.decode([String: Reference].self, "roamkey_reference.json").values)
  }
}

extension BLAKE2b {
  fileprivate mutating func update(_ bytes: [UInt8]) { update(bytes.span.bytes) }
}

private func label(_ text: String) -> [UInt8] { Array(text.utf8) + [UInt8](repeating: 0, count: 32 - text.utf8.count) }

@Suite struct ReferenceTests {
  /// PROTOCOL §1: the three messages with their identities, byte for byte; §2: both keys.
  @Test func handshake() throws {
    for reference in try Reference.load() {
      var client = NoiseXX(
        role: .initiator, prologue: reference.prologue, staticSecret: secret(reference.inputs.staticInitiator),
        ephemeralSecret: secret(reference.inputs.ephemeralInitiator))
      var server = NoiseXX(
        role: .responder, prologue: reference.prologue, staticSecret: secret(reference.inputs.staticResponder),
        ephemeralSecret: secret(reference.inputs.ephemeralResponder))
      let padding = [UInt8](repeating: 0, count: 1200 - reference.helloHeaderSize - NoiseXX.messageOverhead.0)

      var message: [UInt8] = []
      try client.writeMessage(payload: padding.span.bytes, into: &message)
      #expect(hexString(message) == String(reference.hello.dropFirst(2 * reference.helloHeaderSize)))
      #expect(try server.readMessage(message.span.bytes) == padding)

      let welcome = identity(reference.responder, role: 1, server.publicParts, reference)
      message = []
      try server.writeMessage(payload: welcome.span.bytes, into: &message)
      #expect(hexString(message) == String(reference.welcome.suffix(2 * message.count)))
      #expect(try client.readMessage(message.span.bytes) == welcome)

      let finish = identity(reference.initiator, role: 0, client.publicParts, reference)
      message = []
      try client.writeMessage(payload: finish.span.bytes, into: &message)
      #expect(hexString(message) == String(reference.finish.suffix(2 * message.count)))
      #expect(try server.readMessage(message.span.bytes) == finish)

      #expect(hexString(client.handshakeHash.bytes) == reference.h)
      #expect(client.handshakeHash == server.handshakeHash)
      let clientKeys = client.split().hexString(size: 64)
      let serverKeys = server.split().hexString(size: 64)
      #expect(clientKeys == reference.k0 + reference.k1)
      #expect(serverKeys == clientKeys)
    }
  }

  private func identity(
    _ key: borrowing PlayerKey, role: UInt8, _ parts: PublicParts, _ reference: Reference
  ) -> [UInt8] {
    let tlvs = hex(reference.inputs.tlvs)
    let parameters = BLAKE2b.hash("rk1 params") { $0.update(tlvs) }
    let signed =
      label("roamkey/1 identity") + [role] + parts.hash.bytes + parts.ephemeral.bytes + parts.fixed.bytes
      + key.id.publicKey.bytes + parameters.bytes
    return key.id.publicKey.bytes + key.sign(signed.span.bytes).bytes + tlvs
  }

  /// PROTOCOL §2.
  @Test func keySchedule() throws {
    for reference in try Reference.load() {
      let sid = sessionID(reference)
      #expect(hexString(sid.bytes) == reference.sid)
      let keys = secret(reference.k0 + reference.k1)
      for direction in [0, 1] {
        // Slots of 32: base, hp, root, aead, blind, next root.
        var schedule = SecretBytes(zeros: 192)
        schedule.hash("rk1 base", key: keys, at: direction * 32, to: 0) {
          $0.update(sid)
          $0.update(UInt8(direction))
        }
        schedule.deriveSubkey(1, from: 0, to: 32)
        schedule.deriveSubkey(2, from: 0, to: 64)
        schedule.deriveSubkey(1, from: 64, to: 96)
        schedule.deriveSubkey(2, from: 64, to: 128)
        schedule.deriveSubkey(3, from: 64, to: 160)
        let expected = reference.schedule(direction)
        let found = schedule.hexString(size: 192)
        #expect(found == expected)
      }
    }
  }

  private func sessionID(_ reference: Reference) -> Digest {
    let initiator = reference.initiator.id
    let responder = reference.responder.id
    return BLAKE2b.hash("rk1 session") {
      $0.update(UInt8(reference.application.count))
      $0.update(reference.application)
      $0.update(initiator.publicKey)
      $0.update(responder.publicKey)
      $0.update(hex(reference.h))
    }
  }

  /// PROTOCOL §3 and §4: one packet, signed and sealed, byte for byte.
  @Test func signedPacket() throws {
    for reference in try Reference.load() {
      let number = hex(reference.inputs.packetNumber)
      let frames = hex(reference.inputs.frames)
      let keys = secret(reference.aead00 + reference.blind00 + reference.hp0)
      let blinder = BLAKE2b.hash("rk1 blind", key: keys, at: 32) { $0.update(number) }
      #expect(hexString(blinder.bytes) == reference.blinder)
      let leaf = BLAKE2b.hash("rk1 leaf", key: blinder) {
        $0.update(hex(reference.sid))
        $0.update(0)
        $0.update(number)
        $0.update(frames)
      }
      #expect(hexString(leaf.bytes) == reference.leaf)
      let signed = label("roamkey/1 packets") + [0] + leaf.bytes
      let signature = reference.initiator.sign(signed.span.bytes)
      #expect(hexString(signature.bytes) == reference.signature)
      let valid = reference.initiator.id.verify(signature, of: signed.span.bytes)
      #expect(valid)

      let plaintext = frames + signature.bytes + [0]
      let serverCID = hex(reference.inputs.serverCID)
      let numberSize = hex(reference.packet).count - 1 - serverCID.count - plaintext.count - ChaChaPoly.tagSize
      let header = [UInt8(numberSize - 1)] + serverCID + number.suffix(numberSize)
      var packet = header + plaintext + [UInt8](repeating: 0, count: ChaChaPoly.tagSize)
      seal(&packet, headerCount: header.count, plaintextCount: plaintext.count, number: 41, keys)
      let mask = ChaChaPoly.headerMask(packet.span.bytes, sampleAt: 9 + 4, key: keys, at: 64)
      packet[0] ^= UInt8(truncatingIfNeeded: mask) & 0x1f
      for index in 0..<numberSize { packet[9 + index] ^= UInt8(truncatingIfNeeded: mask >> UInt64(8 + 8 * index)) }
      #expect(hexString(packet) == reference.packet)
    }
  }

  private func seal(
    _ packet: inout [UInt8], headerCount: Int, plaintextCount: Int, number: UInt64, _ keys: borrowing SecretBytes
  ) {
    var elements = packet.mutableSpan
    var bytes = elements.mutableBytes
    ChaChaPoly.seal(
      &bytes, headerCount: headerCount, plaintextCount: plaintextCount, nonce: .init(packetNumber: number), key: keys)
  }

  /// PROTOCOL §1 and §6: mac, cookie, reset token.
  @Test func tokens() throws {
    for reference in try Reference.load() {
      let hello = hex(reference.hello)
      let start = reference.helloHeaderSize
      let blank = hello[..<(start - 36)] + [UInt8](repeating: 0, count: 36) + hello[start...]
      let responder = reference.responder.id
      let macKey = BLAKE2b.hash("rk1 mac1 key") { $0.update(responder.publicKey) }
      let mac = BLAKE2b.hash("rk1 mac1", key: macKey, count: 16) { $0.update(Array(blank)) }
      #expect(hexString(mac.bytes.prefix(16)) == reference.mac1)

      let noise = BLAKE2b.hash("rk1 hello") { $0.update(Array(hello[start...])) }
      let inputs = reference.inputs
      let cookie = BLAKE2b.hash("rk1 cookie", key: secret(inputs.cookieKey), count: 16) {
        $0.update(hex(inputs.cookieTime + inputs.clientIP + inputs.clientPort + inputs.dcid))
        $0.update(UInt8(inputs.scid.count / 2))
        $0.update(hex(inputs.scid))
        $0.update(noise)
      }
      #expect(inputs.cookieTime + hexString(cookie.bytes.prefix(16)) == reference.cookie)

      var resetKey = SecretBytes(zeros: 32)
      resetKey.hash("rk1 reset", key: secret(inputs.edSeedResponder), to: 0) { $0.update(hex(inputs.instanceID)) }
      let token = BLAKE2b.hash("rk1 token", key: resetKey, count: 16) { $0.update(hex(inputs.serverCID)) }
      #expect(hexString(token.bytes.prefix(16)) == reference.resetToken)
    }
  }
}

private struct PublicParts {
  let hash, ephemeral, fixed: Digest
}

extension NoiseXX {
  fileprivate var publicParts: PublicParts {
    PublicParts(hash: handshakeHash, ephemeral: ephemeralPublic, fixed: staticPublic)
  }
}
