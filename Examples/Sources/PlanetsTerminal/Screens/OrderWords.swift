import Planets

/// What is said of the cursor's planet, and of what an order to it would do.
enum OrderWords {
  static func info(_ view: View, _ marks: BoardMarks, _ share: Share) -> String {
    guard let cursor = marks.cursor, view.planets.indices.contains(cursor) else { return "" }
    let about = planet(view.planets[cursor], in: view)
    guard let order = order(view, marks, share) else { return about }
    return "\(order)  |  \(about)"
  }

  /// `Vega, size 3, Ben, 17 ships`
  private static func planet(_ planet: View.Planet, in view: View) -> String {
    var parts = [Words.name(ofPlanet: planet.id, in: view), "size \(planet.size)"]
    parts.append(planet.owner.map { $0 == view.you ? "yours" : Words.name(ofSeat: $0, in: view) } ?? "nobody's")
    if let ships = view.ships(of: planet) {
      parts.append("\(ships) ships")
    } else {
      parts = [parts[0], parts[1], "never seen"]
    }
    if let age = view.age(of: planet), age > 0 { parts.append("seen \(Words.seconds(age)) ago") }
    return parts.joined(separator: ", ")
  }

  /// `24 ships in 3.2 s, against 17: 7 left`
  private static func order(_ view: View, _ marks: BoardMarks, _ share: Share) -> String? {
    guard let cursor = marks.cursor else { return nil }
    let sources = marks.selection.subtracting([cursor]).sorted()
    guard !sources.isEmpty else { return nil }
    let preview: View.Preview
    do throws(OrderError) {
      preview = try view.preview(Order(from: sources, to: cursor, share: share))
    } catch {
      return error.description
    }
    let time = Words.seconds(preview.arrivals.upperBound - view.tick)
    if preview.isReinforcement { return "\(preview.ships) ships join them in \(time)" }
    guard let defenders = preview.defenders else { return "\(preview.ships) ships in \(time), against ?" }
    let outcome =
      preview.ships > defenders ? "\(preview.ships - defenders) left" : "not enough"
    return "\(preview.ships) ships in \(time), against \(defenders): \(outcome)"
  }
}
