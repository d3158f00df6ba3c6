/// What somebody pressed on a terminal, or did with its mouse.
public enum Key: Equatable, Sendable {
  case up
  case down
  case left
  case right
  case pageUp
  case pageDown
  case home
  case end
  case enter
  case tab
  /// Shift and Tab.
  case backTab
  case backspace
  case delete
  /// Escape, alone.
  case escape
  /// Ctrl-C, which is a key like others while the terminal is in raw mode.
  case interrupt
  /// Ctrl-Z, likewise.
  case suspend
  /// A printable character: one scalar, marks come one by one.
  case character(Character)
  /// Only from a terminal that was opened with its mouse.
  case mouse(Mouse)
}

/// Something that a mouse did (xterm's SGR reports, mode 1006).
public struct Mouse: Equatable, Sendable {
  /// One of the three that every mouse has.
  public enum Button: Equatable, Sendable {
    case left
    case middle
    case right
  }

  /// What happened.
  public enum Action: Equatable, Sendable {
    case press(Button)
    case release(Button)
    /// Moved, with a button held.
    case drag(Button)
    case wheelUp
    case wheelDown
  }

  /// What happened.
  public var action: Action
  /// Where, in characters from the left, from 0. Terminals report places outside of their edges as well.
  public var column: Int
  /// Where, in characters from the top, from 0.
  public var row: Int
  /// Whether Shift, Alt or Ctrl was held. Many terminals keep what is done with Shift for themselves.
  public var isModified = false

  /// Something that happened at a place, counted from 0.
  public init(_ action: Action, column: Int, row: Int, isModified: Bool = false) {
    (self.action, self.column, self.row, self.isModified) = (action, column, row, isModified)
  }

  /// Reads `<button;column;row`, the parameters of a report, which ends with `M`, or with `m` where a button is let go.
  init?(parameters: [UInt8], isRelease: Bool) {
    guard parameters.first == UInt8(ascii: "<") else { return nil }
    let fields = parameters.dropFirst().split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
    let numbers = fields.compactMap { field in
      // Four digits are more than any terminal has columns; what overflows is nobody's place.
      field.count <= 4 ? Int(String(decoding: field, as: UTF8.self)) : nil
    }
    guard fields.count == 3, numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }), numbers[1] > 0, numbers[2] > 0
    else { return nil }
    guard let action = Self.action(numbers[0], isRelease: isRelease) else { return nil }
    self.init(
      action, column: numbers[1] - 1, row: numbers[2] - 1, isModified: numbers[0] & Self.modifiers != 0)
  }

  private static let modifiers = 4 | 8 | 16
  private static let motion = 32

  private static func action(_ code: Int, isRelease: Bool) -> Action? {
    let button: Button
    switch code & ~(modifiers | motion) {
    case 0: button = .left
    case 1: button = .middle
    case 2: button = .right
    case 64: return .wheelUp
    case 65: return .wheelDown
    default: return nil  // moved without a button, a wheel to the side, further buttons
    }
    return isRelease ? .release(button) : code & motion != 0 ? .drag(button) : .press(button)
  }
}
