internal import Glibc
internal import Roamkey

/// Standard output and standard error, a whole line at a time and at once.
///
/// A reader who has gone away (`| head`) is no reason to stop: what cannot be written is let go.
public enum Console {
  private static let lock = Locked(())

  /// A line for standard output.
  package static func print(_ line: String) { _ = write(line, to: STDOUT_FILENO) }

  /// A line for standard output that is what the command was called for: where it is lost, the command has failed.
  package static func answer(_ line: String) throws(Failure) { try check(write(line, to: STDOUT_FILENO)) }

  /// The same with bytes that stay where they are, for secrets; an end of line is added.
  package static func answer(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    try check(write(bytes, to: STDOUT_FILENO))
    try check(write("", to: STDOUT_FILENO))
  }

  private static func check(_ number: CInt?) throws(Failure) {
    guard let number, number != EPIPE else { return }
    let words = String(cString: strerror(number))
    throw Failure(code: "output", "standard output cannot be written (\(words)): send it elsewhere")
  }

  /// Text for standard error as it is: a question, behind which the answer is typed.
  static func show(_ text: String) { _ = write(Array(text.utf8), to: STDERR_FILENO) }

  /// A line for standard error.
  public static func note(_ line: String) { _ = write(line, to: STDERR_FILENO) }

  /// Text for standard output as it is: no line, but what a terminal is to do.
  static func draw(_ text: String) { draw(Array(text.utf8)) }

  /// The same as bytes.
  static func draw(_ bytes: [UInt8]) { _ = write(bytes, to: STDOUT_FILENO) }

  private static func write(_ line: String, to descriptor: CInt) -> CInt? {
    var bytes = Array(line.utf8)
    bytes.append(UInt8(ascii: "\n"))
    return write(bytes, to: descriptor)
  }

  /// - Returns: the system's number for what went wrong.
  private static func write(_ bytes: [UInt8], to descriptor: CInt) -> CInt? {
    bytes.withUnsafeBytes { write($0, to: descriptor) }
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> CInt? {
    lock.withLock { _ in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
          // A terminal or pipe that somebody has set to non-blocking.
          var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&ready, 1, -1)
        } else if errno != EINTR {
          return errno
        }
      }
      return nil
    }
  }

  /// Text from elsewhere, without what a terminal would obey or what would look like other lines.
  public static func plain(_ text: String) -> String { DisplayText.clean(text) }
}
