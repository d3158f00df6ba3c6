internal import Glibc

/// Processor time of this process, in user code and in the kernel, on all its threads (getrusage(2)).
enum BenchProcessor {
  static var microseconds: UInt64 {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return inMicroseconds(usage.ru_utime) + inMicroseconds(usage.ru_stime)
  }

  private static func inMicroseconds(_ time: timeval) -> UInt64 {
    UInt64(max(0, time.tv_sec)) * 1_000_000 + UInt64(max(0, time.tv_usec))
  }
}
