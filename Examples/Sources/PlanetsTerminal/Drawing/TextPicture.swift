import RoamkeyTerminal

/// Lines of text as they stand on a terminal, with a colour for whoever does something.
public enum TextPicture {
  /// As wide as the longest line, and as many rows as there are lines.
  public static func canvas(_ lines: [String]) -> Canvas {
    let width = max(40, lines.map(DisplayWidth.of).max() ?? 0)
    var canvas = Canvas(columns: width, rows: lines.count)
    for (row, line) in lines.enumerated() { paint(line, row, &canvas) }
    return canvas
  }

  private static func paint(_ line: String, _ row: Int, _ canvas: inout Canvas) {
    guard line.hasPrefix(" ") else {
      canvas.write(line, 0, row, Canvas.Style(.bright, isBold: true))
      return
    }
    // Two spaces, then who it is; further in stand remarks.
    let text = line.drop { $0 == " " }
    let indent = line.count - text.count
    let who = text.prefix { $0 != " " }
    guard indent == 2, let colour = actors[String(who)] else {
      canvas.write(line, 0, row, Canvas.Style(indent > 4 ? .quiet : .text))
      return
    }
    let column = canvas.write(String(who), indent, row, Canvas.Style(colour, isBold: true))
    canvas.write(String(text.dropFirst(who.count)), column, row, Canvas.Style(text.contains("\"") ? .bright : .text))
  }

  private static let actors: [String: Colour] = [
    "server": .seat(2), "Ada": .seat(0), "Ben": .seat(1), "Mallory": .seat(5), "replayer": .seat(5),
    "router": .seat(3), "sister": .seat(1), "true": .seat(2), "false": .seat(5),
  ]
}
