internal import ArgumentParser
internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey key words`
struct KeyWordsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "words", abstract: "Print a key as 24 words, to be written down on paper.",
    discussion: """
      Whoever reads the words has the key, whatever passphrase its file has. So they are printed on a terminal only, \
      unless --pipe or --out is given. The words (BIP 39, English) stand for the key itself: any key can be written \
      down, and `roamkey key restore` gives the same one back. They are no words of a wallet, and words of a wallet \
      give another key here.
      """)

  @Argument(help: ArgumentHelp("The key file.", valueName: "file"), completion: .file(extensions: ["pem"]))
  var path: String

  @Option(
    help: ArgumentHelp(
      "The passphrase of the key is the first line of this file; without it the terminal asks.", valueName: "f"),
    completion: .file())
  var passphraseFile: String?

  @Option(
    help: ArgumentHelp("Write them to this file (mode 0600) instead of printing them.", valueName: "file"),
    completion: .file())
  var out: String?

  @Flag(help: "Print them even where standard output is no terminal, on one line.")
  var pipe = false

  @Flag(help: "Overwrite an existing file.")
  var force = false

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      let isTerminal = isatty(STDOUT_FILENO) == 1
      guard isTerminal || pipe || out != nil else { throw Self.noTerminal }
      if let out { try KeyStore.checkFree([out], force: force) }
      let words = try KeyStore.open(path, passphraseFile: passphraseFile).key.words()
      guard let out else {
        let text = words.rendered(asTable: isTerminal && !pipe)
        if isTerminal { Console.note("whoever reads these words has the key; write them down, then clear the screen") }
        try text.withUnsafeBytes { text throws(Failure) in try Console.answer(text) }
        return
      }
      try write(words, to: out)
      Console.note("the words are in \(Console.plain(out)): whoever reads that file has the key")
    }
  }

  private func write(_ words: borrowing BackupWords, to path: String) throws(Failure) {
    var text = words.rendered(asTable: true)
    text.append("\n")
    do throws(KeyFileError) {
      try text.withUnsafeBytes { text throws(KeyFileError) in
        try KeyFileWriter.writeSecret(text, to: path, overwrite: force)
      }
    } catch {
      throw Failure(error)
    }
  }

  private static let noTerminal = Failure(
    .usage, code: "noTerminal",
    "the words are printed on a terminal only, since whoever reads them has the key: give --out FILE, or say --pipe")
}
