internal import ArgumentParser
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey key rotate`
struct KeyRotateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Make a new key, and a statement by which the old one hands over to it.",
    discussion: """
      The old key file is kept as it was. The statement is signed by both keys, and is no secret: give it to whoever \
      knows the old key, so that the new one takes its place there (`roamkey key accept`). Of two statements of one \
      old key the first one that somebody accepts counts: a thief of the old key can make one as well, so be quick. \
      With --to no key is made, and the old one hands over to that one.
      """)

  @Option(
    name: .customLong("key"), help: ArgumentHelp("The old key.", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var oldPath: String

  @Option(
    name: .customLong("out"), help: ArgumentHelp("The new key file (default: a.pem gives a.2.pem).", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var newPath: String?

  @Option(
    help: ArgumentHelp("Hand over to this key, which is there already.", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var to: String?

  @Option(
    help: ArgumentHelp("The statement's file (default: beside the new key, a.2.handover).", valueName: "file"),
    completion: .file())
  var handover: String?

  @Option(
    help: ArgumentHelp(
      "The passphrase of the old key is the first line of this file; without it the terminal asks.", valueName: "f"),
    completion: .file())
  var passphraseFile: String?

  @Option(
    help: ArgumentHelp(
      "The passphrase of the new key is the first line of this file (default: that of the old one).", valueName: "f"),
    completion: .file())
  var newPassphraseFile: String?

  func validate() throws {
    if to != nil && newPath != nil { throw ValidationError("--to names a key that is there: --out is not for it") }
  }

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      let path = to ?? newPath ?? Self.successor(of: oldPath)
      let handoverPath = handover ?? Self.stem(path) + ".handover"
      // All of them before one is written, and nothing is ever replaced.
      try KeyStore.checkFree(
        (to == nil ? [path, KeyStore.publicPath(path)] : []) + [handoverPath], force: false)
      let old = try KeyStore.open(oldPath, passphraseFile: passphraseFile)
      if to != nil {
        let new = try KeyStore.open(path, passphraseFile: newPassphraseFile)
        try write(old.key, new.key, handoverPath)
        try Console.answer(new.key.id.description)
        try Console.answer(new.key.id.fingerprint)
      } else {
        let new = PlayerKey.generate()
        if let newPassphraseFile {
          let own = try KeyStore.passphrase(newPassphraseFile)
          try KeyStore.saveNew(new, to: path, passphrase: own, force: false)
        } else {
          try KeyStore.saveNew(new, to: path, passphrase: old.passphrase, force: false)
        }
        try write(old.key, new, handoverPath)
      }
      Console.note("the old key stays in \(Console.plain(oldPath)); the hand-over is in \(Console.plain(handoverPath))")
      Console.note("give it to those who know the old key: `roamkey key accept \(Console.plain(handoverPath))`")
    }
  }

  private func write(
    _ old: borrowing PlayerKey, _ new: borrowing PlayerKey, _ path: String
  ) throws(Failure) {
    let statement: Handover
    do throws(HandoverError) {
      statement = try old.handOver(to: new)
    } catch {
      throw Failure(error)
    }
    do throws(KeyFileError) {
      try statement.save(to: path)
    } catch {
      throw Failure(error)
    }
  }

  /// `keys/a.pem` gives `keys/a.2.pem`, and that `keys/a.3.pem`.
  static func successor(of path: String) -> String {
    var stem = stem(path)
    var number = 2
    if let point = stem.utf8.lastIndex(of: UInt8(ascii: ".")), let last = Int(stem[stem.index(after: point)...]),
      (2..<Int.max).contains(last)
    {
      number = last + 1
      stem = String(stem[..<point])
    }
    return "\(stem).\(number).pem"
  }

  private static func stem(_ path: String) -> String { path.hasSuffix(".pem") ? String(path.dropLast(4)) : path }
}
