internal import ArgumentParser
internal import Roamkey

/// How a command ends that does not end well: one sentence on standard error and the exit code of the contract.
struct Failure: Error {
  enum Kind: Int32 {
    case failed = 1
    /// By the peer or by a pin.
    case refused = 2
    /// The command line says something that can never work: EX_USAGE of sysexits.h.
    case usage = 64

    init(_ error: RoamkeyError) {
      switch error.code {
      case .badApplication, .badName, .badPort, .badAddress: self = .usage
      default: self = error.isRefusal ? .refused : .failed
      }
    }
  }

  let kind: Kind
  /// A short name for programs.
  let code: String
  let sentence: String

  init(_ kind: Kind = .failed, code: String, _ sentence: String) {
    self.kind = kind
    self.code = code
    self.sentence = sentence
  }

  init(_ error: RoamkeyError) {
    self.init(Kind(error), code: error.code.description, error.description)
  }

  init(_ error: KeyFileError) { self.init(code: "keyFile", error.description) }

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
