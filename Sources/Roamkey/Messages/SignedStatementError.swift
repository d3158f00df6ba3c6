public import RoamkeyCBOR

/// Why bytes are no ``SignedStatement``.
public enum SignedStatementError: Error, Hashable, Sendable, CustomStringConvertible {
  /// They are no CBOR at all.
  case malformed(CBORError)
  /// They are something else, or of a version that is not known here.
  case somethingElse

  public var description: String {
    switch self {
    case .malformed(let error): "this is no signed statement: \(error)"
    case .somethingElse: "this is no signed statement that this version can read"
    }
  }
}
