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
    try await Failure.report { () throws(Failure) in
      try KeyStore.saveNew(
        PlayerKey.generate(), to: path, passphrase: KeyStore.passphrase(passphraseFile), force: force)
    }
  }
}
