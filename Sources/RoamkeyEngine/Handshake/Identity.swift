package import RoamkeyCrypto
package import RoamkeyWire

/// What each side says inside the encrypted part of the handshake (PROTOCOL §1): `ed_pub32 ‖ sig64 ‖ TLVs`.
///
/// The signature binds the player's key to this very handshake: to its transcript, to both X25519 keys of the signer,
/// and to the parameters.
package struct IdentityPayload: Sendable {
  package var player: PlayerID
  package var parameters: HandshakeParameters

  /// The bytes that are signed.
  private static func signedBytes(
    role: NoiseXX.Role, transcript: Digest, ephemeral: Digest, `static`: Digest, player: PlayerID, tlvs: RawSpan
  ) -> [UInt8] {
    var bytes = domainLabel("roamkey/1 identity")
    switch role {
    case .initiator: bytes.append(0)
    case .responder: bytes.append(1)
    }
    let parameters = BLAKE2b.hash("rk1 params") { $0.update(tlvs) }
    for digest in [transcript, ephemeral, `static`, player.publicKey, parameters] { bytes += digest.bytes }
    return bytes
  }

  /// The payload of the message that `noise` is about to write.
  package static func write(
    _ parameters: HandshakeParameters, role: NoiseXX.Role, noise: borrowing NoiseXX, key: borrowing PlayerKey
  ) -> [UInt8] {
    let tlvs = parameters.encoded()
    let signed = signedBytes(
      role: role, transcript: noise.handshakeHash, ephemeral: noise.ephemeralPublic, static: noise.staticPublic,
      player: key.id, tlvs: tlvs.span.bytes)
    return key.id.publicKey.bytes + key.sign(signed.span.bytes).bytes + tlvs
  }

  /// Reads and verifies the payload of the message that `noise` has just read.
  /// - Parameter transcript: the handshake hash before that message.
  package static func read(
    _ payload: RawSpan, role: NoiseXX.Role, transcript: Digest, noise: borrowing NoiseXX
  ) -> IdentityPayload? {
    let prefix = Digest.size + Signature.size
    guard payload.byteCount >= prefix, let ephemeral = noise.remoteEphemeral, let remote = noise.remoteStatic else {
      return nil
    }
    let player = PlayerID(publicKey: Digest(payload))
    let tlvs = payload.extracting(prefix..<payload.byteCount)
    let signed = signedBytes(
      role: role, transcript: transcript, ephemeral: ephemeral, static: remote, player: player, tlvs: tlvs)
    guard player.verify(Signature(payload, at: Digest.size), of: signed.span.bytes),
      let parameters = try? HandshakeParameters(tlvs)
    else { return nil }
    return IdentityPayload(player: player, parameters: parameters)
  }
}

/// What both sides of the handshake compute alike.
enum HandshakeTranscript {
  /// `"roamkey/1" ‖ version4 ‖ 08 ‖ dcid8 ‖ s1 ‖ scid`
  static func prologue(destination: ConnectionID, source: ConnectionID) -> [UInt8] {
    var bytes = Array("roamkey/1".utf8)
    bytes.append(bigEndian: ProtocolVersion.v1.rawValue)
    bytes.append(UInt8(destination.count))
    bytes += destination.bytes
    bytes.append(UInt8(source.count))
    bytes += source.bytes
    return bytes
  }

  /// The mac of a Hello, for who knows the server's key: over the datagram with cookie and mac zero.
  static func mac(hello: RawSpan, cookie: Range<Int>, mac: Range<Int>, server: PlayerID) -> [UInt8] {
    let key = BLAKE2b.hash("rk1 mac1 key") { $0.update(server.publicKey) }
    let zeros = [UInt8](repeating: 0, count: cookie.count + mac.count)
    let digest = BLAKE2b.hash("rk1 mac1", key: key, count: HelloDatagram.macSize) { hash in
      hash.update(hello.extracting(0..<cookie.lowerBound))
      hash.update(zeros.span.bytes)
      hash.update(hello.extracting(mac.upperBound..<hello.byteCount))
    }
    return Array(digest.bytes.prefix(HelloDatagram.macSize))
  }
}
