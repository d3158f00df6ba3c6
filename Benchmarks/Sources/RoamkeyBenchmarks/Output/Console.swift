internal import Glibc

/// Standard output for results, standard error for what a person wants to know meanwhile.
enum Console {
  static func note(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// What else the machine is doing, as processes that want to run on average of the last minute: figures of a busy
  /// machine are no figures of a library.
  static var load: Double {
    var average = 0.0
    return getloadavg(&average, 1) == 1 ? average : 0
  }

  static var cores: Int { max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))) }

  /// The machine in a few words.
  static var machine: String { "\(cores) cores, load \(Text.number(load, decimals: 1)) at the start" }
}
