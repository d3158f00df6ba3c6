/// What somebody pressed on a terminal.
enum Key: Equatable, Sendable {
  case up
  case down
  case pageUp
  case pageDown
  case home
  case end
  case enter
  /// Escape, alone.
  case escape
  /// Ctrl-C, which is a key like others while the terminal is in raw mode.
  case interrupt
  /// Ctrl-Z, likewise.
  case suspend
  /// A printable ASCII character.
  case character(Character)
}

/// Reads keys from the bytes that a terminal sends (ECMA-48; xterm's control sequences).
///
/// Bytes may come one by one. What begins like a sequence waits for its end; only Escape, which begins them all, needs
/// a time limit to be told from one (``timeOut()``). Sequences that mean nothing here are read to their end and let go.
struct KeyDecoder {
  private enum State {
    case plain
    case escape
    /// After `ESC O`: one more byte (SS3).
    case singleShift
    /// After `ESC [`: parameters, then a final byte (CSI). They are kept while they can mean something.
    case sequence(parameters: [UInt8])
  }

  private var state = State.plain

  /// How many bytes of parameters are kept; the longest that mean something have four (`1;5A`).
  private static let longestParameters = 8

  /// Whether more bytes are needed to know what the last ones were: if none come soon, call ``timeOut()``.
  var isWaiting: Bool {
    switch state {
    case .plain: false
    case .escape, .singleShift, .sequence: true
    }
  }

  /// The key that this byte completes.
  mutating func decode(_ byte: UInt8) -> Key? {
    switch state {
    case .plain: return plain(byte)
    case .escape:
      switch byte {
      case UInt8(ascii: "["): state = .sequence(parameters: [])
      case UInt8(ascii: "O"): state = .singleShift
      case 0x1b: return .escape  // the first of two; the second may begin a sequence
      default: state = .plain  // a key together with Alt
      }
      return nil
    case .singleShift:
      state = .plain
      return Self.final(byte, parameters: [])
    case .sequence(var parameters):
      switch byte {
      case 0x20...0x3f:
        if parameters.count < Self.longestParameters { parameters.append(byte) }
        state = .sequence(parameters: parameters)
        return nil
      case 0x40...0x7e:
        state = .plain
        return Self.final(byte, parameters: parameters)
      default:
        // No sequence has such a byte: what began there is over (ECMA-48 §5.4).
        state = .plain
        return plain(byte)
      }
    }
  }

  /// Nothing more has come for a while: an Escape that waited was the key.
  mutating func timeOut() -> Key? {
    defer { state = .plain }
    switch state {
    case .escape: return .escape
    case .plain, .singleShift, .sequence: return nil
    }
  }

  private mutating func plain(_ byte: UInt8) -> Key? {
    switch byte {
    case 0x03: return .interrupt
    case 0x0a, 0x0d: return .enter
    case 0x0e: return .down  // Ctrl-N
    case 0x10: return .up  // Ctrl-P
    case 0x1a: return .suspend
    case 0x1b:
      state = .escape
      return nil
    case 0x20...0x7e: return .character(Character(Unicode.Scalar(byte)))
    default: return nil
    }
  }

  private static func final(_ byte: UInt8, parameters: [UInt8]) -> Key? {
    switch byte {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    case UInt8(ascii: "M") where parameters.isEmpty: .enter  // the keypad's
    case UInt8(ascii: "~"): numbered(parameters)
    default: nil
    }
  }

  /// `ESC [ 5 ~`, or `ESC [ 5 ; 2 ~` with Shift.
  private static func numbered(_ parameters: [UInt8]) -> Key? {
    switch parameters.prefix(while: { $0 != UInt8(ascii: ";") }) {
    case [UInt8(ascii: "1")], [UInt8(ascii: "7")]: .home
    case [UInt8(ascii: "4")], [UInt8(ascii: "8")]: .end
    case [UInt8(ascii: "5")]: .pageUp
    case [UInt8(ascii: "6")]: .pageDown
    default: nil
    }
  }
}
