/// Reads keys from the bytes that a terminal sends (ECMA-48; xterm's control sequences; UTF-8).
///
/// Bytes may come one by one. What begins like a sequence waits for its end; only Escape, which begins them all, needs
/// a time limit to be told from one (``timeOut()``). Sequences that mean nothing here are read to their end and let go.
public struct KeyDecoder: Sendable {
  private enum State {
    case plain
    case escape
    /// After `ESC O`: one more byte (SS3).
    case singleShift
    /// After `ESC [`: parameters, then a final byte (CSI). They are kept while they can mean something.
    case sequence(parameters: [UInt8])
    /// After `ESC [ M`: three bytes of a mouse report as it was before mode 1006. Nobody asks for them, but a terminal
    /// that does not know the mode sends them, and they would be taken for keys.
    case oldMouse(left: Int)
    /// Within a character of several bytes.
    case text(bytes: [UInt8], left: Int)
  }

  /// Nothing has come yet.
  public init() {}

  private var state = State.plain

  /// How many bytes of parameters are kept; the longest that mean something are
  /// a mouse's (`<64;9999;9999`).
  private static let longestParameters = 16

  /// Whether more bytes are needed to know what the last ones were: if none come soon, call ``timeOut()``.
  public var isWaiting: Bool {
    switch state {
    case .plain: false
    case .escape, .singleShift, .sequence, .oldMouse, .text: true
    }
  }

  /// The key that this byte completes.
  public mutating func decode(_ byte: UInt8) -> Key? {
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
      case UInt8(ascii: "M") where parameters.isEmpty:
        state = .oldMouse(left: 3)
        return nil
      case 0x40...0x7e:
        state = .plain
        return Self.final(byte, parameters: parameters)
      default:
        // No sequence has such a byte: what began there is over (ECMA-48 §5.4).
        state = .plain
        return plain(byte)
      }
    case .oldMouse(let left):
      state = left > 1 ? .oldMouse(left: left - 1) : .plain
      return nil
    case .text(let bytes, let left):
      state = .plain
      // The character was cut off; this byte begins something else.
      guard 0x80...0xbf ~= byte else { return plain(byte) }
      guard left == 1 else {
        state = .text(bytes: bytes + [byte], left: left - 1)
        return nil
      }
      return Self.character(bytes + [byte])
    }
  }

  /// Nothing more has come for a while: an Escape that waited was the key.
  public mutating func timeOut() -> Key? {
    defer { state = .plain }
    switch state {
    case .escape: return .escape
    case .plain, .singleShift, .sequence, .oldMouse, .text: return nil
    }
  }

  private mutating func plain(_ byte: UInt8) -> Key? {
    switch byte {
    case 0x03: return .interrupt
    case 0x08, 0x7f: return .backspace
    case 0x09: return .tab
    case 0x0a, 0x0d: return .enter
    case 0x0e: return .down  // Ctrl-N
    case 0x10: return .up  // Ctrl-P
    case 0x1a: return .suspend
    case 0x1b:
      state = .escape
      return nil
    case 0x20...0x7e: return .character(Character(Unicode.Scalar(byte)))
    case 0xc2...0xdf: return begin(byte, more: 1)
    case 0xe0...0xef: return begin(byte, more: 2)
    case 0xf0...0xf4: return begin(byte, more: 3)
    default: return nil
    }
  }

  private mutating func begin(_ byte: UInt8, more: Int) -> Key? {
    state = .text(bytes: [byte], left: more)
    return nil
  }

  /// What these bytes are, unless it is nothing that is printed.
  private static func character(_ bytes: [UInt8]) -> Key? {
    guard let text = String(validating: bytes, as: UTF8.self), let scalar = text.unicodeScalars.first else {
      return nil
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: return nil
    default: return .character(Character(scalar))
    }
  }

  private static func final(_ byte: UInt8, parameters: [UInt8]) -> Key? {
    switch byte {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "C"): .right
    case UInt8(ascii: "D"): .left
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    case UInt8(ascii: "M") where parameters.isEmpty: .enter  // the keypad's
    case UInt8(ascii: "Z"): .backTab
    case UInt8(ascii: "M"), UInt8(ascii: "m"): mouse(parameters, isRelease: byte == UInt8(ascii: "m"))
    case UInt8(ascii: "~"): numbered(parameters)
    default: nil
    }
  }

  private static func mouse(_ parameters: [UInt8], isRelease: Bool) -> Key? {
    // As many as were kept: something may have been cut off.
    guard parameters.count < longestParameters else { return nil }
    return Mouse(parameters: parameters, isRelease: isRelease).map { .mouse($0) }
  }

  /// `ESC [ 5 ~`, or `ESC [ 5 ; 2 ~` with Shift.
  private static func numbered(_ parameters: [UInt8]) -> Key? {
    switch parameters.prefix(while: { $0 != UInt8(ascii: ";") }) {
    case [UInt8(ascii: "1")], [UInt8(ascii: "7")]: .home
    case [UInt8(ascii: "3")]: .delete
    case [UInt8(ascii: "4")], [UInt8(ascii: "8")]: .end
    case [UInt8(ascii: "5")]: .pageUp
    case [UInt8(ascii: "6")]: .pageDown
    default: nil
    }
  }
}
