internal import ArgumentParser
internal import RoamkeyTerminal

extension Failure {
  /// Runs a command's work, and turns what it throws into words and exit code.
  static func report<R>(
    json: Bool = false, _ work: () async throws(Failure) -> R
  ) async throws -> R {
    do {
      return try await work()
    } catch {
      Console.note("roamkey: \(error.sentence)")
      EventPrinter(isOn: json).error(code: error.code, error.sentence)
      throw ExitCode(error.kind.rawValue)
    }
  }
}
