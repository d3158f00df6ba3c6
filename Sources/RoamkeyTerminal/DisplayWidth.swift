internal import Roamkey

/// How many columns of a terminal a text takes, and texts cut and filled to columns.
///
/// Terminals differ about rare characters; what is right for letters, East Asian scripts and pictures is enough for a
/// table. A line that comes out too long all the same is cut by the terminal, which wraps nothing meanwhile.
public enum DisplayWidth {
  /// The columns of `text`, which has no line ends.
  public static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

  /// The columns of a character: 0, 1 or 2.
  public static func of(_ character: Character) -> Int {
    let scalars = character.unicodeScalars
    // A sign that is to look like a picture.
    if scalars.count > 1, scalars.contains(where: { $0.value == 0xfe0f }) { return 2 }
    return scalars.reduce(0) { max($0, of($1)) }
  }

  private static func of(_ scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) ? 0 : 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: return isWide(scalar) ? 2 : 1
    }
  }

  /// The wide ranges of Unicode Standard Annex 11, in large pieces.
  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.properties.isEmojiPresentation { return true }
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf,
      0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff00...0xff60,
      0xffe0...0xffe6, 0x16fe0...0x18dff, 0x1aff0...0x1b2ff, 0x1f300...0x1f64f, 0x1f900...0x1f9ff,
      0x20000...0x3fffd:
      return true
    default: return false
    }
  }

  /// The beginning of `text` in at most `width` columns, with `…` where something is missing.
  public static func cut(_ text: String, to width: Int) -> String {
    guard of(text) > width else { return text }
    guard width > 0 else { return "" }
    var room = width - 1
    let kept = text.prefix { character in
      room -= of(character)
      return room >= 0
    }
    return String(kept) + "…"
  }

  /// `text` in exactly `width` columns: cut, or with spaces behind it, or before it.
  public static func fill(_ text: String, to width: Int, right: Bool = false) -> String {
    let cut = cut(text, to: width)
    let spaces = String(repeating: " ", count: max(0, width - of(cut)))
    return right ? spaces + cut : cut + spaces
  }
}

extension Console {
  /// A name from elsewhere as one line of a table: harmless, without the invisible, wherever it stands (what looks like
  /// a name that is known is that name), and each character with few marks, since a tower of them is drawn over the
  /// lines above.
  public static func label(_ name: String) -> String {
    var label = ""
    for character in DisplayText.name(name) ?? "" {
      let scalars = character.unicodeScalars.prefix(mostScalars)
      if DisplayWidth.of(character) > 0 { label.unicodeScalars.append(contentsOf: scalars) }
    }
    // A braille pattern without dots looks like a space.
    return label.split { $0.isWhitespace || $0 == "\u{2800}" }.joined(separator: " ")
  }

  /// Of one character; a family of four with its joiners has seven.
  private static let mostScalars = 8
}
