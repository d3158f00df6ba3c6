internal import Glibc

/// The terminal at standard input and output while a program has it: keys come one by one and unseen, and what is drawn
/// stands on its second screen, so that the first is as it was when the program is gone.
///
/// It is given back at every end: ``close()``, the end of the process, a signal that ends it, a trap in our own code.
/// Only SIGKILL leaves it as it is (`reset` helps then).
public enum Terminal {
  /// Whether somebody sits there who can be shown a list.
  public static var isThere: Bool {
    guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return false }
    guard let kind = getenv("TERM").map({ String(cString: $0) }) else { return false }
    return kind != "" && kind != "dumb"
  }

  /// Its size, or that of most terminals where it does not tell.
  public static var size: TerminalSize {
    var window = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
      return TerminalSize(columns: 80, rows: 24)
    }
    return TerminalSize(columns: Int(window.ws_col), rows: Int(window.ws_row))
  }

  /// Takes it.
  /// - Parameter mouse: whether the mouse's buttons, wheel, and moves with a button held are keys as well.
  /// - Returns: whether the system let us.
  public static func open(mouse: Bool = false) -> Bool {
    guard tcgetattr(STDIN_FILENO, kept) == 0 else { return false }
    prepareForTheWorst()
    var raw = kept.pointee
    // Signals of the keyboard are keys; but Return stays a line feed, for what is typed ahead.
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    raw.c_iflag &= ~tcflag_t(IXON)
    hasMouse = mouse
    isOpen = true
    guard tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0 else {
      isOpen = false
      return false
    }
    // Second screen, no cursor, no wrapping of lines.
    Console.draw("\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l" + (mouse ? "\u{1b}[?1000h\u{1b}[?1002h\u{1b}[?1006h" : ""))
    return true
  }

  /// Sends it what it is to do: text and ECMA-48's sequences, all at once. Nothing, where it was given back.
  public static func write(_ bytes: [UInt8]) { if isOpen { Console.draw(bytes) } }

  /// Draws a picture from its upper left corner on, in place of the one before.
  package static func draw(_ lines: [PickerLine], size: TerminalSize) {
    var text = "\u{1b}[H"
    for (index, line) in lines.enumerated() {
      // Cleared before it is written: behind a line that fills it the cursor stands on its last character.
      text += (index == 0 ? "" : "\r\n") + "\u{1b}[2K"
      switch line.style {
      case .plain: text += line.text
      case .title: text += "\u{1b}[1m\(line.text)\u{1b}[0m"
      case .quiet: text += "\u{1b}[2m\(line.text)\u{1b}[0m"
      case .selected: text += "\u{1b}[7m\(DisplayWidth.fill(line.text, to: size.columns))\u{1b}[0m"
      }
    }
    // What is left of an earlier one below.
    if lines.count < size.rows { text += (lines.isEmpty ? "" : "\r\n") + "\u{1b}[J" }
    Console.draw(text)
  }

  /// Gives it back. May be called at any time, any number of times, and by handlers of signals: it makes no call that
  /// those may not.
  public static func close() {
    guard isOpen else { return }
    isOpen = false
    if hasMouse { _ = Glibc.write(STDOUT_FILENO, mouseFarewell, mouseFarewellLength) }
    _ = Glibc.write(STDOUT_FILENO, farewell, farewellLength)
    _ = tcsetattr(STDIN_FILENO, TCSANOW, kept)
    var number: CInt = 1
    while number < signalCount {
      restore(number)
      number += 1
    }
  }

  // MARK: At every end

  /// What a handler needs lies ready. Unguarded, since a handler may take no lock: one task opens and closes, and the
  /// handlers run when nothing else does any more.
  ///
  /// The settings are in memory of their own: of a global `termios` the compiler forgets the padding (57 bytes for 60).
  nonisolated(unsafe) private static let kept = {
    let settings = UnsafeMutablePointer<termios>.allocate(capacity: 1)
    settings.initialize(to: termios())
    return settings
  }()
  nonisolated(unsafe) private static var isOpen = false
  nonisolated(unsafe) private static var hasMouse = false
  nonisolated(unsafe) private static var isPrepared = false

  private static let farewellText: StaticString = "\u{1b}[0m\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"
  private static var farewell: UnsafePointer<UInt8> { farewellText.utf8Start }
  private static var farewellLength: Int { farewellText.utf8CodeUnitCount }

  /// Also ends a synchronized update (mode 2026) that was under way.
  private static let mouseFarewellText: StaticString = "\u{1b}[?2026l\u{1b}[?1006l\u{1b}[?1002l\u{1b}[?1000l"
  private static var mouseFarewell: UnsafePointer<UInt8> { mouseFarewellText.utf8Start }
  private static var mouseFarewellLength: Int { mouseFarewellText.utf8CodeUnitCount }

  /// Signals end below it, those of real time included.
  private static let signalCount: CInt = 65

  /// What each signal did before, by its number, and whether ours is in its place.
  nonisolated(unsafe) private static let actions = {
    let actions = UnsafeMutablePointer<sigaction>.allocate(capacity: Int(signalCount))
    actions.initialize(repeating: sigaction(), count: Int(signalCount))
    return actions
  }()
  nonisolated(unsafe) private static let isReplaced = {
    let flags = UnsafeMutablePointer<Bool>.allocate(capacity: Int(signalCount))
    flags.initialize(repeating: false, count: Int(signalCount))
    return flags
  }()

  /// Signals that end a process, besides those that the commands catch themselves.
  private static let ends: [CInt] = [
    SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSYS, SIGHUP, SIGQUIT, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
    SIGXCPU, SIGXFSZ, SIGSTKFLT, SIGIO, SIGPWR,
  ]

  private static func prepareForTheWorst() {
    // Also makes sure that what is set up at its first use is set up before a handler needs it.
    _ = (isOpen, hasMouse, farewellLength, mouseFarewellLength, kept, actions, isReplaced, signalCount)
    if !isPrepared {
      isPrepared = true
      atexit { Terminal.close() }
    }
    // Whoever is to go on without a terminal (`nohup`) goes on.
    for number in ends + Array(__libc_current_sigrtmin()...__libc_current_sigrtmax()) where !Signals.isIgnored(number) {
      replace(number)
    }
  }

  private static func replace(_ number: CInt) {
    guard number < signalCount, !isReplaced[Int(number)] else { return }
    var action = sigaction()
    action.sa_flags = SA_RESTART
    action.__sigaction_handler.sa_handler = { number in
      Terminal.close()
      // Then it has the effect that it had before.
      Terminal.restore(number)
      raise(number)
    }
    isReplaced[Int(number)] = sigaction(number, &action, actions + Int(number)) == 0
  }

  /// A handler may interrupt it at any place: twice does no harm.
  private static func restore(_ number: CInt) {
    guard isReplaced[Int(number)] else { return }
    _ = sigaction(number, actions + Int(number), nil)
    isReplaced[Int(number)] = false
  }
}

/// How large a terminal is, in characters.
public struct TerminalSize: Equatable, Sendable {
  /// Characters in a line.
  public var columns: Int
  /// Lines.
  public var rows: Int

  /// A size in characters.
  public init(columns: Int, rows: Int) { (self.columns, self.rows) = (columns, rows) }
}
