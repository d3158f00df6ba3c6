internal import ArgumentParser
internal import Roamkey

/// `roamkey id`
struct IDCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "id", abstract: "Print the player id and the fingerprint of a key file.",
    discussion: "The file may hold a private key, protected or not, or a public one; no passphrase is asked for.")

  @Argument(help: ArgumentHelp("The key file.", valueName: "file"))
  var path: String

  func run() async throws {
    try await Failure.report { () throws(Failure) in
      do throws(KeyFileError) {
        let id = try PlayerID.load(path)
        Console.print(id.description)
        Console.print(id.fingerprint)
      } catch {
        throw Failure(error)
      }
    }
  }
}
