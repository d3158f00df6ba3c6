/// Why a state could not be sent or read.
public enum StateError: Error, Sendable, Hashable {
  /// It has more values than `limit`.
  case tooManyValues(limit: Int)
  /// Its texts and keys have more bytes than `limit`.
  case tooManyBytes(limit: Int)
  /// Lists and dictionaries are nested more deeply than `limit` levels.
  case tooDeep(limit: Int)
  /// Its type could not be encoded, and why.
  case notEncodable(String)
  /// Its type could not be decoded from what was received, and why. Differences that follow are read all the same.
  case notDecodable(String)
  /// The bytes are no state.
  case malformed
  /// Reading it would take far more work than any honest message does (STATE §8).
  case tooMuchWork
  /// It is the difference to a state that is not here (any more). A whole one is asked for.
  case missingBaseline
  /// It was read, and is not what was sent: the state that it is the difference to was another one.
  case wrongBaseline
}

extension StateError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tooManyValues(let limit): "the state has more than \(limit) values (StateLimits)"
    case .tooManyBytes(let limit): "texts and keys of the state have more than \(limit) bytes (StateLimits)"
    case .tooDeep(let limit): "lists and dictionaries of the state are nested more than \(limit) levels deep"
    case .notEncodable(let reason): "the state could not be encoded: \(reason)"
    case .notDecodable(let reason): "what was received is no such state: \(reason)"
    case .malformed: "the bytes are no state"
    case .tooMuchWork: "reading it would take more work than any state does"
    case .missingBaseline: "it is the difference to a state that is not here"
    case .wrongBaseline: "it is the difference to another state than the one that is here"
    }
  }
}
