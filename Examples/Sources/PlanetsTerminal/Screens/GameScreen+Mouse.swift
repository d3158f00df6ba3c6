import Planets
import RoamkeyTerminal

extension GameScreen {
  /// A click chooses; where planets are chosen, one on another planet sends. On empty space it clears, and a box that
  /// is drawn there chooses all of the player's planets in it.
  mutating func follow(_ mouse: Mouse, _ view: View, _ size: TerminalSize, _ time: Double) -> [Command] {
    let layout = BoardLayout(columns: size.columns, rows: size.rows)
    let planet = layout.planet(atColumn: mouse.column, row: mouse.row, in: view)
    switch mouse.action {
    case .wheelUp: share = share.next(1)
    case .wheelDown: share = share.next(-1)
    case .press(.left):
      guard let planet else {
        boxStart = (mouse.column, mouse.row)
        return []
      }
      return click(planet, mouse, view, time)
    case .press(.right):
      guard let planet else { return [] }
      marks.cursor = planet
      return send(to: planet, view, time)
    case .drag(.left):
      guard let start = boxStart else { return [] }
      marks.box = (
        min(start.column, mouse.column)...max(start.column, mouse.column),
        min(start.row, mouse.row)...max(start.row, mouse.row)
      )
    case .release(.left): endBox(mouse, view, layout)
    case .press(.middle), .drag, .release: break
    }
    return []
  }

  private mutating func click(_ planet: Int, _ mouse: Mouse, _ view: View, _ time: Double) -> [Command] {
    let isMine = view.yourPlanets.contains { $0.id == planet }
    marks.cursor = planet
    if mouse.isModified || marks.selection.contains(planet) {
      toggle(planet, view)
    } else if marks.selection.isEmpty {
      if isMine { marks.selection = [planet] }
    } else {
      return send(to: planet, view, time)
    }
    return []
  }

  private mutating func endBox(_ mouse: Mouse, _ view: View, _ layout: BoardLayout) {
    guard boxStart != nil else { return }
    boxStart = nil
    guard let box = marks.box else {
      if !mouse.isModified { marks.selection = [] }
      return
    }
    marks.box = nil
    let inside = view.yourPlanets.filter { planet in
      let place = layout.cell(View.Point(x: Double(planet.place.x), y: Double(planet.place.y)))
      return box.columns.contains(place.column) && box.rows.contains(place.row)
    }
    marks.selection = Set(inside.map(\.id)).union(mouse.isModified ? marks.selection : [])
  }
}
