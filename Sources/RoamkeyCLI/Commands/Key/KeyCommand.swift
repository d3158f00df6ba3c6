internal import ArgumentParser

/// `roamkey key`
struct KeyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "Take care of keys: write them down as words, derive, replace and hand over.",
    subcommands: [
      KeyWordsCommand.self, KeyRestoreCommand.self, KeyDeriveCommand.self, KeyRotateCommand.self,
      KeyHandoverCommand.self, KeyAcceptCommand.self,
    ])
}
