extension Value: CustomStringConvertible {
  /// The notation that RFC 8949, section 8, uses for people: `{"name": "Ada", "hp": 10}`, `h'00ff'`, `2(h'01')`.
  public var description: String {
    switch self {
    case .null: "null"
    case .undefined: "undefined"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): Self.words(value)
    case .bytes(let value): "h'\(value.map(Self.hexadecimal).joined())'"
    case .text(let value): Self.quoted(value)
    case .list(let elements): "[\(elements.map(\.description).joined(separator: ", "))]"
    case .dictionary(let entries):
      // In an order of its own, which is the same each time.
      "{\(entries.map { "\($0): \($1)" }.sorted().joined(separator: ", "))}"
    case .tagged(let tag, let value): "\(tag)(\(value))"
    case .simple(let number): "simple(\(number))"
    }
  }

  private static func words(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return "\(value)"
  }

  private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      default:
        // What could change the terminal of whoever reads it is told by its number.
        if scalar.properties.generalCategory == .control {
          quoted += "\\u{\(String(scalar.value, radix: 16))}"
        } else {
          quoted.unicodeScalars.append(scalar)
        }
      }
    }
    return quoted + "\""
  }
}
