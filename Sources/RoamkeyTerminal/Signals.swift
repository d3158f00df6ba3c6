internal import Glibc
internal import Roamkey

/// The signals that a command reacts to, in the order in which they came.
///
/// The handler does the one thing that it may: it writes a byte into a pipe, from which a thread of our own reads.
public final class Signals: Sendable {
  private let caught = Monitor<[CInt]>([])

  /// - Parameter numbers: caught from now on; others keep their usual effect. Once in a process.
  public init(_ numbers: [CInt]) {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    // Written before the first handler can run, and never again.
    Self.writeEnd = ends[1]
    let readEnd = ends[0]
    let caught = caught
    runOnOwnThread {
      var byte: UInt8 = 0
      while true {
        let count = read(readEnd, &byte, 1)
        let number = CInt(byte)
        if count == 1 { caught.withLock { $0.append(number) } } else if count == 0 || errno != EINTR { return }
      }
    }
    watch(numbers)
  }

  /// Catches these as well, from now on.
  public func watch(_ numbers: [CInt]) {
    for number in numbers {
      signal(number) { number in
        let kept = errno
        var byte = UInt8(truncatingIfNeeded: number)
        _ = write(Signals.writeEnd, &byte, 1)
        errno = kept
      }
    }
  }

  /// These have their usual effect again. One that came just before may still be told.
  public func unwatch(_ numbers: [CInt]) { for number in numbers { signal(number, SIG_DFL) } }

  /// Whether whoever started the process wants a signal to have no effect on it.
  public static func isIgnored(_ number: CInt) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Those that have come since the last call, for a program that looks once a frame.
  public func take() -> [CInt] {
    caught.withLock { caught in
      defer { caught.removeAll(keepingCapacity: true) }
      return caught
    }
  }

  /// The next signal; nil when the task was cancelled.
  public func next() async -> CInt? {
    await caught.wait { !$0.isEmpty }
    return caught.withLock { $0.isEmpty ? nil : $0.removeFirst() }
  }

  /// Where the handler writes. Unguarded, since a handler may take no lock: it is set once, before any handler is
  /// installed, and only read from then on.
  nonisolated(unsafe) private static var writeEnd: CInt = -1
}
