import RoamkeySodium

/// A player's Ed25519 key pair: who somebody is, wherever their packets come from.
///
/// The secret half lives in guarded memory, is wiped when the value dies, and can be neither copied nor printed.
/// Servers have the same kind of key.
public struct PlayerKey: ~Copyable, Sendable {
  /// libsodium's form: 32 bytes of seed, then the 32 bytes of the public key.
  let secret: SecretBytes
  /// The public half: safe to show, to print, to hand to anybody.
  public let id: PlayerID
  /// The file that it came from; nil for a key that was made by other means.
  package var file: String?

  /// A new key pair from the operating system's random numbers.
  public static func generate() -> PlayerKey {
    PlayerKey(seed: SecretBytes(random: 32))
  }

  /// The key pair of a 32-byte seed (RFC 8032 §5.1.5).
  package init(seed: consuming SecretBytes) {
    precondition(seed.count == 32, "an Ed25519 seed has 32 bytes")
    let secret = SecretBytes(zeros: 64)
    var publicKey = Digest()
    publicKey.withUnsafeMutableBytes { target in
      _ = crypto_sign_seed_keypair(
        target.baseAddress!.assumingMemoryBound(to: UInt8.self), secret.mutablePointer(at: 0, size: 64),
        seed.pointer(at: 0, size: 32))
    }
    self.secret = secret
    self.id = PlayerID(publicKey: publicKey)
  }

  /// The seed, for key files and for keys derived from it.
  package borrowing func withSeed<R: ~Copyable, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try secret.withUnsafeBytes { bytes throws(E) in try body(UnsafeRawBufferPointer(rebasing: bytes[..<32])) }
  }
}
