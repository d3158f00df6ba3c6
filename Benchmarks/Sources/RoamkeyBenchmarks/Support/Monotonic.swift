internal import Glibc

/// A moment of `CLOCK_MONOTONIC`, the clock of every figure here: both ends and the relay are on one machine.
struct Monotonic: Comparable, Hashable, Sendable {
  var nanoseconds: Int64

  static var now: Monotonic { read(CLOCK_MONOTONIC) }

  /// What has to be added to `CLOCK_REALTIME`, which the kernel stamps datagrams with. Read anew for every use, since
  /// that clock may be set.
  static var realtimeOffset: Duration { .nanoseconds(now.nanoseconds - read(CLOCK_REALTIME).nanoseconds) }

  private static func read(_ clock: clockid_t) -> Monotonic {
    var time = timespec()
    clock_gettime(clock, &time)
    return Monotonic(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  /// Blocks the calling thread until this moment; returns at once when it has passed.
  func sleep() {
    var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
  }

  static func < (a: Monotonic, b: Monotonic) -> Bool { a.nanoseconds < b.nanoseconds }

  static func + (moment: Monotonic, duration: Duration) -> Monotonic {
    Monotonic(nanoseconds: moment.nanoseconds + duration.wholeNanoseconds)
  }

  static func - (moment: Monotonic, duration: Duration) -> Monotonic {
    Monotonic(nanoseconds: moment.nanoseconds - duration.wholeNanoseconds)
  }

  static func - (a: Monotonic, b: Monotonic) -> Duration { .nanoseconds(a.nanoseconds - b.nanoseconds) }
}

extension Duration {
  var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  var inSeconds: Double { self / .seconds(1) }
  var inMilliseconds: Double { self / .milliseconds(1) }
  var inMicroseconds: Double { self / .microseconds(1) }
}
