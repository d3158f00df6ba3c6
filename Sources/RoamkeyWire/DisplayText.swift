/// Text from the network that people will see (PROTOCOL §7): free of control and bidirectional characters, so that it
/// can neither move a terminal's cursor nor pretend to be something else.
package enum DisplayText {
  /// `text` without such characters.
  package static func clean(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter(isHarmless)))
  }

  /// `text` without such characters, and in one line: a space stands where a line ended, or a tabulator was.
  package static func line(_ text: String) -> String {
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isHarmless(scalar) { shown.append(scalar) } else if scalar.properties.isWhitespace { shown.append(" ") }
    }
    return String(shown)
  }

  /// Whether `text` has no such characters.
  package static func isClean(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(isHarmless) }

  /// A name as it is shown: clean, without invisible characters and without white space around it, and with at most
  /// three marks on a letter, so that it stays in its line. Nil where nothing is left.
  package static func name(_ text: String) -> String? {
    var shown = String.UnicodeScalarView()
    var marks = 0
    for scalar in text.unicodeScalars where isHarmless(scalar) && isVisible(scalar, after: shown.last) {
      marks = isMark(scalar) ? marks + 1 : 0
      if marks <= 3 { shown.append(scalar) }
    }
    while let last = shown.last, isSpace(last) || last.value == joiner { shown.removeLast() }
    // A mark at the beginning would sit on whatever stands before the name.
    while let first = shown.first, isSpace(first) || isMark(first) || first.properties.generalCategory == .spacingMark {
      shown.removeFirst()
    }
    return shown.isEmpty ? nil : String(shown)
  }

  private static let joiner: UInt32 = 0x200d
  private static let emojiSelector: UInt32 = 0xfe0f

  /// Of what has no form of its own only that which holds emoji together, or shapes the letters of India, where it
  /// does so: anywhere else it would make names look alike.
  private static func isVisible(_ scalar: Unicode.Scalar, after previous: Unicode.Scalar?) -> Bool {
    guard scalar.properties.isDefaultIgnorableCodePoint else { return true }
    guard let previous else { return false }
    let isAfterEmoji = previous.properties.isEmoji && previous.value > 0xff
    switch scalar.value {
    case joiner:
      return isAfterEmoji || previous.value == emojiSelector || previous.properties.canonicalCombiningClass == .virama
    case emojiSelector: return isAfterEmoji
    default: return false
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    let category = scalar.properties.generalCategory
    return category == .nonspacingMark || category == .enclosingMark
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || scalar.value == 0x2800  // a braille pattern without dots
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
