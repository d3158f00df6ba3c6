internal import Glibc
internal import Synchronization

/// This program once more, in a process of its own, with pipes to its standard input and from its standard output.
final class ChildProcess: Sendable {
  let id: pid_t
  private let input: CInt
  private let output: CInt
  private let isReaped = Mutex(false)

  /// - Parameter arguments: of the command line, without the program's name.
  init(_ arguments: [String]) throws(BenchmarkFailure) {
    let (toChild, fromChild) = (try Self.pipe(), try Self.pipe())
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toChild.read, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, fromChild.write, STDOUT_FILENO)
    // A child that has gone must show as an error of `write`, not end its parent.
    signal(SIGPIPE, SIG_IGN)
    var id: pid_t = 0
    var words = (["roamkey-benchmarks"] + arguments).map { strdup($0) } + [nil]
    let error = posix_spawn(&id, "/proc/self/exe", &actions, nil, &words, environ)
    for word in words { free(word) }
    close(toChild.read)
    close(fromChild.write)
    guard error == 0 else {
      close(toChild.write)
      close(fromChild.read)
      throw BenchmarkFailure("no second process: \(String(cString: strerror(error)))")
    }
    self.id = id
    input = toChild.write
    output = fromChild.read
  }

  deinit {
    end()
    close(input)
    close(output)
  }

  /// Ends it, whatever it does.
  func end() {
    isReaped.withLock { isReaped in
      guard !isReaped else { return }
      kill(id, SIGKILL)
      var status: CInt = 0
      waitpid(id, &status, 0)
      isReaped = true
    }
  }

  /// Gives it a line to read.
  func tell(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = bytes.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
  }

  /// The next line that it writes; blocks. Nil once it has gone.
  func nextLine() -> String? { Self.readLine(from: output) }

  /// A line of a descriptor, without the end of the line.
  static func readLine(from descriptor: CInt) -> String? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while read(descriptor, &byte, 1) == 1 {
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    return nil
  }

  /// Both ends are this process's own: the child gets copies of its ends.
  private static func pipe() throws(BenchmarkFailure) -> (read: CInt, write: CInt) {
    var ends: [CInt] = [0, 0]
    guard Glibc.pipe(&ends) == 0 else { throw .system("no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}

/// Memory of a process that is there in fact (VmRSS), in bytes; nil for one that is not.
func residentBytes(of process: pid_t) -> Int? {
  let descriptor = open("/proc/\(process)/statm", O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  // Pages in all, then pages that are resident (proc(5)).
  let fields = ChildProcess.readLine(from: descriptor)?.split(separator: " ") ?? []
  guard fields.count > 1, let pages = Int(fields[1]), pages > 0 else { return nil }
  return pages * sysconf(CInt(_SC_PAGESIZE))
}
