/// A key file that was read and found to be PEM; what is inside is still to be parsed.
struct KeyFile: ~Copyable {
  private let path: String
  private let contents: KeyFileContents
  private let frame: PEM.Frame

  /// Reads the file. One that holds a secret must be its owner's alone.
  init(_ path: String) throws(KeyFileError) {
    let contents = try KeyFileContents(path: path)
    let frame: PEM.Frame
    do {
      frame = try contents.withUnsafeBytes { bytes throws(PEM.ParsingError) in try PEM.frame(in: bytes) }
    } catch .noFrame {
      throw KeyFileError(.notPEM, path)
    } catch {
      throw KeyFileError(.corrupt, path, "its END line is missing")
    }
    guard frame.label == PEM.publicLabel || !contents.isOpenToOthers else {
      throw KeyFileError(.readableByOthers, path)
    }
    self.path = path
    self.contents = contents
    self.frame = frame
  }

  /// The private key; `open` is asked where it is protected by a passphrase.
  borrowing func privateKey(
    open: (UnsafeRawBufferPointer) throws(KeyFileError) -> PlayerKey
  ) throws(KeyFileError) -> PlayerKey {
    switch frame.label {
    case PEM.privateLabel: return try withDecoded { bytes throws(KeyFileError) in try plain(bytes) }
    case PEM.sealedLabel: return try withDecoded(open)
    case PEM.publicLabel: throw KeyFileError(.publicOnly, path)
    default: throw otherLabel()
    }
  }

  /// The player id, from a public or a private key; no passphrase is needed.
  borrowing func playerID() throws(KeyFileError) -> PlayerID {
    switch frame.label {
    case PEM.publicLabel:
      return try withDecoded { bytes throws(KeyFileError) in
        do throws(KeyDER.ParsingError) {
          return try KeyDER.publicKey(bytes)
        } catch {
          throw KeyFileError(parsing: error, path)
        }
      }
    case PEM.privateLabel:
      return try withDecoded { bytes throws(KeyFileError) in try plain(bytes).id }
    case PEM.sealedLabel:
      return try withDecoded { bytes throws(KeyFileError) in
        do throws(SealedKey.OpeningError) {
          return try SealedKey.id(bytes)
        } catch {
          throw KeyFileError(opening: error, path)
        }
      }
    default: throw otherLabel()
    }
  }

  private borrowing func plain(_ bytes: UnsafeRawBufferPointer) throws(KeyFileError) -> PlayerKey {
    do { return try KeyDER.privateKey(bytes) } catch { throw KeyFileError(parsing: error, path) }
  }

  private borrowing func withDecoded<R: ~Copyable>(
    _ body: (UnsafeRawBufferPointer) throws(KeyFileError) -> R
  ) throws(KeyFileError) -> R {
    try contents.withUnsafeBytes { text throws(KeyFileError) in
      try PEM.withDecoded(text, frame.body) { bytes throws(KeyFileError) in
        guard let bytes else { throw KeyFileError(.corrupt, path, "its text is not base64") }
        return try body(bytes)
      }
    }
  }

  private borrowing func otherLabel() -> KeyFileError {
    switch frame.label {
    case "ENCRYPTED PRIVATE KEY":
      return KeyFileError(
        .wrongKind, path, "a key encrypted by another tool (`openssl pkey -in FILE -out NEW` takes that off)")
    case "OPENSSH PRIVATE KEY": return KeyFileError(.wrongKind, path, "an SSH key")
    case "RSA PRIVATE KEY", "RSA PUBLIC KEY": return KeyFileError(.wrongKind, path, "an RSA key")
    case "EC PRIVATE KEY", "EC PARAMETERS": return KeyFileError(.wrongKind, path, "an EC key")
    case "CERTIFICATE": return KeyFileError(.wrongKind, path, "a certificate")
    default: return KeyFileError(.wrongKind, path, "something else than a key")
    }
  }
}

extension KeyFileError {
  init(parsing error: KeyDER.ParsingError, _ path: String) {
    switch error {
    case .malformed: self.init(.corrupt, path, "its contents are not a whole key")
    case .mismatch: self.init(.corrupt, path, "its private and public key do not belong together")
    case .otherKind(let kind): self.init(.wrongKind, path, kind)
    }
  }

  init(opening error: SealedKey.OpeningError, _ path: String) {
    switch error {
    case .malformed: self.init(.corrupt, path, "its contents are not a protected key of a known version")
    case .wrongPassphrase: self.init(.wrongPassphrase, path)
    case .outOfMemory: self.init(.outOfMemory, path)
    }
  }
}
