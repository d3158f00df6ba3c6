import Glibc
import MeasurementBudgets

/// This program once more under callgrind, which counts every instruction, on whatever machine: what it counts is the
/// same from run to run.
enum Valgrind {
  enum Failure: Error {
    /// There is no valgrind.
    case missing
    case failed(String)
  }

  /// Instructions of each case and phase, in our own code and Swift's runtime, a unit.
  ///
  /// Left out are libsodium and the C library, which take other ways on other processors.
  static func count() throws(Failure) -> [InstructionBudgets.Name: Int] {
    guard let program = Self.program else { throw .failed("where this program stands is unknown") }
    var template = Array("/tmp/roamkey-counts-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw .failed("no folder for what callgrind writes") }
    let folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    var written: [String] = ["\(folder)/phases", "\(folder)/log", "\(folder)/profile"]
    defer {
      for path in written { unlink(path) }
      rmdir(folder)
    }
    try run(program, in: folder)
    guard let phases = Text.contents(of: "\(folder)/phases") else { throw .failed("the program said nothing") }
    var counts: [InstructionBudgets.Name: Int] = [:]
    var part = 0
    for line in phases.split(separator: "\n") {
      // `case units phase phase ...`: each phase has a file of its own.
      let words = line.split(separator: " ").map(String.init)
      guard words.count > 2, let units = Int(words[1]), units > 0 else { throw .failed("\(line)") }
      var sums: [String: Int] = [:]
      for phase in words[2...] {
        part += 1
        let path = "\(folder)/profile.\(part)"
        written.append(path)
        sums[phase, default: 0] += try instructions(in: path, of: program)
      }
      for (phase, sum) in sums { counts["\(words[0]) \(phase)"] = sum / units }
    }
    return counts
  }

  private static func instructions(in path: String, of program: String) throws(Failure) -> Int {
    do throws(CallgrindProfile.Failure) {
      guard let text = Text.contents(of: path) else { throw .malformed }
      let profile = try CallgrindProfile(text)
      return profile.instructions.reduce(0) { sum, entry in
        entry.key == program || entry.key.hasSuffix("/libswiftCore.so") ? sum + entry.value : sum
      }
    } catch { throw .failed("callgrind has not written \(path) to its end") }
  }

  private static var program: String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard readlink("/proc/self/exe", &buffer, Int(PATH_MAX)) > 0 else { return nil }
    return buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  private static func run(_ program: String, in folder: String) throws(Failure) {
    var arguments = [
      "valgrind", "--quiet", "--tool=callgrind", "--callgrind-out-file=\(folder)/profile", "--compress-strings=no",
      "--compress-pos=no", "--toggle-collect=roamkey_phase_*",
    ]
    // Of several patterns for `toggle-collect` only one counts; `dump-after` knows no patterns.
    for phase in Phase.allCases { arguments.append("--dump-after=roamkey_phase_\(phase)") }
    arguments += [program, "phases"]
    // Else each run has tables of its own order.
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "\(folder)/phases", flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "\(folder)/log", flags, 0o600)
    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var id: pid_t = 0
    let error = posix_spawnp(&id, "valgrind", &actions, nil, &words, environ)
    guard error != ENOENT else { throw .missing }
    guard error == 0 else { throw .failed(String(cString: strerror(error))) }
    var status: CInt = 0
    while waitpid(id, &status, 0) < 0 { guard errno == EINTR else { throw .failed("valgrind was lost") } }
    guard status == 0 else {
      throw .failed("valgrind ended with status \(status): \(Text.contents(of: "\(folder)/log") ?? "")")
    }
  }
}
