/// Series beside each other as a picture (SVG 1.1), without a library: on a white ground, so that it can be read on any.
struct Plot: Sendable {
  var series: [Series]
  /// Small, below everything.
  var note: String

  private static let panel = (width: 360.0, height: 260.0)
  private static let margin = (left: 64.0, top: 44.0, right: 20.0, bottom: 56.0)
  private static let footer = 56.0

  private static var panelWidth: Double { margin.left + panel.width + margin.right }
  private static var panelHeight: Double { margin.top + panel.height + margin.bottom }

  var svg: String {
    let width = Self.panelWidth * Double(max(1, series.count))
    let height = Self.panelHeight + Self.footer
    var parts = [
      """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(number(width))" height="\(number(height))" \
      viewBox="0 0 \(number(width)) \(number(height))" font-family="system-ui, sans-serif" font-size="12">
      """,
      #"<rect width="100%" height="100%" fill="white"/>"#,
    ]
    for (index, series) in series.enumerated() {
      parts.append(#"<g transform="translate(\#(number(Self.panelWidth * Double(index))) 0)">"#)
      parts += draw(series)
      parts.append("</g>")
    }
    parts += legend
    parts.append(
      text(note, x: Self.margin.left, y: height - 10, style: #"fill="gray" font-size="10""#))
    parts.append("</svg>")
    return parts.joined(separator: "\n") + "\n"
  }

  // MARK: A panel

  private func draw(_ series: Series) -> [String] {
    let points = series.lines.flatMap(\.points)
    let (left, top) = (Self.margin.left, Self.margin.top)
    let (width, height) = (Self.panel.width, Self.panel.height)
    var parts = [text(series.title, x: left, y: 26, style: #"font-weight="bold" font-size="13""#)]
    guard let xAxis = Axis(points.map(\.x)), let yAxis = Axis(points.map(\.y)) else {
      return parts + [text("no figures", x: left, y: top + height / 2)]
    }
    let x = { (value: Double) in left + xAxis.place(value) * width }
    let y = { (value: Double) in top + (1 - yAxis.place(value)) * height }
    for tick in xAxis.ticks {
      parts.append(line(x(tick), top, x(tick), top + height, "#ddd"))
      parts.append(text(Axis.label(tick), x: x(tick), y: top + height + 18, style: #"text-anchor="middle""#))
    }
    for tick in yAxis.ticks {
      parts.append(line(left, y(tick), left + width, y(tick), "#ddd"))
      parts.append(text(Axis.label(tick), x: left - 8, y: y(tick) + 4, style: #"text-anchor="end""#))
    }
    parts.append(line(left, top + height, left + width, top + height, "#333"))
    parts.append(line(left, top, left, top + height, "#333"))
    parts.append(
      text(series.xTitle, x: left + width / 2, y: top + height + 40, style: #"text-anchor="middle""#))
    let middle = "\(number(18)) \(number(top + height / 2))"
    parts.append(
      text(
        series.yTitle, x: 18, y: top + height / 2, style: #"text-anchor="middle" transform="rotate(-90 \#(middle))""#))
    for (competitor, points) in series.lines {
      let places = points.map { "\(number(x($0.x))),\(number(y($0.y)))" }
      let color = color(of: competitor)
      parts.append(
        #"<polyline points="\#(places.joined(separator: " "))" fill="none" stroke="\#(color)" stroke-width="2"/>"#)
      parts += points.map {
        #"<circle cx="\#(number(x($0.x)))" cy="\#(number(y($0.y)))" r="3" fill="\#(color)"/>"#
      }
    }
    return parts
  }

  // MARK: The legend

  private var legend: [String] {
    let present = Competitor.allCases.filter { competitor in
      series.contains { $0.lines.contains { $0.competitor == competitor } }
    }
    let y = Self.panelHeight + 14
    return present.enumerated().flatMap { index, competitor in
      let x = Self.margin.left + Double(index) * 150
      return [
        #"<rect x="\#(number(x))" y="\#(number(y - 9))" width="14" height="10" fill="\#(color(of: competitor))"/>"#,
        text(competitor.title, x: x + 20, y: y),
      ]
    }
  }

  /// Told apart by those who see no red or green (Okabe and Ito).
  private func color(of competitor: Competitor) -> String {
    switch competitor {
    case .raw: "#999999"
    case .gso: "#56b4e9"
    case .enet: "#e69f00"
    case .dtls: "#009e73"
    case .sealed, .sealedPolled: "#0072b2"
    case .signed, .signedPolled: "#cc79a7"
    }
  }

  // MARK: Elements

  private func text(_ content: String, x: Double, y: Double, style: String = "") -> String {
    let space = style.isEmpty ? "" : " "
    return #"<text x="\#(number(x))" y="\#(number(y))"\#(space)\#(style)>\#(escaped(content))</text>"#
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ color: String) -> String {
    #"<line x1="\#(number(x1))" y1="\#(number(y1))" x2="\#(number(x2))" y2="\#(number(y2))" stroke="\#(color)"/>"#
  }

  private func number(_ value: Double) -> String { Text.setting((value * 10).rounded() / 10) }

  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      default: result.append(character)
      }
    }
    return result
  }
}
