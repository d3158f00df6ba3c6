internal import ArgumentParser
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey key derive`
struct KeyDeriveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "derive", abstract: "Print or write the key for one application that follows from a root key.",
    discussion: """
      The same root and application give the same key each time, so that one backup of the root brings all of them \
      back. Nobody can tell without the root that two of them belong together. Without --out only the player id is \
      printed. `roamkey connect --root` uses such a key without writing it.
      """)

  @Option(help: ArgumentHelp("The root: any key file.", valueName: "file"), completion: .file(extensions: ["pem"]))
  var root: String

  @Option(help: ArgumentHelp("What is played: the name that --app of `roamkey connect` takes.", valueName: "name"))
  var app: String

  @Option(help: ArgumentHelp("0, or the next one after a key was stolen.", valueName: "n"))
  var number: UInt32 = 0

  @Option(
    name: .customLong("out"), help: ArgumentHelp("Write the key to this file.", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var path: String?

  @Option(
    help: ArgumentHelp(
      "The passphrase of the root is the first line of this file; without it the terminal asks.", valueName: "f"),
    completion: .file())
  var passphraseFile: String?

  @Option(
    help: ArgumentHelp(
      "Protect the new file with the passphrase in the first line of this one (default: that of the root).",
      valueName: "f"), completion: .file())
  var newPassphraseFile: String?

  @Flag(help: "Overwrite existing key files.")
  var force = false

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      if let path { try KeyStore.checkFree([path, KeyStore.publicPath(path)], force: force) }
      let opened = try KeyStore.open(root, passphraseFile: passphraseFile)
      let key = try KeyStore.child(of: opened.key, app, number: number)
      guard let path else {
        try Console.answer(key.id.description)
        try Console.answer(key.id.fingerprint)
        return
      }
      let own = try KeyStore.passphrase(newPassphraseFile)
      if newPassphraseFile == nil {
        try KeyStore.saveNew(key, to: path, passphrase: opened.passphrase, force: force)
      } else {
        try KeyStore.saveNew(key, to: path, passphrase: own, force: force)
      }
    }
  }
}

extension KeyStore {
  /// The key for one application that follows from `root`.
  static func child(of root: borrowing PlayerKey, _ application: String, number: UInt32 = 0) throws(Failure)
    -> PlayerKey
  {
    do throws(RoamkeyError) {
      return try root.forApplication(application, number: number)
    } catch {
      throw Failure(error)
    }
  }
}
