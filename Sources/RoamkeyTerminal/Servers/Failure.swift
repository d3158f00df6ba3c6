public import Roamkey

/// How a command ends that does not end well: one sentence on standard error and the exit code of the contract.
public struct Failure: Error {
  /// What the exit code tells.
  public enum Kind: Int32, Sendable {
    case failed = 1
    /// By the peer or by a pin.
    case refused = 2
    /// The command line says something that can never work: EX_USAGE of sysexits.h.
    case usage = 64

    /// The kind of an error of the library's.
    public init(_ error: RoamkeyError) {
      switch error.code {
      case .badApplication, .badName, .badPort, .badAddress: self = .usage
      default: self = error.isRefusal ? .refused : .failed
      }
    }
  }

  /// What the exit code tells.
  public let kind: Kind
  /// A short name for programs.
  public let code: String
  /// For people: what went wrong, and what to do.
  public let sentence: String

  /// A failure of our own.
  public init(_ kind: Kind = .failed, code: String, _ sentence: String) {
    self.kind = kind
    self.code = code
    self.sentence = sentence
  }

  /// One that the library has told.
  public init(_ error: RoamkeyError) {
    self.init(Kind(error), code: error.code.description, error.description)
  }

  /// A key file that cannot be used.
  public init(_ error: KeyFileError) { self.init(code: "keyFile", error.description) }

  /// A hand-over that does not count: a refusal, unless it is only that it cannot be read.
  package init(_ error: HandoverError) {
    switch error {
    case .contradiction, .circle, .forged: self.init(.refused, code: "handover", error.description)
    case .none, .damaged, .ofItself, .file, .occupied: self.init(code: "handover", error.description)
    }
  }
}
