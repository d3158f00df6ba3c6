import RoamkeyTerminal

/// One character's place on the screen.
public struct Cell: Hashable, Sendable {
  /// Nothing where a wide character stands to the left.
  public var character: Character?
  public var foreground: Colour
  public var background: Colour
  public var isBold = false
}

/// A picture of characters: below them pixels, two in a cell, one above the other and about square.
public struct Canvas: Sendable {
  /// How text looks.
  public struct Style: Hashable, Sendable {
    public var colour: Colour
    /// Nil: what is there shines through.
    public var ground: Colour?
    public var isBold: Bool

    public init(_ colour: Colour = .text, on ground: Colour? = nil, isBold: Bool = false) {
      (self.colour, self.ground, self.isBold) = (colour, ground, isBold)
    }
  }

  private struct Glyph: Sendable {
    /// Nil behind a wide character.
    var character: Character?
    var style: Style
  }

  public let columns: Int
  public let rows: Int
  private var pixels: [Colour]
  private var glyphs: [Glyph?]

  public init(columns: Int, rows: Int, ground: Colour = .space) {
    (self.columns, self.rows) = (max(0, columns), max(0, rows))
    pixels = Array(repeating: ground, count: self.columns * self.rows * 2)
    glyphs = Array(repeating: nil, count: self.columns * self.rows)
  }

  public init(_ size: TerminalSize) { self.init(columns: size.columns, rows: size.rows) }

  // MARK: Pixels

  /// The height in pixels; the width is `columns`.
  public var height: Int { rows * 2 }

  /// A pixel's colour; whatever is outside is space.
  public func pixel(_ x: Int, _ y: Int) -> Colour { isInside(x, y) ? pixels[y * columns + x] : .space }

  /// Paints a pixel, or mixes a share of `colour` into it. What is outside is let go.
  public mutating func paint(_ x: Int, _ y: Int, _ colour: Colour, _ share: Double = 1) {
    guard isInside(x, y) else { return }
    let index = y * columns + x
    pixels[index] = share >= 1 ? colour : pixels[index].mixed(with: colour, share)
  }

  private func isInside(_ x: Int, _ y: Int) -> Bool { x >= 0 && y >= 0 && x < columns && y < height }

  /// Paints cells, and takes away the text on them.
  public mutating func fill(columns range: Range<Int>, rows rowRange: Range<Int>, _ colour: Colour) {
    for row in rowRange.clamped(to: 0..<rows) {
      for column in range.clamped(to: 0..<columns) {
        clear(column, row)
        pixels[2 * row * columns + column] = colour
        pixels[(2 * row + 1) * columns + column] = colour
      }
    }
  }

  // MARK: Text

  /// Writes a star where there is nothing but dark ground.
  public mutating func writeStar(_ character: Character, _ column: Int, _ row: Int, _ colour: Colour) {
    guard (0..<columns).contains(column), (0..<rows).contains(row), glyphs[row * columns + column] == nil else {
      return
    }
    let (top, bottom) = (pixel(column, 2 * row), pixel(column, 2 * row + 1))
    guard top == bottom, top.brightness < Self.darkest else { return }
    glyphs[row * columns + column] = Glyph(character: character, style: Style(colour))
  }

  /// Brighter than any ground, darker than any planet.
  private static let darkest = 34

  /// Writes one line, which may be cut at both sides. Only text that was made harmless belongs here.
  /// - Returns: the column behind it.
  @discardableResult
  public mutating func write(_ text: String, _ column: Int, _ row: Int, _ style: Style = Style()) -> Int {
    var column = column
    for whole in text {
      // A tower of marks would be drawn over the lines above; a family of four with its joiners has seven scalars.
      let character = whole.unicodeScalars.count > 8 ? Character(whole.unicodeScalars.first ?? " ") : whole
      let width = DisplayWidth.of(character)
      guard width > 0 else { continue }
      defer { column += width }
      guard (0..<rows).contains(row), column >= 0, column + width <= columns else { continue }
      // Half of a wide character is none.
      clear(column, row)
      if width == 2 { clear(column + 1, row) }
      glyphs[row * columns + column] = Glyph(character: character, style: style)
      if width == 2 { glyphs[row * columns + column + 1] = Glyph(character: nil, style: style) }
    }
    return column
  }

  /// The same in the middle between two columns.
  public mutating func writeCentred(_ text: String, in range: Range<Int>, _ row: Int, _ style: Style = Style()) {
    let text = DisplayWidth.cut(text, to: range.count)
    write(text, range.lowerBound + (range.count - DisplayWidth.of(text)) / 2, row, style)
  }

  /// The same at the right.
  public mutating func writeRight(_ text: String, before column: Int, _ row: Int, _ style: Style = Style()) {
    write(text, column - DisplayWidth.of(text), row, style)
  }

  /// Takes a character away, and the other half of a wide one.
  private mutating func clear(_ column: Int, _ row: Int) {
    let index = row * columns + column
    guard let old = glyphs[index] else { return }
    glyphs[index] = nil
    if old.character == nil, column > 0 { glyphs[index - 1] = nil }
    if column + 1 < columns, let next = glyphs[index + 1], next.character == nil, old.character != nil {
      glyphs[index + 1] = nil
    }
  }

  /// Makes all that is there so far darker, for something that stands before it.
  public mutating func dim(_ share: Double = 0.7) {
    for index in pixels.indices { pixels[index] = pixels[index].mixed(with: .space, share) }
    for index in glyphs.indices {
      guard let glyph = glyphs[index] else { continue }
      glyphs[index]?.style.colour = glyph.style.colour.mixed(with: .space, share)
      glyphs[index]?.style.ground = glyph.style.ground?.mixed(with: .space, share)
      glyphs[index]?.style.isBold = false
    }
  }

  // MARK: Out

  /// What stands in a cell in the end.
  public func cell(_ column: Int, _ row: Int, _ depth: ColourDepth = .full) -> Cell {
    let top = pixels[2 * row * columns + column]
    let bottom = pixels[(2 * row + 1) * columns + column]
    if let glyph = glyphs[row * columns + column] {
      let ground = glyph.style.ground ?? top.mixed(with: bottom, 0.5)
      return Cell(
        character: glyph.character, foreground: glyph.style.colour, background: ground, isBold: glyph.style.isBold)
    }
    if depth == .none {
      // Without colours what is bright is there, and what is dark is not.
      let (hasTop, hasBottom) = (top.brightness > Self.isSeen, bottom.brightness > Self.isSeen)
      let character: Character = hasTop ? (hasBottom ? "█" : "▀") : (hasBottom ? "▄" : " ")
      return Cell(character: character, foreground: .text, background: .space)
    }
    return top == bottom
      ? Cell(character: " ", foreground: bottom, background: top)
      : Cell(character: "▀", foreground: top, background: bottom)
  }

  private static let isSeen = 56

  /// Whether a character was written there.
  func hasText(_ column: Int, _ row: Int) -> Bool { glyphs[row * columns + column] != nil }

  /// The characters of a row, for tests and for those who read.
  public func line(_ row: Int, _ depth: ColourDepth = .full) -> String {
    String((0..<columns).compactMap { cell($0, row, depth).character })
  }

  /// All text, without pixels.
  public var text: [String] {
    (0..<rows).map { row in
      var line = ""
      for column in 0..<columns {
        guard let glyph = glyphs[row * columns + column] else {
          line += " "
          continue
        }
        if let character = glyph.character { line.append(character) }
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}
