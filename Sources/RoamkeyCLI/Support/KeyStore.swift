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
