extension PlayerID {
  /// The player id of the key file at `path`: a public one (SPKI PEM) or a private one, protected or not.
  ///
  /// A protected file is taken at its word, as a public file is: only opening it proves whose it is.
  /// - Throws: `KeyFileError`, which says what to do.
  public static func load(_ path: String) throws(KeyFileError) -> PlayerID {
    try KeyFile(path).playerID()
  }

  /// Writes the public key to a file that everybody may read (SPKI PEM, mode 0644), as a whole or not at all.
  ///
  /// A missing directory is made (0700).
  /// - Parameter overwrite: whether a file of this name is replaced.
  /// - Throws: `KeyFileError`, which says what to do.
  public func savePublic(to path: String, overwrite: Bool = false) throws(KeyFileError) {
    var bytes = KeyDER.encode(self)
    let text = SecretBytes(wiping: &bytes).withUnsafeBytes { PEM.encode(PEM.publicLabel, $0) }
    try text.withUnsafeBytes { text throws(KeyFileError) in
      try KeyFileWriter.write(text, to: path, mode: 0o644, overwrite: overwrite)
    }
  }
}
