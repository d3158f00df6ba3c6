internal import ArgumentParser
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey keygen`
struct KeygenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keygen", abstract: "Make a new key pair: a player, or a server.",
    discussion: """
      Writes the private key (mode 0600) and beside it, as NAME.pub.pem, the public key, which anybody may have. \
      Nothing is overwritten unless --force is given: a key that is gone is a player who is gone.
      """)

  @Option(
    name: .customLong("out"), help: ArgumentHelp("The private key file.", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var path = KeyStore.player

  @Option(
    help: ArgumentHelp("Protect it with the passphrase in the first line of this file.", valueName: "f"),
    completion: .file())
  var passphraseFile: String?

  @Flag(help: "Overwrite existing key files.")
  var force = false

  func run() async throws {
    try await Failure.report { () throws(Failure) in try make() }
  }

  private func make() throws(Failure) {
    let publicPath = KeyStore.publicPath(path)
    // Both are looked for before one is written: a public key that is there belongs to another private one.
    if !force, let found = [path, publicPath].first(where: TextFile.exists) {
      throw Self.exists(found)
    }
    // Of both before one is replaced: the old private key would be gone for nothing.
    if let found = [path, publicPath].first(where: { !TextFile.isReplaceable($0) }) {
      throw Failure(
        code: "keyFile", "\(Console.plain(found)) is not a file and was left as it is: choose another --out")
    }
    let key = PlayerKey.generate()
    do throws(KeyFileError) {
      try KeyStore.save(key, to: path, passphraseFile: passphraseFile, overwrite: force)
      try key.id.savePublic(to: publicPath, overwrite: force)
    } catch  where error.code == .alreadyExists {
      throw Self.exists(error.path)
    } catch {
      throw Failure(error)
    }
    Console.note("private key in \(path), public key in \(publicPath)")
    try Console.answer(key.id.description)
    try Console.answer(key.id.fingerprint)
  }

  private static func exists(_ path: String) -> Failure {
    Failure(
      code: "keyFile",
      "\(Console.plain(path)) exists already and was left as it is: choose another --out, or say --force")
  }
}
