/// A JSON text (RFC 8259), written by hand: some figures need no library.
indirect enum JSON: CustomStringConvertible {
  case text(String)
  case integer(Int)
  case number(Double?)
  case bool(Bool)
  case array([JSON])
  /// Its fields in the order in which they are to stand.
  case object([(String, JSON)])

  var description: String {
    switch self {
    case .text(let text): Self.quoted(text)
    case .integer(let integer): String(integer)
    // Neither infinities nor NaN have a form.
    case .number(let number): number.flatMap { $0.isFinite ? Text.number($0, decimals: 3) : nil } ?? "null"
    case .bool(let bool): String(bool)
    case .array(let values): "[" + values.map(\.description).joined(separator: ",") + "]"
    case .object(let fields):
      "{" + fields.map { name, value in "\(Self.quoted(name)):\(value)" }.joined(separator: ",") + "}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\u{0}"..."\u{1f}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
