/// Why bytes are not a value, or a value cannot be written.
public enum CBORError: Error, Hashable, Sendable {
  /// It was sent as text or bytes.
  case notAValue
  /// The bytes end in the middle of something.
  case endsEarly
  /// What stands at that byte is no CBOR.
  case malformed(at: Int)
  /// A text that is not UTF-8 begins at that byte.
  case textIsNotUTF8(at: Int)
  /// A dictionary has the key that ends before that byte twice.
  case repeatedKey(at: Int)
  /// The value is over after that byte, and the bytes are not.
  case goesOn(at: Int)
  /// Lists, dictionaries and tags are nested more deeply than `limit` levels.
  case tooDeep(limit: Int)
  /// A whole number beyond 64 bits.
  case integerTooLarge
  /// A simple value that has another name (20 to 23) or must not be used (24 to 31).
  case reservedSimple(UInt8)
}

extension CBORError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAValue: "it was sent as text or bytes, and not as a value"
    case .endsEarly: "the bytes end in the middle of a value"
    case .malformed(let place): "byte \(place) is no CBOR"
    case .textIsNotUTF8(let place): "the text at byte \(place) is not UTF-8"
    case .repeatedKey(let place): "a dictionary has a key twice, before byte \(place)"
    case .goesOn(let place): "there are bytes behind the value, from byte \(place)"
    case .tooDeep(let limit): "lists and dictionaries are nested more than \(limit) levels deep"
    case .integerTooLarge: "a whole number is from -2^64 to 2^64 - 1"
    case .reservedSimple(let number): "there is no simple value \(number)"
    }
  }
}
