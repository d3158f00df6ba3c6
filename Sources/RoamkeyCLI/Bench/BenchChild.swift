internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// This command once more, as the server of a measurement over loopback: in a process of its own, so that each side's
/// processor time is its own, and neither waits for the other's memory and tasks.
final class BenchChild: Sendable {
  let target: BenchTarget
  private let id: pid_t
  /// It ends when this is closed, however this process ends.
  private let input: CInt

  /// How long it may take to begin, and to end.
  private static let patience: Duration = .seconds(10)

  init(_ policy: BenchPolicy) throws(Failure) {
    let (toChild, fromChild) = (try Self.makePipe(), try Self.makePipe())
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, toChild.read, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, fromChild.write, STDOUT_FILENO)
    let arguments = ["roamkey", "bench", "--listen", "127.0.0.1:0", "--policy", policy.rawValue, "--until-input-ends"]
    var id: pid_t = 0
    var words = arguments.map { strdup($0) } + [nil]
    let error = posix_spawn(&id, "/proc/self/exe", &actions, nil, &words, environ)
    for word in words { free(word) }
    close(toChild.read)
    close(fromChild.write)
    defer { close(fromChild.read) }
    guard error == 0 else {
      close(toChild.write)
      throw Failure(code: "system", "there is no second process for the server: \(String(cString: strerror(error)))")
    }
    // `ADDRESS ID`; where there is none the child has said why on standard error.
    let line = Self.firstLine(of: fromChild.read)?.split(separator: " ") ?? []
    guard line.count == 2, let pin = try? PlayerID(String(line[1])) else {
      close(toChild.write)
      kill(id, SIGKILL)
      waitpid(id, nil, 0)
      throw Failure(code: "system", "the server in the second process did not begin")
    }
    self.id = id
    input = toChild.write
    target = BenchTarget(server: String(line[0]), pin: pin)
  }

  /// Lets it end by itself, for a while.
  func end() async {
    close(input)
    let deadline = ContinuousClock.now + Self.patience
    while waitpid(id, nil, WNOHANG) == 0 {
      if ContinuousClock.now > deadline { kill(id, SIGKILL) }
      // Also in a task that was cancelled the pause must be one.
      await Task { try? await Task.sleep(for: .milliseconds(5)) }.value
    }
  }

  private static func firstLine(of descriptor: CInt) -> String? {
    let deadline = ContinuousClock.now + patience
    var line: [UInt8] = []
    while line.count < 1024 {
      let rest = (deadline - .now) / .milliseconds(1)
      var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let found = poll(&ready, 1, CInt(max(0, rest)))
      if found < 0 && errno == EINTR { continue }
      var byte: UInt8 = 0
      guard found > 0, read(descriptor, &byte, 1) == 1 else { return nil }
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    return nil
  }

  /// Both ends are this process's own: the child gets copies of its ends.
  private static func makePipe() throws(Failure) -> (read: CInt, write: CInt) {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw Failure(code: "system", "there is no pipe to a second process: \(TextFile.systemWords())")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}
