import RoamkeyTerminal

/// The page that `?` shows.
enum HelpText {
  static let lines = [
    "Take every planet. Planets that are yours build ships, large ones",
    "more; ships fight one to one, and whoever has ships left has the",
    "planet. You see only what your scanners reach; `?` is old news.",
    "",
    "arrows        the next planet in that direction",
    "Tab           the next planet of yours",
    "Space         choose the planet, or do not",
    "a  Esc        choose all of yours, none",
    "1 2 3 4       send 25, 50, 75, 100 % (also + and -)",
    "Enter         send from what is chosen to the cursor",
    "t             say something to all",
    "q             leave",
    "",
    "Mouse: a click chooses a planet, one on another planet then sends;",
    "a box chooses several, Shift or Ctrl adds, the wheel sets the share.",
    "",
    "Letters say who: A42 is A's planet with 42 ships, 42 is nobody's.",
  ]

  static func paint(_ canvas: inout Canvas) {
    canvas.dim()
    let width = (lines.map(DisplayWidth.of).max() ?? 0) + 4
    let start = max(0, (canvas.columns - width) / 2)
    let top = max(0, (canvas.rows - lines.count - 2) / 2)
    canvas.fill(columns: start..<start + width, rows: top..<top + lines.count + 2, .panel)
    for (row, line) in lines.enumerated() { canvas.write(line, start + 2, top + 1 + row, Canvas.Style(.text)) }
  }
}
