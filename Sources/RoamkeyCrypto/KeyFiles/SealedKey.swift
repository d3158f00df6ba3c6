import RoamkeySodium

/// A private key protected by a passphrase: the 129 bytes of `ROAMKEY ENCRYPTED PRIVATE KEY`.
///
/// ```
/// offset  size
///      0     1  version: 1 = Argon2id (1.3), XChaCha20-Poly1305
///      1     4  Argon2id passes, big-endian
///      5     4  Argon2id memory in KiB, big-endian
///      9    16  Argon2id salt
///     25    24  XChaCha20 nonce
///     49    32  Ed25519 public key, so that the player id can be told without the passphrase
///     81    48  Ed25519 seed, sealed, tag included; bytes 0 to 80 are its associated data
/// ```
/// Argon2id gives 32 bytes from passphrase and salt, one lane. PKCS#8's own encryption (PBES2) was not chosen, since
/// libsodium has no cipher of it and openssl no Argon2id for it.
enum SealedKey {
  /// The work that a guess costs.
  struct Limits: Equatable {
    let passes: UInt32
    let memoryKiB: UInt32

    /// libsodium's MODERATE: 256 MiB, about 0.7 s.
    static let moderate = Limits(passes: 3, memoryKiB: 256 * 1024)

    /// What a file may ask of whoever opens it: at most 512 MiB and 8 passes, a few seconds.
    var areBearable: Bool { (1...8).contains(passes) && (8...512 * 1024).contains(memoryKiB) }
  }

  enum OpeningError: Error, Equatable {
    case malformed, wrongPassphrase, outOfMemory
  }

  static let size = 129
  private static let version: UInt8 = 1
  private static let saltStart = 9, nonceStart = 25, publicStart = 49, sealedStart = 81

  /// The 129 bytes; nil where there is too little memory for Argon2id.
  static func seal(_ key: borrowing PlayerKey, _ passphrase: borrowing Passphrase, _ limits: Limits) -> [UInt8]? {
    var file = [version]
    withUnsafeBytes(of: limits.passes.bigEndian) { file.append(contentsOf: $0) }
    withUnsafeBytes(of: limits.memoryKiB.bigEndian) { file.append(contentsOf: $0) }
    file.append(contentsOf: [UInt8](repeating: 0, count: publicStart - saltStart))
    file.withUnsafeMutableBytes { randombytes_buf($0.baseAddress! + saltStart, publicStart - saltStart) }
    file.append(contentsOf: key.id.publicKey.bytes)
    file.append(contentsOf: [UInt8](repeating: 0, count: size - sealedStart))
    let cipherKey = SecretBytes(zeros: 32)
    let sealed = file.withUnsafeMutableBufferPointer { file in
      guard let start = file.baseAddress, derive(cipherKey, passphrase, salt: start + saltStart, limits) else {
        return false
      }
      return crypto_aead_xchacha20poly1305_ietf_encrypt(
        start + sealedStart, nil, key.secret.pointer(at: 0, size: 32), 32, start, UInt64(sealedStart), nil,
        start + nonceStart, cipherKey.pointer(at: 0, size: 32)) == 0
    }
    return sealed ? file : nil
  }

  /// The key inside.
  static func open(
    _ file: UnsafeRawBufferPointer, _ passphrase: borrowing Passphrase
  ) throws(OpeningError) -> PlayerKey {
    let limits = try limits(of: file)
    guard let start = file.baseAddress?.assumingMemoryBound(to: UInt8.self) else { throw .malformed }
    let cipherKey = SecretBytes(zeros: 32)
    guard derive(cipherKey, passphrase, salt: start + saltStart, limits) else { throw .outOfMemory }
    let seed = SecretBytes(zeros: 32)
    let status = crypto_aead_xchacha20poly1305_ietf_decrypt(
      seed.mutablePointer(at: 0, size: 32), nil, nil, start + sealedStart, UInt64(size - sealedStart), start,
      UInt64(sealedStart), start + nonceStart, cipherKey.pointer(at: 0, size: 32))
    guard status == 0 else { throw .wrongPassphrase }
    let key = PlayerKey(seed: seed)
    guard key.id == PlayerID(publicKey: publicKey(of: file)) else { throw .malformed }
    return key
  }

  /// Whose key it is. Nothing but the file itself vouches for that until it is opened, as with a public file.
  static func id(_ file: UnsafeRawBufferPointer) throws(OpeningError) -> PlayerID {
    _ = try limits(of: file)
    return PlayerID(publicKey: publicKey(of: file))
  }

  private static func publicKey(of file: UnsafeRawBufferPointer) -> Digest {
    Digest(Array(file[publicStart..<sealedStart]))
  }

  private static func limits(of file: UnsafeRawBufferPointer) throws(OpeningError) -> Limits {
    guard file.count == size, file[0] == version else { throw .malformed }
    let limits = Limits(
      passes: UInt32(bigEndian: file.loadUnaligned(fromByteOffset: 1, as: UInt32.self)),
      memoryKiB: UInt32(bigEndian: file.loadUnaligned(fromByteOffset: 5, as: UInt32.self)))
    guard limits.areBearable else { throw .malformed }
    return limits
  }

  private static func derive(
    _ key: borrowing SecretBytes, _ passphrase: borrowing Passphrase, salt: UnsafePointer<UInt8>, _ limits: Limits
  ) -> Bool {
    let text = UnsafeRawPointer(passphrase.secret.pointer(at: 0, size: max(passphrase.count, 1)))
    return crypto_pwhash(
      key.mutablePointer(at: 0, size: 32), 32, text.assumingMemoryBound(to: CChar.self), UInt64(passphrase.count),
      salt, UInt64(limits.passes), Int(limits.memoryKiB) * 1024, crypto_pwhash_ALG_ARGON2ID13) == 0
  }
}
