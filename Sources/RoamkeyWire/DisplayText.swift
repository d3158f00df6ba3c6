/// Text from the network that people will see (PROTOCOL §7): free of control and bidirectional characters, so that it
/// can neither move a terminal's cursor nor pretend to be something else.
package enum DisplayText {
  /// `text` without such characters.
  package static func clean(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter(isHarmless)))
  }

  /// Whether `text` has no such characters.
  package static func isClean(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(isHarmless) }

  /// A name as it is shown: clean, without invisible characters and without white space around it, and with at most
  /// three marks on a letter, so that it stays in its line. Nil where nothing is left.
  package static func name(_ text: String) -> String? {
    var shown = String.UnicodeScalarView()
    var marks = 0
    for scalar in text.unicodeScalars where isHarmless(scalar) && isVisible(scalar) {
      let category = scalar.properties.generalCategory
      marks = category == .nonspacingMark || category == .enclosingMark ? marks + 1 : 0
      if marks <= 3 { shown.append(scalar) }
    }
    guard let first = shown.firstIndex(where: isInk), let last = shown.lastIndex(where: { !isSpace($0) }) else {
      return nil
    }
    let start = shown[..<first].firstIndex { !isSpace($0) } ?? first
    return String(shown[start...last])
  }

  /// Emoji are held together by two invisible characters (U+200D, U+FE0F); the others only make names look alike.
  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    !scalar.properties.isDefaultIgnorableCodePoint || scalar.value == 0x200d || scalar.value == 0xfe0f
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar.value == 0x2800  // a braille pattern without dots
  }

  /// Whether a name of this alone would be seen.
  private static func isInk(_ scalar: Unicode.Scalar) -> Bool {
    !isSpace(scalar) && !scalar.properties.isDefaultIgnorableCodePoint
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1f, 0x7f...0x9f: false  // control characters
    case 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069, 0x061c: false  // bidirectional controls
    case 0x2028, 0x2029: false  // line and paragraph separators
    default: true
    }
  }
}
