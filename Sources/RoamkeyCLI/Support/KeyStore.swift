internal import Roamkey
internal import RoamkeyTerminal

/// Key files as the commands use them.
enum KeyStore {
  static let player = "keys/player.pem"
  static let server = "keys/server.pem"

  /// The key in the file at `path`; a new one where there is no such file and `path` is the default, for somebody who
  /// just wants to begin. A file that was named must be there: with a typo in its name one would be somebody else.
  static func loadOrMake(_ path: String?, default defaultPath: String, passphraseFile: String?) throws(Failure)
    -> PlayerKey
  {
    do throws(KeyFileError) {
      return try load(path ?? defaultPath, passphraseFile: passphraseFile)
    } catch {
      guard error.code == .notFound, path == nil, error.path == defaultPath else { throw Failure(error) }
    }
    do throws(KeyFileError) {
      var key = PlayerKey.generate()
      do throws(KeyFileError) {
        try save(key, to: defaultPath, passphraseFile: passphraseFile, overwrite: false)
      } catch {
        // Another command had the same idea at the same moment; its key is as good.
        guard error.code == .alreadyExists else { throw error }
        return try load(defaultPath, passphraseFile: passphraseFile)
      }
      key.file = defaultPath
      Console.note("made a new key pair in \(defaultPath); keep a copy of it: whoever has it is you")
      Console.note("its player id is \(key.id)")
      return key
    } catch {
      throw Failure(error)
    }
  }

  static func load(_ path: String, passphraseFile: String?) throws(KeyFileError) -> PlayerKey {
    guard let passphraseFile else { return try PlayerKey.load(path) }
    return try PlayerKey.load(path, passphrase: Passphrase(contentsOfFile: passphraseFile))
  }

  /// A key that somebody takes care of, and what protects its file.
  struct Opened: ~Copyable {
    let key: PlayerKey
    let passphrase: Passphrase?
  }

  /// The key in the file at `path`: where it is protected and no file has its passphrase, that is asked for on the
  /// terminal.
  static func open(_ path: String, passphraseFile: String?) throws(Failure) -> Opened {
    do throws(KeyFileError) {
      guard let passphraseFile else { return Opened(key: try PlayerKey.load(path), passphrase: nil) }
      let passphrase = try Passphrase(contentsOfFile: passphraseFile)
      return Opened(key: try PlayerKey.load(path, passphrase: passphrase), passphrase: passphrase)
    } catch {
      guard error.code == .passphraseNeeded, SecretPrompt.isThere else { throw Failure(error) }
    }
    guard let line = try SecretPrompt.line("passphrase of \(Console.plain(path)): ") else {
      throw Failure(code: "keyFile", "no passphrase was given for \(Console.plain(path))")
    }
    do throws(KeyFileError) {
      let passphrase = Passphrase(line)
      return Opened(key: try PlayerKey.load(path, passphrase: passphrase), passphrase: passphrase)
    } catch {
      throw Failure(error)
    }
  }

  /// The passphrase that a file has, if one was named.
  static func passphrase(_ file: String?) throws(Failure) -> Passphrase? {
    do throws(KeyFileError) {
      guard let file else { return nil }
      return try Passphrase(contentsOfFile: file)
    } catch {
      throw Failure(error)
    }
  }

  /// Writes both files of a key, or neither where one of them is there and `force` is not said; prints whose it is.
  static func saveNew(
    _ key: borrowing PlayerKey, to path: String, passphrase: borrowing Passphrase?, force: Bool
  ) throws(Failure) {
    let publicPath = publicPath(path)
    try checkFree([path, publicPath], force: force)
    do throws(KeyFileError) {
      switch passphrase {
      case .some(let passphrase): try key.save(to: path, passphrase: passphrase, overwrite: force)
      case .none: try key.save(to: path, overwrite: force)
      }
      try key.id.savePublic(to: publicPath, overwrite: force)
    } catch  where error.code == .alreadyExists {
      throw exists(error.path)
    } catch {
      throw Failure(error)
    }
    Console.note("private key in \(path), public key in \(publicPath)")
    try Console.answer(key.id.description)
    try Console.answer(key.id.fingerprint)
  }

  /// Looks for all files before one is written: a public key that is there belongs to another private one.
  static func checkFree(_ paths: [String], force: Bool) throws(Failure) {
    if !force, let found = paths.first(where: TextFile.exists) { throw exists(found) }
    // Of all before one is replaced: the old private key would be gone for nothing.
    if let found = paths.first(where: { !TextFile.isReplaceable($0) }) {
      throw Failure(
        code: "keyFile", "\(Console.plain(found)) is not a file and was left as it is: choose another --out")
    }
  }

  private static func exists(_ path: String) -> Failure {
    Failure(
      code: "keyFile",
      "\(Console.plain(path)) exists already and was left as it is: choose another --out, or say --force")
  }

  static func save(
    _ key: borrowing PlayerKey, to path: String, passphraseFile: String?, overwrite: Bool
  ) throws(KeyFileError) {
    if let passphraseFile {
      try key.save(to: path, passphrase: Passphrase(contentsOfFile: passphraseFile), overwrite: overwrite)
    } else {
      try key.save(to: path, overwrite: overwrite)
    }
  }

  /// Where the public key of the private key file `path` goes: `keys/player.pem` gives `keys/player.pub.pem`.
  static func publicPath(_ path: String) -> String {
    let stem = path.hasSuffix(".pem") ? String(path.dropLast(4)) : path
    return stem + ".pub.pem"
  }
}
