internal import ArgumentParser
internal import Roamkey
internal import RoamkeyTerminal

/// `roamkey id`
struct IDCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "id", abstract: "Print the player id and the fingerprint of a key file.",
    discussion: "The file may hold a private key, protected or not, or a public one; no passphrase is asked for.")

  @Argument(help: ArgumentHelp("The key file.", valueName: "file"), completion: .file(extensions: ["pem"]))
  var path: String

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      let id: PlayerID
      do throws(KeyFileError) {
        id = try PlayerID.load(path)
      } catch {
        throw Failure(error)
      }
      try Console.answer(id.description)
      try Console.answer(id.fingerprint)
    }
  }
}
