/// One JSON object on one line, written by hand: a few flat fields need no library (RFC 8259).
struct JSONLine {
  /// What a field can hold.
  enum Value {
    case text(String)
    case number(UInt64)
    /// A number that is written already, such as a time.
    case literal(String)
    case object([(String, Value)])
    case list([Value])

    /// A number with a fraction; JSON has none that are not finite.
    static func decimal(_ value: Double) -> Value { .literal(value.isFinite ? "\(value)" : "0") }

    static func seconds(_ duration: Duration) -> Value { .decimal(duration / .seconds(1)) }
  }

  private(set) var text = "{"

  /// - Parameter fields: in the order in which they are to stand.
  init(_ fields: [(String, Value)]) {
    text = Self.object(fields)
  }

  private static func object(_ fields: [(String, Value)]) -> String {
    var text = "{"
    for (index, (name, value)) in fields.enumerated() {
      if index > 0 { text += "," }
      text += quoted(name) + ":" + written(value)
    }
    return text + "}"
  }

  private static func written(_ value: Value) -> String {
    switch value {
    case .text(let string): quoted(string)
    case .number(let number): String(number)
    case .literal(let literal): literal
    case .object(let fields): object(fields)
    case .list(let values): "[" + values.map(written).joined(separator: ",") + "]"
    }
  }

  /// A string in quotes (RFC 8259 §7): quote, backslash and control characters escaped; DEL and the line separators of
  /// Unicode as well, since some readers take those for line ends.
  static func quoted(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}": text += escape(scalar)
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}
