/// How a cost grows with something: one line for each competitor.
struct Series: Sendable {
  struct Point: Sendable, Equatable {
    var x: Double
    var y: Double
  }

  var title: String
  /// Of the axes, units included.
  var xTitle: String
  var yTitle: String
  /// In the order in which they were measured.
  private(set) var lines: [(competitor: Competitor, points: [Point])] = []

  init(title: String, xTitle: String, yTitle: String) {
    (self.title, self.xTitle, self.yTitle) = (title, xTitle, yTitle)
  }

  mutating func add(_ point: Point, of competitor: Competitor) {
    if let index = lines.firstIndex(where: { $0.competitor == competitor }) {
      lines[index].points.append(point)
    } else {
      lines.append((competitor, [point]))
    }
  }

  func points(of competitor: Competitor) -> [Point] { lines.first { $0.competitor == competitor }?.points ?? [] }

  /// What the cost at the greatest x is to that at the smallest; nil with fewer than two points.
  func growth(of competitor: Competitor) -> Double? {
    let points = points(of: competitor).sorted { $0.x < $1.x }
    guard let first = points.first, let last = points.last, first.x < last.x, first.y > 0 else { return nil }
    return last.y / first.y
  }

  /// A column for each competitor.
  var table: String {
    let places = Set(lines.flatMap { $0.points.map(\.x) }).sorted()
    var rows = [[xTitle] + lines.map(\.competitor.title)]
    for place in places {
      rows.append(
        [Text.setting(place)]
          + lines.map { line in Text.number(line.points.first { $0.x == place }?.y, decimals: 2) })
    }
    return "\(title) (\(yTitle))\n" + Text.table(rows)
  }

  var json: JSON {
    .object([
      ("title", .text(title)), ("x", .text(xTitle)), ("y", .text(yTitle)),
      (
        "lines",
        .array(
          lines.map { line in
            .object([
              ("name", .text(line.competitor.rawValue)),
              ("points", .array(line.points.map { .array([.number($0.x), .number($0.y)]) })),
              ("growth", .number(growth(of: line.competitor))),
            ])
          })
      ),
    ])
  }
}
