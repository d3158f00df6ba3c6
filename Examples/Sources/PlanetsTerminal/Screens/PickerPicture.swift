import RoamkeyTerminal

/// The list of hosts nearby, which is the command's, on a canvas.
public enum PickerPicture {
  public static func canvas(_ lines: [PickerLine], _ size: TerminalSize, time: Double) -> Canvas {
    var canvas = Canvas(size)
    Backdrop.paint(&canvas, time: time)
    canvas.dim(0.6)
    for (row, line) in lines.enumerated() {
      switch line.style {
      case .plain: canvas.write(line.text, 0, row)
      case .title: canvas.write(line.text, 0, row, Canvas.Style(.bright, isBold: true))
      case .quiet: canvas.write(line.text, 0, row, Canvas.Style(.quiet))
      case .selected:
        let text = DisplayWidth.fill(line.text, to: size.columns)
        canvas.write(text, 0, row, Canvas.Style(.space, on: .seat(0), isBold: true))
      }
    }
    return canvas
  }

  /// While something is under way.
  public static func waiting(_ text: String, _ size: TerminalSize, time: Double) -> Canvas {
    var canvas = Canvas(size)
    Backdrop.paint(&canvas, time: time)
    GameScreen.paintBanner(text, size.rows / 2, .bright, &canvas)
    return canvas
  }
}
