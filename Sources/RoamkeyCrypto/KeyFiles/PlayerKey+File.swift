extension PlayerKey {
  /// The key in the file at `path`: PKCS#8 PEM (RFC 8410), as `save` and `openssl genpkey -algorithm ED25519` write it.
  ///
  /// Symbolic links are followed. The file has at most 16 KiB, and nobody but its owner has rights to it.
  /// - Throws: `KeyFileError`, which says what to do; `passphraseNeeded` where the key is protected.
  public static func load(_ path: String) throws(KeyFileError) -> PlayerKey {
    var key = try KeyFile(path).privateKey { _ throws(KeyFileError) in throw KeyFileError(.passphraseNeeded, path) }
    key.file = path
    return key
  }

  /// The key in the file at `path`, as ``load(_:)`` reads it; where there is no such file a new key is made and saved
  /// there first (mode 0600), so that whoever runs a program twice is the same player both times.
  ///
  /// A missing directory is made (0700). Nothing is ever overwritten: a file that is there and cannot be read is an
  /// error, and of two programs that make the key at the same moment both get the one that was saved first. A link that
  /// leads nowhere is an error as well.
  /// - Throws: `KeyFileError`, which says what to do.
  public static func loadOrGenerate(_ path: String) throws(KeyFileError) -> PlayerKey {
    do throws(KeyFileError) {
      return try load(path)
    } catch {
      guard error.code == .notFound else { throw error }
    }
    do throws(KeyFileError) {
      try generate().save(to: path)
    } catch {
      // Somebody else has just made it.
      guard error.code == .alreadyExists else { throw error }
    }
    return try load(path)
  }

  /// The key in the file at `path`, opened with `passphrase` where it is protected (up to a few seconds and 512 MiB,
  /// as the file says).
  /// - Throws: `KeyFileError`, which says what to do.
  public static func load(_ path: String, passphrase: borrowing Passphrase) throws(KeyFileError) -> PlayerKey {
    var key = try KeyFile(path).privateKey { bytes throws(KeyFileError) in
      do throws(SealedKey.OpeningError) {
        return try SealedKey.open(bytes, passphrase)
      } catch {
        throw KeyFileError(opening: error, path)
      }
    }
    key.file = path
    return key
  }

  /// Writes the key to a file that only its owner can read (mode 0600), as a whole or not at all.
  ///
  /// A missing directory is made (0700).
  /// - Parameter overwrite: whether a file of this name is replaced. If not, nothing is ever overwritten, not even
  ///   when somebody else writes it at the same moment.
  /// - Throws: `KeyFileError`, which says what to do.
  public borrowing func save(to path: String, overwrite: Bool = false) throws(KeyFileError) {
    try write(KeyDER.encode(self), PEM.privateLabel, to: path, overwrite)
  }

  /// Writes the key as `save(to:overwrite:)` does, protected by `passphrase` (Argon2id with 256 MiB, about 0.7 s;
  /// XChaCha20-Poly1305). The player id stays readable.
  /// - Throws: `KeyFileError`, which says what to do.
  public borrowing func save(
    to path: String, passphrase: borrowing Passphrase, overwrite: Bool = false
  ) throws(KeyFileError) {
    try save(to: path, passphrase: passphrase, overwrite: overwrite, limits: .moderate)
  }

  /// With chosen work, for tests.
  borrowing func save(
    to path: String, passphrase: borrowing Passphrase, overwrite: Bool, limits: SealedKey.Limits
  ) throws(KeyFileError) {
    guard !passphrase.isEmpty else { throw KeyFileError(.emptyPassphrase, path) }
    if !overwrite { try KeyFileWriter.checkFree(path) }
    guard var sealed = SealedKey.seal(self, passphrase, limits) else { throw KeyFileError(.outOfMemory, path) }
    try write(SecretBytes(wiping: &sealed), PEM.sealedLabel, to: path, overwrite)
  }

  private borrowing func write(
    _ bytes: consuming SecretBytes, _ label: String, to path: String, _ overwrite: Bool
  ) throws(KeyFileError) {
    let text = bytes.withUnsafeBytes { PEM.encode(label, $0) }
    try text.withUnsafeBytes { text throws(KeyFileError) in
      try KeyFileWriter.write(text, to: path, mode: 0o600, overwrite: overwrite)
    }
  }
}
