import Planets
import RoamkeyTerminal

/// What came of a match: who has won, and how.
public struct EndScreen: Sendable {
  public enum Choice: Hashable, Sendable {
    case again
    case leave
  }

  public init() {}

  public func press(_ key: Key) -> Choice? {
    switch key {
    case .enter, .character("r"): .again
    case .character("q"), .escape, .interrupt: .leave
    default: nil
    }
  }

  /// - Parameter note: what is said to those who wait, or what went wrong.
  public func picture(_ view: View, _ size: TerminalSize, isHost: Bool, note: String? = nil) -> Canvas {
    var canvas = Canvas(size)
    guard size.columns >= 40, size.rows >= 14 else {
      canvas.writeCentred(Self.title(view), in: 0..<size.columns, size.rows / 2)
      return canvas
    }
    Backdrop.paint(&canvas, time: 0)
    canvas.dim(0.6)
    var colour = Colour.bright
    if case .over(let winner?) = view.phase, view.seats.indices.contains(winner) {
      colour = .seat(view.seats[winner].colour)
    }
    canvas.writeCentred(Self.title(view), in: 0..<size.columns, 1, Canvas.Style(colour, isBold: true))
    canvas.writeCentred(
      "after \(Words.clock(view.tick))", in: 0..<size.columns, 2, Canvas.Style(.quiet))
    let table = size.rows - 4 - view.seats.count
    Graph.paint(view, columns: 8..<size.columns - 3, rows: 4..<max(6, table - 1), &canvas)
    for (row, seat) in Self.ranking(view).enumerated() { paint(seat, view, table + row, &canvas) }
    if let note {
      canvas.writeCentred(Console.plain(note), in: 0..<size.columns, size.rows - 3, Canvas.Style(.warning))
    }
    let keys = isHost ? "Enter: play again   q: leave" : "Enter: play again, when the host does   q: leave"
    canvas.writeCentred(keys, in: 0..<size.columns, size.rows - 2, Canvas.Style(.quiet))
    return canvas
  }

  static func title(_ view: View) -> String {
    guard case .over(let winner) = view.phase else { return "It is over." }
    guard let winner, view.seats.indices.contains(winner) else { return "Nobody has won." }
    return winner == view.you ? "You have won!" : "\(Words.name(ofSeat: winner, in: view)) has won."
  }

  /// The seats, the winner first, then by ships at the end.
  static func ranking(_ view: View) -> [Int] {
    var winner: Int?
    if case .over(let seat) = view.phase { winner = seat }
    return view.seats.indices.sorted { one, other in
      if (one == winner) != (other == winner) { return one == winner }
      return (-view.seats[one].ships, one) < (-view.seats[other].ships, other)
    }
  }

  private func paint(_ number: Int, _ view: View, _ row: Int, _ canvas: inout Canvas) {
    let seat = view.seats[number]
    let colour = Colour.seat(seat.colour)
    let left = max(9, canvas.columns / 2 - 26)
    canvas.write(" \(BoardPainter.letter(ofSeat: number)) ", left, row, Canvas.Style(.space, on: colour, isBold: true))
    let who = Words.name(of: seat) + (seat.bot.map { " (\($0.rawValue) bot)" } ?? "")
    canvas.write(DisplayWidth.fill(who, to: 30), left + 4, row, Canvas.Style(number == view.you ? .bright : .text))
    if seat.isReady && !seat.isBot { canvas.write("ready", left - 7, row, Canvas.Style(.seat(2))) }
    canvas.write(
      seat.isOut ? "out" : "\(seat.ships) ships, \(seat.planets) \(seat.planets == 1 ? "planet" : "planets")",
      left + 35, row, Canvas.Style(.quiet))
  }
}

/// Ships over time, a line for each seat.
enum Graph {
  static func paint(_ view: View, columns: Range<Int>, rows: Range<Int>, _ canvas: inout Canvas) {
    guard columns.count >= 10, rows.count >= 3 else { return }
    let most = max(1, view.history.flatMap { $0 }.max() ?? 1)
    let length = view.history.map(\.count).max() ?? 0
    canvas.fill(columns: columns, rows: rows, .panel.mixed(with: .space, 0.4))
    canvas.writeRight("\(most)", before: columns.lowerBound - 1, rows.lowerBound, Canvas.Style(.quiet))
    canvas.writeRight("0", before: columns.lowerBound - 1, rows.upperBound - 1, Canvas.Style(.quiet))
    canvas.write("ships", columns.lowerBound - 6, rows.lowerBound + 1, Canvas.Style(.quiet))
    guard length >= 2 else { return }
    let height = Double(rows.count * 2 - 1)
    for (seat, figures) in view.history.enumerated() where view.seats.indices.contains(seat) && !figures.isEmpty {
      let colour = Colour.seat(view.seats[seat].colour)
      var last: Int?
      for column in columns {
        let place = Double(column - columns.lowerBound) / Double(columns.count - 1) * Double(length - 1)
        let index = min(Int(place), figures.count - 1)
        let next = min(index + 1, figures.count - 1)
        let part = min(1, place - Double(index))
        let value = Double(figures[index]) + (Double(figures[next]) - Double(figures[index])) * part
        let y = rows.upperBound * 2 - 1 - Int((value / Double(most) * height).rounded())
        // Steep parts are drawn through.
        for line in min(y, last ?? y)...max(y, last ?? y) { canvas.paint(column, line, colour) }
        last = y
      }
      let end = last.map { $0 / 2 } ?? rows.upperBound - 1
      canvas.write(
        BoardPainter.letter(ofSeat: seat), columns.upperBound, min(max(rows.lowerBound, end), rows.upperBound - 1),
        Canvas.Style(colour, isBold: true))
    }
  }
}
