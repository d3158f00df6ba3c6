internal import Glibc
package import Roamkey

/// Asks for what nobody else is to see, on the terminal at standard input, without showing it.
///
/// The terminal shows what is typed again at every end but SIGKILL: a signal that ends the process finds it set back
/// (`stty sane` helps after SIGKILL).
package enum SecretPrompt {
  /// Whether somebody sits there who can be asked.
  package static var isThere: Bool { isatty(STDIN_FILENO) == 1 }

  /// One line, without its end; nil where there is no more.
  /// - Parameters:
  ///   - prompt: stands before it, on standard error.
  ///   - capacity: the most bytes that it may have; what is longer is a failure.
  package static func line(_ prompt: String, capacity: Int = 1024) throws(Failure) -> SecretText? {
    try unseen { () throws(Failure) in try ask(prompt, capacity: capacity) }
  }

  /// Shows nothing of what is typed until `body` ends, which may ``ask(_:capacity:)`` for several lines: what is pasted
  /// comes between two questions as well.
  package static func unseen<R: ~Copyable>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
    guard tcgetattr(STDIN_FILENO, kept) == 0 else { throw noTerminal() }
    let before = catchSignals()
    defer { for (number, action) in before { withUnsafePointer(to: action) { _ = sigaction(number, $0, nil) } } }
    var hidden = kept.pointee
    hidden.c_lflag &= ~tcflag_t(ECHO)
    guard tcsetattr(STDIN_FILENO, TCSADRAIN, &hidden) == 0 else { throw noTerminal() }
    defer { restore() }
    return try body()
  }

  /// One line, without its end, while nothing is shown; nil where there is no more.
  package static func ask(_ prompt: String, capacity: Int = 1024) throws(Failure) -> SecretText? {
    Console.show(prompt)
    defer { Console.note("") }
    return try read(capacity, stopsAtLineEnd: true)
  }

  /// All of standard input, where that is no terminal.
  package static func all(capacity: Int) throws(Failure) -> SecretText {
    try read(capacity, stopsAtLineEnd: false) ?? SecretText(capacity: 0)
  }

  /// A byte at a time, so that nothing is read that is not kept in guarded memory.
  private static func read(_ capacity: Int, stopsAtLineEnd: Bool) throws(Failure) -> SecretText? {
    var text = SecretText(capacity: capacity)
    var byte: UInt8 = 0
    var isTooLong = false
    defer { byte = 0 }
    while true {
      let count = Glibc.read(STDIN_FILENO, &byte, 1)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        if stopsAtLineEnd && text.count == 0 { return nil }
        break
      }
      if stopsAtLineEnd && byte == UInt8(ascii: "\n") { break }
      isTooLong = !withUnsafeBytes(of: byte) { text.append($0) } || isTooLong
    }
    guard !isTooLong else {
      throw Failure(code: "input", "more than \(capacity) bytes were given: check what is typed")
    }
    return text
  }

  private static func noTerminal() -> Failure {
    Failure(code: "input", "the terminal cannot be asked (\(TextFile.systemWords())): give a file")
  }

  // MARK: At every end

  /// Unguarded, as in `Terminal`: one task asks, and the handlers run when nothing else does any more.
  nonisolated(unsafe) private static let kept = {
    let settings = UnsafeMutablePointer<termios>.allocate(capacity: 1)
    settings.initialize(to: termios())
    return settings
  }()

  private static func restore() { _ = tcsetattr(STDIN_FILENO, TCSANOW, kept) }

  /// - Returns: what each signal did before.
  private static func catchSignals() -> [(CInt, sigaction)] {
    var before: [(CInt, sigaction)] = []
    for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] where !Signals.isIgnored(number) {
      var (action, old) = (sigaction(), sigaction())
      action.sa_flags = SA_RESTART
      // Stopped, it would leave a terminal that shows nothing.
      action.__sigaction_handler.sa_handler =
        number == SIGTSTP
        ? SIG_IGN
        : { number in
          SecretPrompt.restore()
          signal(number, SIG_DFL)
          raise(number)
        }
      if sigaction(number, &action, &old) == 0 { before.append((number, old)) }
    }
    return before
  }
}
