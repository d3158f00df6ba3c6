import Planets

/// What a player has in hand, as far as it is drawn.
public struct BoardMarks: Hashable, Sendable {
  /// The planet that the cursor is on.
  public var cursor: Int?
  /// The planets from which ships would go.
  public var selection: Set<Int> = []
  /// A box that the mouse draws, in characters.
  public var box: (columns: ClosedRange<Int>, rows: ClosedRange<Int>)? {
    get { corners.map { ($0.columns, $0.rows) } }
    set { corners = newValue.map { Box(columns: $0.columns, rows: $0.rows) } }
  }
  /// Planets that have changed hands just now, and how bright they are for it: 1 to 0.
  public var flashes: [Int: Double] = [:]

  private struct Box: Hashable, Sendable {
    var columns: ClosedRange<Int>
    var rows: ClosedRange<Int>
  }
  private var corners: Box?

  public init() {}
}

/// Paints a map: stars, what the scanners reach, planets, fleets, and what is chosen.
public struct BoardPainter: Sendable {
  let view: View
  /// The moment that is shown, between two of the match's ticks.
  let tick: Double
  let layout: BoardLayout
  let marks: BoardMarks

  public init(_ view: View, at tick: Double, _ layout: BoardLayout, marks: BoardMarks = BoardMarks()) {
    (self.view, self.tick, self.layout, self.marks) = (view, tick, layout, marks)
  }

  public func paint(on canvas: inout Canvas) {
    paintScanners(&canvas)
    paintWays(&canvas)
    for planet in view.planets { paint(planet, &canvas) }
    for fleet in view.fleets { paint(fleet, &canvas) }
    for planet in view.planets { label(planet, &canvas) }
    paintBox(&canvas)
    paintStars(&canvas)
  }

  /// The colour of a seat, or of nobody.
  func colour(ofSeat seat: Int?) -> Colour {
    guard let seat, view.seats.indices.contains(seat) else { return .neutral }
    return .seat(view.seats[seat].colour)
  }

  /// The letter of a seat: it says what its colour says.
  static func letter(ofSeat seat: Int) -> String {
    (0..<26).contains(seat) ? String(UnicodeScalar(UInt8(65 + seat))) : "?"
  }

  // MARK: What lies below

  private func paintStars(_ canvas: inout Canvas) {
    for row in layout.rows {
      for column in layout.columns {
        // The same sky each time, whatever the size of the screen.
        var hash = UInt64(truncatingIfNeeded: column &* 73_856_093 ^ row &* 19_349_663) &* 0x9e37_79b9_7f4a_7c15
        hash ^= hash >> 29
        guard hash % 23 == 0 else { continue }
        let shade = 60 + UInt8(hash >> 8 & 0x7f)
        canvas.writeStar(hash >> 20 & 7 == 0 ? "+" : "·", column, row, Colour(shade, shade, shade + 30))
      }
    }
  }

  /// A faint ground where the viewer's scanners reach.
  private func paintScanners(_ canvas: inout Canvas) {
    guard view.rules.hasScanners, let you = view.you, case .playing = view.phase else { return }
    let tint = Colour.space.mixed(with: colour(ofSeat: you), 0.13)
    func disc(_ centre: View.Point, _ range: Int) {
      let (x, y) = layout.pixel(centre)
      let (width, height) = (Double(range) * layout.scaleX, Double(range) * layout.scaleY)
      let rows = layout.rows.lowerBound * 2..<layout.rows.upperBound * 2
      for line in max(
        rows.lowerBound, Int(y - height))..<max(rows.lowerBound, min(rows.upperBound, Int(y + height) + 1))
      {
        let part = (Double(line) + 0.5 - y) / height
        guard abs(part) < 1 else { continue }
        let half = width * (1 - part * part).squareRoot()
        let ends = max(layout.columns.lowerBound, Int((x - half).rounded(.up)))
        for column in ends..<max(ends, min(layout.columns.upperBound, Int(x + half) + 1)) {
          canvas.paint(column, line, tint)
        }
      }
    }
    for planet in view.planets where planet.owner == you && planet.isSeen {
      disc(View.Point(x: Double(planet.place.x), y: Double(planet.place.y)), Rules.scannerRange(ofSize: planet.size))
    }
    for fleet in view.fleets where fleet.owner == you {
      if let point = view.position(of: fleet, at: tick) { disc(point, Rules.scannerRangeOfFleet) }
    }
  }

  /// Dotted lines from what is chosen to where the cursor is.
  private func paintWays(_ canvas: inout Canvas) {
    guard let cursor = marks.cursor, view.planets.indices.contains(cursor) else { return }
    let (tx, ty) = layout.pixel(view.planets[cursor].place)
    for source in marks.selection where source != cursor && view.planets.indices.contains(source) {
      let (x, y) = layout.pixel(view.planets[source].place)
      let length = max(abs(tx - x), abs(ty - y))
      guard length >= 1 else { continue }
      // The dots run towards the target.
      let shift = (tick / 5).truncatingRemainder(dividingBy: 3)
      var step = shift
      while step < length {
        let share = step / length
        canvas.paint(
          Int(x + (tx - x) * share), Int(y + (ty - y) * share), colour(ofSeat: view.you).mixed(with: .bright, 0.3), 0.75
        )
        step += 3
      }
    }
  }

  private func paintBox(_ canvas: inout Canvas) {
    guard let box = marks.box else { return }
    let (rows, columns) = (box.rows, box.columns)
    for column in columns {
      for row in [rows.lowerBound * 2, rows.upperBound * 2 + 1] { canvas.paint(column, row, .bright, 0.55) }
    }
    for row in rows.lowerBound * 2...rows.upperBound * 2 + 1 {
      for column in [columns.lowerBound, columns.upperBound] { canvas.paint(column, row, .bright, 0.55) }
    }
  }
}
