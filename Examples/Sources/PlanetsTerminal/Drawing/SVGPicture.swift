import RoamkeyTerminal

/// A screen as an SVG picture: grounds and pixels as rectangles, one path a colour; text in runs.
public struct SVGPicture: Sendable {
  private let canvas: Canvas
  private let title: String?

  /// A character's size, in units of the picture.
  private static let (width, height) = (8, 16)
  private static let margin = 8
  private static let titleBar = 26

  /// - Parameter title: stands in a bar above, as a window's does.
  public init(_ canvas: Canvas, title: String? = nil) { (self.canvas, self.title) = (canvas, title) }

  private var top: Int { title == nil ? Self.margin : Self.titleBar }

  /// The whole file.
  public var text: String {
    let width = canvas.columns * Self.width + 2 * Self.margin
    let height = canvas.rows * Self.height + top + Self.margin
    var out = """
      <svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 \(width) \(height)" \
      width="\(width)" height="\(height)">
      <style>text{font:13px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}.b{font-weight:700}\
      </style>
      <rect width="\(width)" height="\(height)" rx="8" fill="\(Self.hex(.space))"/>

      """
    if let title {
      out +=
        "<circle cx=\"16\" cy=\"13\" r=\"5\" fill=\"#e2604f\"/><circle cx=\"32\" cy=\"13\" r=\"5\" fill=\"#e6b94a\"/>"
      out += "<circle cx=\"48\" cy=\"13\" r=\"5\" fill=\"#5fb35f\"/>"
      out += "<text x=\"\(width / 2)\" y=\"17\" text-anchor=\"middle\" fill=\"\(Self.hex(.quiet))\">"
      out += "\(Self.escaped(title))</text>\n"
    }
    out += "<g transform=\"translate(\(Self.margin) \(top))\" shape-rendering=\"crispEdges\">\n" + pixels + "</g>\n"
    return out + "<g transform=\"translate(\(Self.margin) \(top))\">\n" + glyphs + "</g>\n</svg>\n"
  }

  // MARK: Grounds

  /// Runs of one colour, as parts of that colour's path; a pixel is a unit square, scaled.
  private var pixels: String {
    var paths: [Colour: String] = [:]
    for line in 0..<canvas.height {
      var start = 0
      while start < canvas.columns {
        let colour = ground(start, line)
        var end = start + 1
        while end < canvas.columns, ground(end, line) == colour { end += 1 }
        if colour != Self.rounded(.space) {
          paths[colour, default: ""] +=
            "M\(start * Self.width) \(line * Self.height / 2)h\((end - start) * Self.width)v8"
          paths[colour, default: ""] += "h-\((end - start) * Self.width)z"
        }
        start = end
      }
    }
    return paths.sorted { Self.hex($0.key) < Self.hex($1.key) }
      .map { "<path fill=\"\(Self.hex($0.key))\" d=\"\($0.value)\"/>\n" }.joined()
  }

  /// What colour a pixel has, text aside.
  private func ground(_ column: Int, _ line: Int) -> Colour {
    let cell = canvas.cell(column, line / 2)
    if cell.character == "▀" && canvas.text(column, line / 2) == nil {
      return Self.rounded(line.isMultiple(of: 2) ? cell.foreground : cell.background)
    }
    return Self.rounded(cell.background)
  }

  /// With fewer colours there are longer runs, and no eye sees the difference.
  private static func rounded(_ colour: Colour) -> Colour {
    func round(_ part: UInt8) -> UInt8 { part < 24 ? part / 4 * 4 : part / 12 * 12 }
    return Colour(round(colour.red), round(colour.green), round(colour.blue))
  }

  // MARK: Text

  private var glyphs: String {
    var out = ""
    for row in 0..<canvas.rows {
      var column = 0
      while column < canvas.columns {
        guard let first = canvas.text(column, row), first.character != " " else {
          column += 1
          continue
        }
        var (text, end) = ("", column)
        var width = 0
        while end < canvas.columns, let next = canvas.text(end, row), next.foreground == first.foreground,
          next.isBold == first.isBold
        {
          if let character = next.character { text.append(character) }
          end += 1
          width += 1
        }
        while text.last == " " { (text, width) = (String(text.dropLast()), width - 1) }
        out +=
          "<text x=\"\(column * Self.width)\" y=\"\(row * Self.height + 12)\" fill=\"\(Self.hex(first.foreground))\""
        out += first.isBold ? " class=\"b\"" : ""
        out += " textLength=\"\(width * Self.width)\">\(Self.escaped(text))</text>\n"
        column = end
      }
    }
    return out
  }

  private static func hex(_ colour: Colour) -> String {
    "#" + [colour.red, colour.green, colour.blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for character in text {
      switch character {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      default: out.append(character)
      }
    }
    return out
  }
}

extension Canvas {
  /// The cell of a written character; nil where there are only pixels.
  func text(_ column: Int, _ row: Int) -> Cell? { hasText(column, row) ? cell(column, row) : nil }
}
