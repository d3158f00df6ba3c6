internal import ArgumentParser
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey key restore`
struct KeyRestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Make a key file from the 24 words of a key.",
    discussion: """
      The words come from standard input; on a terminal they are not shown while they are typed, on as many lines as \
      you like. The first four letters of each are enough, and numbers before them do not matter. It writes both key \
      files, as `roamkey keygen` does, and overwrites nothing unless --force is given. It prints the player id: \
      compare it with the one that you wrote down beside the words.
      """)

  @Option(
    name: .customLong("out"), help: ArgumentHelp("The private key file.", valueName: "file"),
    completion: .file(extensions: ["pem"]))
  var path = KeyStore.player

  @Option(
    help: ArgumentHelp("Read the words from this file, which only you can read.", valueName: "f"), completion: .file())
  var wordsFile: String?

  @Option(
    help: ArgumentHelp("Protect the key with the passphrase in the first line of this file.", valueName: "f"),
    completion: .file())
  var passphraseFile: String?

  @Flag(help: "Overwrite existing key files.")
  var force = false

  /// What words in any dress have room in, in bytes.
  private static let room = 16 << 10

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      // Before anybody types 24 words for nothing.
      try KeyStore.checkFree([path, KeyStore.publicPath(path)], force: force)
      let words = try read()
      try KeyStore.saveNew(
        PlayerKey(words: words), to: path, passphrase: KeyStore.passphrase(passphraseFile), force: force)
    }
  }

  private func read() throws(Failure) -> BackupWords {
    let text = try wordsFile == nil ? typed() : SecretText(capacity: 0)
    do throws(BackupWordsError) {
      if let wordsFile { return try BackupWords(contentsOfFile: wordsFile) }
      return try BackupWords(text)
    } catch {
      throw Failure(code: "words", error.description)
    }
  }

  /// Until there are enough words, or an empty line.
  private func typed() throws(Failure) -> SecretText {
    guard SecretPrompt.isThere else { return try SecretPrompt.all(capacity: Self.room) }
    Console.note("type the \(BackupWords.count) words; they are not shown")
    return try SecretPrompt.unseen { () throws(Failure) in
      var text = SecretText(capacity: Self.room)
      while true {
        let count = BackupWords.count(in: text)
        guard count < BackupWords.count else { return text }
        guard let line = try SecretPrompt.ask("word \(count + 1) and on: "), line.count > 0 else { return text }
        line.withUnsafeBytes { _ = text.append($0) }
        text.append("\n")
      }
    }
  }
}
