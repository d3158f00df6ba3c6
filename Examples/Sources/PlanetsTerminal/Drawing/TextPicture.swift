import RoamkeyTerminal

/// Lines of text as they stand on a terminal.
public enum TextPicture {
  /// As wide as the longest line, and as many rows as there are lines.
  public static func canvas(_ lines: [String]) -> Canvas {
    let width = max(40, lines.map(DisplayWidth.of).max() ?? 0)
    var canvas = Canvas(columns: width, rows: lines.count)
    for (row, line) in lines.enumerated() {
      // A title stands at the margin, what happens has a time or an indent.
      let isTitle = line.first.map { !$0.isWhitespace && !$0.isNumber } ?? false
      canvas.write(line, 0, row, Canvas.Style(isTitle ? .bright : .text, isBold: isTitle))
    }
    return canvas
  }
}
