/// Turns pictures into what a terminal is told: of each only what differs from the one before.
public struct FrameWriter: Sendable {
  private let depth: ColourDepth
  private let isSynchronized: Bool
  private var shown: [Cell] = []
  private var size = (columns: 0, rows: 0)

  /// - Parameters:
  ///   - depth: how many colours there are.
  ///   - isSynchronized: whether the terminal is asked to show a frame at once (mode 2026). Those that do not know the
  ///     mode take no notice.
  public init(depth: ColourDepth, isSynchronized: Bool = true) {
    (self.depth, self.isSynchronized) = (depth, isSynchronized)
  }

  /// The next frame is written whole: the terminal may show anything by now.
  public mutating func forget() { shown = [] }

  /// What makes a terminal that shows the frame before show this one; nothing if it does already.
  public mutating func bytes(for canvas: Canvas) -> [UInt8] {
    var cells: [Cell] = []
    cells.reserveCapacity(canvas.columns * canvas.rows)
    for row in 0..<canvas.rows {
      for column in 0..<canvas.columns { cells.append(canvas.cell(column, row, depth)) }
    }
    let isWhole = shown.count != cells.count || size != (canvas.columns, canvas.rows)
    var out = Output(depth: depth)
    if isWhole { out.add("\u{1b}[0m\u{1b}[2J") }
    for row in 0..<canvas.rows {
      for column in 0..<canvas.columns {
        let index = row * canvas.columns + column
        guard isWhole || cells[index] != shown[index] else { continue }
        // Whoever stands behind a wide character was written with it.
        guard let character = cells[index].character else { continue }
        out.write(character, cells[index], column: column, row: row, isWide: isWide(cells, index, canvas.columns))
      }
    }
    (shown, size) = (cells, (canvas.columns, canvas.rows))
    guard !out.bytes.isEmpty else { return [] }
    out.add("\u{1b}[0m")
    guard isSynchronized else { return out.bytes }
    return Array("\u{1b}[?2026h".utf8) + out.bytes + Array("\u{1b}[?2026l".utf8)
  }

  private func isWide(_ cells: [Cell], _ index: Int, _ columns: Int) -> Bool {
    index % columns + 1 < columns && cells[index + 1].character == nil
  }

  /// Bytes, and what they leave the terminal with.
  private struct Output {
    let depth: ColourDepth
    var bytes: [UInt8] = []
    private var place: (column: Int, row: Int)?
    private var look: (foreground: Colour, background: Colour, isBold: Bool)?

    init(depth: ColourDepth) { self.depth = depth }

    mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func write(_ character: Character, _ cell: Cell, column: Int, row: Int, isWide: Bool) {
      if place?.column != column || place?.row != row { add("\u{1b}[\(row + 1);\(column + 1)H") }
      setLook(cell, needsForeground: character != " ")
      add(String(character))
      // About the width of a few characters terminals differ: behind those that are not plain the place is said anew.
      let isPlain = character.unicodeScalars.count == 1 && !isWide
      place = isPlain ? (column + 1, row) : nil
    }

    private mutating func setLook(_ cell: Cell, needsForeground: Bool) {
      var parts: [String] = []
      let old = look
      if let old, old.isBold != cell.isBold { parts.append(cell.isBold ? "1" : "22") }
      if old == nil { parts.append(cell.isBold ? "0;1" : "0") }
      let foreground = needsForeground ? cell.foreground : old?.foreground ?? cell.foreground
      if old?.foreground != foreground { parts.append(depth.parameters(foreground, isBackground: false)) }
      if old?.background != cell.background { parts.append(depth.parameters(cell.background, isBackground: true)) }
      look = (foreground, cell.background, cell.isBold)
      let text = parts.filter { !$0.isEmpty }.joined(separator: ";")
      if !text.isEmpty { add("\u{1b}[\(text)m") }
    }
  }
}
