import Planets
import RoamkeyTerminal

extension GameScreen {
  /// The match as it looks.
  /// - Parameters:
  ///   - tick: the moment that is shown, between two ticks.
  ///   - time: seconds, as ``follow(_:at:)`` is told.
  ///   - status: what is special about the connection, if anything.
  public func picture(
    _ view: View, at tick: Double, time: Double, _ size: TerminalSize, status: String? = nil
  ) -> Canvas {
    var canvas = Canvas(size)
    guard BoardLayout.fits(size) else {
      Self.paintTooSmall(&canvas)
      return canvas
    }
    let layout = BoardLayout(columns: size.columns, rows: size.rows)
    BoardPainter(view, at: tick, layout, marks: marks).paint(on: &canvas)
    Self.paintHeader(view, tick, &canvas)
    paintLog(time, layout, &canvas)
    paintFooter(view, &canvas)
    if let status { Self.paintBanner(status, layout.rows.lowerBound, .warning, &canvas) }
    if case .countdown = view.phase { paintCountdown(tick, layout, &canvas) }
    switch overlay {
    case .none, .chat: break
    case .help: HelpText.paint(&canvas)
    case .leaving:
      Self.paintBanner(
        "Leave the match? A bot plays on for you.  y: leave   any other key: stay", size.rows / 2, .bright, &canvas)
    }
    return canvas
  }

  /// What is said where there is no room for a map. A match against others goes on.
  static func paintTooSmall(_ canvas: inout Canvas) {
    let needed = BoardLayout.smallest
    let lines = [
      "This window is too small:", "\(canvas.columns)x\(canvas.rows), and \(needed.columns)x\(needed.rows) is needed.",
      "Make it larger. q: leave",
    ]
    for (row, line) in lines.enumerated() {
      canvas.writeCentred(line, in: 0..<canvas.columns, max(0, canvas.rows / 2 - 1) + row)
    }
  }

  static func paintBanner(_ text: String, _ row: Int, _ colour: Colour, _ canvas: inout Canvas) {
    let width = min(canvas.columns, DisplayWidth.of(text) + 4)
    let start = (canvas.columns - width) / 2
    canvas.fill(columns: start..<start + width, rows: row..<row + 1, .panel)
    canvas.writeCentred(text, in: start..<start + width, row, Canvas.Style(colour, isBold: true))
  }

  // MARK: Above

  /// Who plays, the clock, and a bar of who has how much.
  static func paintHeader(_ view: View, _ tick: Double, _ canvas: inout Canvas) {
    canvas.fill(columns: 0..<canvas.columns, rows: 0..<1, .panel)
    let left = max(0, view.rules.length - max(0, Int(tick)))
    let clock = Words.clock(left)
    canvas.writeRight(clock, before: canvas.columns - 1, 0, Canvas.Style(left < 600 ? .warning : .text, isBold: true))
    let room = max(8, (canvas.columns - 8) / max(1, view.seats.count))
    for (number, seat) in view.seats.enumerated() {
      let colour = Colour.seat(seat.colour)
      var figures = " \(seat.ships)/\(seat.planets)"
      if seat.isOut { figures = " out" }
      let name = Words.name(of: seat, width: max(1, room - 4 - figures.count))
      let isYou = view.you == number
      var column = canvas.write(
        BoardPainter.letter(ofSeat: number), 1 + number * room, 0, Canvas.Style(.space, on: colour, isBold: true))
      column = canvas.write(
        " " + name, column, 0,
        Canvas.Style(seat.isOut ? .quiet : isYou ? .bright : colour, isBold: isYou))
      column = canvas.write(figures, column, 0, Canvas.Style(.quiet))
      if seat.isAway || seat.isOffline { canvas.write("z", column, 0, Canvas.Style(.warning)) }
    }
    paintBar(view, &canvas)
  }

  private static func paintBar(_ view: View, _ canvas: inout Canvas) {
    let shares = bar(view.seats.map(\.ships), width: canvas.columns)
    var column = 0
    for (number, width) in shares.enumerated() {
      let colour = Colour.seat(view.seats[number].colour)
      for x in column..<column + width {
        canvas.paint(x, 2, colour.mixed(with: .bright, 0.12))
        canvas.paint(x, 3, colour.mixed(with: .space, 0.35))
      }
      if width >= 3 {
        let letter = BoardPainter.letter(ofSeat: number)
        canvas.write(letter, column + width / 2, 1, Canvas.Style(.space, isBold: true))
      }
      column += width
    }
  }

  /// `width` characters, shared out by figures; together they are all of it unless all figures are 0.
  static func bar(_ figures: [Int], width: Int) -> [Int] {
    let figures = figures.map { max(0, $0) }
    let whole = figures.reduce(0, +)
    guard whole > 0 else { return figures.map { _ in 0 } }
    var (sum, column) = (0, 0)
    return figures.map { figure in
      sum += figure
      let end = sum * width / whole
      defer { column = end }
      return end - column
    }
  }

  // MARK: On the map

  private func paintLog(_ time: Double, _ layout: BoardLayout, _ canvas: inout Canvas) {
    for (place, line) in log.lines.reversed().enumerated() {
      let strength = MessageLog.strength(line, at: time)
      let colour = Colour.space.mixed(with: line.colour.mixed(with: .bright, 0.2), strength)
      canvas.write(
        DisplayWidth.cut(line.text, to: canvas.columns - 2), 1, layout.rows.upperBound - 1 - place, Canvas.Style(colour)
      )
    }
  }

  private func paintCountdown(_ tick: Double, _ layout: BoardLayout, _ canvas: inout Canvas) {
    let seconds = max(1, Int((-tick / Double(Rules.ticksASecond)).rounded(.up)))
    let row = layout.rows.lowerBound + layout.rows.count / 2
    Self.paintBanner("It begins in \(seconds) ...", row, .bright, &canvas)
  }

  // MARK: Below

  private func paintFooter(_ view: View, _ canvas: inout Canvas) {
    let row = canvas.rows - 2
    canvas.fill(columns: 0..<canvas.columns, rows: row..<canvas.rows, .panel)
    if case .chat(let field) = overlay {
      let column = canvas.write(" Say: ", 0, row, Canvas.Style(.quiet))
      canvas.write(field.shown(width: canvas.columns - column - 1), column, row, Canvas.Style(.bright))
      canvas.write(" Enter: say it   Esc: say nothing", 0, row + 1, Canvas.Style(.quiet))
      return
    }
    let shareText = "sends \(share.rawValue) %"
    let info = DisplayWidth.cut(OrderWords.info(view, marks, share), to: canvas.columns - shareText.count - 4)
    canvas.write(info, 1, row, Canvas.Style(.text))
    canvas.writeRight(shareText, before: canvas.columns - 1, row, Canvas.Style(.bright, isBold: true))
    let keys = ["Space: choose", "a: all", "1-4: share", "Enter: send", "t: talk", "?: help", "q: leave"]
    let line = (canvas.columns < 98 ? keys : ["arrows/Tab: cursor"] + keys).joined(separator: "  ")
    canvas.write(line, 1, row + 1, Canvas.Style(.quiet))
  }
}
