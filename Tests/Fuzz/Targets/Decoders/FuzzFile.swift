import Glibc

/// A file in memory that holds an input, for what reads files by their path.
final class FuzzFile: Sendable {
  static let shared = FuzzFile()

  private let descriptor: CInt

  private init() {
    var path = Array("/dev/shm/roamkey-fuzz-XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    precondition(descriptor >= 0, "the system gives no file in memory")
    // It has no name from now on, and goes with the process.
    unlink(path)
  }

  var path: String { "/proc/self/fd/\(descriptor)" }

  /// Puts `bytes` in the place of what was there.
  func write(_ bytes: [UInt8], mode: mode_t = 0o600) {
    let isWritten =
      ftruncate(descriptor, 0) == 0 && fchmod(descriptor, mode) == 0
      && pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    precondition(isWritten, "a file in memory cannot be written")
  }
}
