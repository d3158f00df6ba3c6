internal import Glibc

/// Processor time that this process has used, in user code and in the kernel, on all its threads (getrusage(2)).
struct ProcessorTime: Sendable {
  var microseconds: Double

  static var now: ProcessorTime {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return ProcessorTime(microseconds: usage.ru_utime.inMicroseconds + usage.ru_stime.inMicroseconds)
  }

  /// Since another moment, in microseconds.
  static func - (a: ProcessorTime, b: ProcessorTime) -> Double { a.microseconds - b.microseconds }
}

extension timeval {
  fileprivate var inMicroseconds: Double { Double(tv_sec) * 1e6 + Double(tv_usec) }
}
