/// Text from the network that people will see (PROTOCOL §7): free of control and bidirectional characters, so that it
/// can neither move a terminal's cursor nor pretend to be something else.
package enum DisplayText {
  /// `text` without such characters.
  package static func clean(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter(isHarmless)))
  }

  /// Whether `text` has no such characters.
  package static func isClean(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(isHarmless) }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1f, 0x7f...0x9f: false  // control characters
    case 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069, 0x061c: false  // bidirectional controls
    case 0x2028, 0x2029: false  // line and paragraph separators
    default: true
    }
  }
}
