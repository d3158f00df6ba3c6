import RoamkeyCrypto
import RoamkeyEngine
import RoamkeySodium

/// What a session's keys do to a packet, beside libsodium's bare calls for the same bytes.
enum CryptoTimings {
  /// A key pair in libsodium's form, and as ours.
  final class Keys {
    let key: PlayerKey
    let secret = Scratch(count: 64)
    let publicKey = Scratch(count: 32)

    init() {
      var seed = [UInt8](repeating: 1, count: 32)
      crypto_sign_seed_keypair(publicKey.pointer, secret.pointer, seed)
      key = PlayerKey(seed: SecretBytes(wiping: &seed))
    }
  }

  /// Both ends of a session.
  final class Ends {
    let sender = Ends.keys(.initiatorToResponder)
    let receiver = Ends.keys(.responderToInitiator)

    private static func keys(_ sending: Direction) -> SessionKeys {
      var split = [UInt8](repeating: 3, count: 64)
      return SessionKeys(
        split: SecretBytes(wiping: &split),
        context: SessionContext(
          application: "measure/1", initiator: PlayerID(publicKey: Digest()), responder: PlayerID(publicKey: Digest()),
          handshakeHash: Digest()), sending: sending)
    }
  }

  /// Of a packet to a server: first byte, connection id, two bytes of number.
  static let headerSize = 11
  static let number: UInt64 = 1000

  static var all: [Timing] { [64, 1200].flatMap { [seal($0), open($0)] } + [sign, verify] }

  private static func seal(_ size: Int) -> Timing {
    let (ends, ours, theirs) = (Ends(), Scratch(), Scratch())
    return Timing(
      "seal \(size) B", against: "libsodium's seal",
      work: { protect(ours, size, ends) }, bare: { keep(bareSeal(theirs, size)) })
  }

  private static func open(_ size: Int) -> Timing {
    let (ends, sealed, ours) = (Ends(), Scratch(), Scratch())
    sealed.bytes[0] = 1
    sealed.bytes[9] = UInt8(number >> 8)
    sealed.bytes[10] = UInt8(truncatingIfNeeded: number)
    protect(sealed, size, ends)
    let (bareSealed, theirs) = (Scratch(), Scratch())
    _ = bareSeal(bareSealed, size)
    let total = headerSize + size + ChaChaPoly.tagSize
    return Timing(
      "open \(size) B", against: "libsodium's open",
      work: {
        ours.copy(total, from: sealed)
        var span = MutableRawSpan(_unsafeBytes: ours.first(total))
        let opened = try? ends.receiver.open(
          &span, connectionIDSize: 8, window: ReplayWindow(), receiving: KeyPhaseState())
        precondition(opened?.number == number, "the packet was not opened")
      },
      bare: {
        theirs.copy(total, from: bareSealed)
        precondition(bareOpen(theirs, size) == 0, "the packet was not opened")
      })
  }

  private static func protect(_ scratch: Scratch, _ size: Int, _ ends: Ends) {
    var span = MutableRawSpan(_unsafeBytes: scratch.first(headerSize + size + ChaChaPoly.tagSize))
    ends.sender.protect(&span, headerSize: headerSize, numberSize: 2, number: number)
  }

  private static var sign: Timing {
    let (keys, message, signature) = (Keys(), Scratch(count: 65), Scratch(count: 64))
    return Timing(
      "sign", against: "libsodium's sign",
      work: { keep(SignatureTrailer.withSignedBytes(depth: 0, root: Digest()) { keys.key.sign($0) }) },
      bare: { bareSign(keys, message, signature) })
  }

  private static var verify: Timing {
    let (keys, message, signature) = (Keys(), Scratch(count: 65), Scratch(count: 64))
    let ours = SignatureTrailer.withSignedBytes(depth: 0, root: Digest()) { keys.key.sign($0) }
    bareSign(keys, message, signature)
    return Timing(
      "verify", against: "libsodium's verify",
      work: {
        let isGood = SignatureTrailer.withSignedBytes(depth: 0, root: Digest()) { keys.key.id.verify(ours, of: $0) }
        precondition(isGood, "the signature was not taken")
      },
      bare: { precondition(bareVerify(keys, message, signature), "the signature was not taken") })
  }

  // MARK: Bare calls

  private static let nonce = [UInt8](repeating: 0, count: 12)
  private static let aeadKey = [UInt8](repeating: 5, count: 32)

  static func bareSeal(_ scratch: Scratch, _ size: Int) -> CInt {
    let body = scratch.pointer + headerSize
    return crypto_aead_chacha20poly1305_ietf_encrypt(
      body, nil, body, UInt64(size), scratch.pointer, UInt64(headerSize), nil, nonce, aeadKey)
  }

  static func bareOpen(_ scratch: Scratch, _ size: Int) -> CInt {
    let body = scratch.pointer + headerSize
    return crypto_aead_chacha20poly1305_ietf_decrypt(
      body, nil, nil, body, UInt64(size + ChaChaPoly.tagSize), scratch.pointer, UInt64(headerSize), nonce, aeadKey)
  }

  static func bareSign(_ keys: Keys, _ message: Scratch, _ signature: Scratch) {
    _ = crypto_sign_detached(
      signature.pointer, nil, message.pointer, UInt64(message.bytes.count), keys.secret.pointer)
  }

  static func bareVerify(_ keys: Keys, _ message: Scratch, _ signature: Scratch) -> Bool {
    crypto_sign_verify_detached(
      signature.pointer, message.pointer, UInt64(message.bytes.count), keys.publicKey.pointer) == 0
  }
}
