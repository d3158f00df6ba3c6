import Planets
import RoamkeyTerminal

/// Where on the screen the map's places are.
public struct BoardLayout: Hashable, Sendable {
  /// What is less than this is too small to play on.
  public static let smallest = TerminalSize(columns: 80, rows: 24)
  /// Whether there is room to play.
  public static func fits(_ size: TerminalSize) -> Bool {
    size.columns >= smallest.columns && size.rows >= smallest.rows
  }

  /// Lines above the map: who plays, and who has how much.
  static let header = 2
  /// Lines below it: what is chosen or has happened, and the keys.
  static let footer = 2

  /// The map's part of the screen, in characters.
  public let columns: Range<Int>
  public let rows: Range<Int>
  /// Pixels of the screen for a unit of the map.
  let scaleX: Double
  let scaleY: Double
  private let left: Double
  private let top: Double

  /// The whole screen but header and footer.
  public init(columns: Int, rows: Int) {
    let bottom = max(Self.header, rows - Self.footer)
    self.init(columns: 0..<max(0, columns), rows: Self.header..<bottom)
  }

  /// A part of the screen.
  public init(columns: Range<Int>, rows: Range<Int>) {
    (self.columns, self.rows) = (columns, rows)
    // Half a planet at each side, and the number below it.
    let (width, height) = (Double(columns.count), Double(rows.count * 2))
    let (x, y) = ((width - 5) / Double(Place.width - 8), (height - 4) / Double(Place.height - 8))
    // What is round should look so, and distances be comparable; a little crooked it may be.
    let most = min(x, y) * 1.25
    (scaleX, scaleY) = (max(0.05, min(x, most)), max(0.05, min(y, most)))
    left = Double(columns.lowerBound) + width / 2
    top = Double(rows.lowerBound * 2) + (height - 2) / 2
  }

  /// Where a point is, in pixels.
  func pixel(_ point: View.Point) -> (x: Double, y: Double) {
    (
      left + (point.x - Double(Place.width) / 2) * scaleX, top + (point.y - Double(Place.height) / 2) * scaleY
    )
  }

  func pixel(_ place: Place) -> (x: Double, y: Double) { pixel(View.Point(x: Double(place.x), y: Double(place.y))) }

  /// The same in characters.
  func cell(_ point: View.Point) -> (column: Int, row: Int) {
    let (x, y) = pixel(point)
    return (Int(x.rounded(.down)), Int((y / 2).rounded(.down)))
  }

  /// Where the middle of a character is on the map.
  func point(column: Int, row: Int) -> View.Point {
    View.Point(
      x: (Double(column) + 0.5 - left) / scaleX + Double(Place.width) / 2,
      y: (Double(row * 2) + 1 - top) / scaleY + Double(Place.height) / 2)
  }

  /// A planet's radius in pixels.
  func radius(ofSize size: Int) -> Double { max(1.1, (2 + 0.65 * Double(size)) * min(scaleX, scaleY)) }

  /// Where a planet's number stands: the row, and the column in the middle.
  func label(of planet: View.Planet) -> (column: Int, row: Int) {
    let (x, y) = pixel(planet.place)
    let below = Int(((y + radius(ofSize: planet.size)) / 2).rounded(.down)) + 1
    let row = below < rows.upperBound ? below : Int(((y - radius(ofSize: planet.size)) / 2).rounded(.up)) - 1
    return (Int(x.rounded(.down)), row)
  }

  /// The planet at a character, or just beside it, or whose number is there.
  public func planet(atColumn column: Int, row: Int, in view: View) -> Int? {
    let (x, y) = (Double(column) + 0.5, Double(row * 2) + 1)
    let distances = view.planets.map { planet -> (id: Int, distance: Double) in
      let (px, py) = pixel(planet.place)
      let label = label(of: planet)
      if label.row == row, abs(label.column - column) <= 2 { return (planet.id, 0.5) }
      return (planet.id, ((px - x) * (px - x) + (py - y) * (py - y)).squareRoot() - radius(ofSize: planet.size))
    }
    return distances.filter { $0.distance <= 1.5 }.min { $0.distance < $1.distance }?.id
  }
}
