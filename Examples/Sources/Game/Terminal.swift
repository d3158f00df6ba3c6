import Glibc

/// Keys as they are pressed, and one picture after the other. Without a terminal there are neither.
final class Terminal {
  private var before = termios()
  private let isOne = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
  private var isRestored = false
  private var shown = ""

  init() {
    guard isOne, tcgetattr(STDIN_FILENO, &before) == 0 else { return }
    var raw = before
    // Ctrl-C is a key, since whoever ends the game by it wants the terminal back as it was.
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    // A read returns at once, with nothing if there is nothing.
    withUnsafeMutableBytes(of: &raw.c_cc) { bytes in
      bytes[Int(VMIN)] = 0
      bytes[Int(VTIME)] = 0
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &raw)
    print("\u{1b}[2J\u{1b}[?25l", terminator: "")
  }

  /// What was pressed since the last time.
  func keys() -> [Character] {
    guard isOne else { return [] }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(STDIN_FILENO, &bytes, bytes.count)
    return count > 0 ? bytes[..<count].map { Character(UnicodeScalar($0)) } : []
  }

  func show(_ picture: String) {
    guard isOne, picture != shown else { return }
    shown = picture
    print("\u{1b}[H\(picture)\u{1b}[K", terminator: "")
    fflush(nil)
  }

  /// Leaves the terminal as it was.
  func restore() {
    guard isOne, !isRestored else { return }
    isRestored = true
    tcsetattr(STDIN_FILENO, TCSANOW, &before)
    print("\u{1b}[?25h")
  }
}
