import Planets
import RoamkeyTerminal

extension BoardPainter {
  // MARK: Planets

  /// A ball, lit from the upper left.
  func paint(_ planet: View.Planet, _ canvas: inout Canvas) {
    let (x, y) = layout.pixel(planet.place)
    let radius = layout.radius(ofSize: planet.size)
    var base = colour(ofSeat: planet.owner)
    // What is only remembered looks faded.
    if !planet.isSeen && view.phase != .lobby { base = base.mixed(with: .space, 0.45) }
    let flash = marks.flashes[planet.id] ?? 0
    for line in Int(y - radius - 1)...Int(y + radius + 1) {
      for column in Int(x - radius - 1)...Int(x + radius + 1) {
        let (dx, dy) = ((Double(column) + 0.5 - x) / radius, (Double(line) + 0.5 - y) / radius)
        let distance = (dx * dx + dy * dy).squareRoot()
        // At the edge a pixel is only partly covered.
        let cover = min(max(0, (1 - distance) * radius + 0.5), 1)
        guard cover > 0, layout.rows.contains(line / 2), line >= 0 else { continue }
        canvas.paint(column, line, shade(base, dx, dy, planet).mixed(with: .bright, flash), cover)
      }
    }
    ring(planet, x, y, radius, &canvas)
  }

  private func shade(_ base: Colour, _ dx: Double, _ dy: Double, _ planet: View.Planet) -> Colour {
    let dz = max(0, 1 - dx * dx - dy * dy).squareRoot()
    let light = max(0, -0.55 * dx - 0.62 * dy + 0.56 * dz)
    // Bands, each planet's own, so that a large one is no plain disc.
    let band = (dy * Double(2 + planet.id % 3) + dx * 0.5 + Double(planet.id)).truncatingRemainder(dividingBy: 1)
    let texture = planet.size > 2 && abs(band) < 0.42 ? 0.86 : 1.0
    let lit = Colour.space.mixed(with: base, min(1, 0.34 + light * 0.95) * texture)
    return light > 0.86 ? lit.mixed(with: .bright, (light - 0.86) * 3) : lit
  }

  /// Around what is chosen a ring in the player's colour, around the cursor's planet a white one of dots.
  private func ring(
    _ planet: View.Planet, _ x: Double, _ y: Double, _ radius: Double, _ canvas: inout Canvas
  ) {
    let isCursor = marks.cursor == planet.id
    guard isCursor || marks.selection.contains(planet.id) else { return }
    let colour = isCursor ? Colour.bright : self.colour(ofSeat: view.you).mixed(with: .bright, 0.35)
    let outer = radius + 1.2
    for line in Int(y - outer - 1)...Int(y + outer + 1) where layout.rows.contains(line / 2) && line >= 0 {
      for column in Int(x - outer - 1)...Int(x + outer + 1) {
        let (dx, dy) = (Double(column) + 0.5 - x, Double(line) + 0.5 - y)
        let distance = (dx * dx + dy * dy).squareRoot()
        guard abs(distance - outer) < 0.55 else { continue }
        if isCursor && !marks.selection.contains(planet.id) && (column + line).isMultiple(of: 2) { continue }
        canvas.paint(column, line, colour, 0.9)
      }
    }
  }

  /// `A42`: whose it is, and how many ships are there; `?` behind what is not seen now.
  func text(of planet: View.Planet) -> String {
    if view.phase == .lobby { return planet.owner.map(Self.letter) ?? "" }
    let owner = planet.owner.map(Self.letter) ?? ""
    guard let ships = view.ships(of: planet, at: Int(tick)) else { return "?" }
    return owner + String(ships) + (planet.isSeen ? "" : "?")
  }

  func label(_ planet: View.Planet, _ canvas: inout Canvas) {
    var text = text(of: planet)
    let isSelected = marks.selection.contains(planet.id)
    let isCursor = marks.cursor == planet.id
    if isSelected { text = "[\(text)]" }
    if isCursor { text = "›\(text)‹" }
    guard !text.isEmpty else { return }
    let base = colour(ofSeat: planet.owner)
    var style = Canvas.Style(base.mixed(with: .bright, 0.45), isBold: planet.owner != nil && planet.isSeen)
    if !planet.isSeen && view.phase != .lobby { style = Canvas.Style(base.mixed(with: .space, 0.35)) }
    if isSelected { style = Canvas.Style(.space, on: colour(ofSeat: view.you), isBold: true) }
    if isCursor && !isSelected { style = Canvas.Style(.bright, on: .panel, isBold: true) }
    let place = layout.label(of: planet)
    guard layout.rows.contains(place.row) else { return }
    // At the edge it moves inwards.
    let width = DisplayWidth.of(text)
    let start = min(max(layout.columns.lowerBound, place.column - (width - 1) / 2), layout.columns.upperBound - width)
    canvas.write(text, start, place.row, style)
  }

  // MARK: Fleets

  /// An arrow with its number, and a trail behind it.
  func paint(_ fleet: View.Fleet, _ canvas: inout Canvas) {
    guard let place = view.position(of: fleet, at: tick), view.planets.indices.contains(fleet.from),
      view.planets.indices.contains(fleet.to)
    else { return }
    let (x, y) = layout.pixel(place)
    let from = layout.pixel(view.planets[fleet.from].place)
    let to = layout.pixel(view.planets[fleet.to].place)
    let (dx, dy) = (to.x - from.x, to.y - from.y)
    let length = max(0.001, (dx * dx + dy * dy).squareRoot())
    let colour = colour(ofSeat: fleet.owner)
    let way = view.progress(of: fleet, at: tick) * length
    let number = Self.letter(ofSeat: fleet.owner) + String(fleet.ships)
    // Behind the number, where that is in the way.
    let first = 1 + Int(abs(dx) / length * Double(number.count) + 0.5)
    for step in first...first + 4 where Double(step) <= way {
      let back = Double(step)
      let (tx, ty) = (Int(x - dx / length * back), Int(y - dy / length * back))
      if layout.rows.contains(ty / 2) { canvas.paint(tx, ty, colour, 0.62 - 0.12 * (back - Double(first))) }
    }
    let (column, row) = layout.cell(place)
    guard layout.rows.contains(row) else { return }
    let style = Canvas.Style(colour.mixed(with: .bright, 0.25), isBold: true)
    canvas.write(Self.arrow(dx, dy), column, row, style)
    // The number is on the side from which it comes, so that it covers nothing of where it goes.
    let isLeftward = dx < 0
    let start = isLeftward ? column + 1 : column - number.count
    if layout.columns.contains(start) {
      canvas.write(number, start, row, Canvas.Style(colour.mixed(with: .space, 0.1)))
    }
  }

  /// The arrow that points that way; y grows downwards.
  static func arrow(_ dx: Double, _ dy: Double) -> String {
    let (x, y) = (abs(dx), abs(dy))
    // The tangent of an eighth of a quarter turn.
    if y < x * 0.414 { return dx < 0 ? "←" : "→" }
    if x < y * 0.414 { return dy < 0 ? "↑" : "↓" }
    return dx < 0 ? (dy < 0 ? "↖" : "↙") : (dy < 0 ? "↗" : "↘")
  }
}
