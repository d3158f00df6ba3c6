internal import Glibc
internal import Roamkey

/// Reads keys from standard input, on a thread of its own, one at a time: what is typed behind the key that ends it all
/// is left for whoever reads next.
final class KeyReader: Sendable {
  private let taken = Semaphore()
  private let isStopping = Locked(false)
  private let isDone = Monitor(false)
  private let stopPipe: (read: CInt, write: CInt)

  /// How long an Escape may be the beginning of something longer, in milliseconds: more than bytes of a key are apart,
  /// even over a slow line, and less than a person notices.
  private static let escapeTime: CInt = 60

  /// Begins to read.
  /// - Parameter onKey: is told each key, and nil at the end of the input; the next one is not read before `next()`.
  init(onKey: @escaping @Sendable (Key?) -> Void) {
    var ends: [CInt] = [-1, -1]
    // Without a pipe it reads all the same, and ends with the next key.
    if pipe(&ends) != 0 { ends = [-1, -1] }
    stopPipe = (ends[0], ends[1])
    runOnOwnThread { [self] in
      run(onKey)
      isDone.withLock { $0 = true }
    }
  }

  deinit {
    close(stopPipe.read)
    close(stopPipe.write)
  }

  /// The key that was told was dealt with: reads on.
  func next() { taken.signal() }

  /// Reads nothing more. Returns once that is sure.
  func stop() async {
    isStopping.withLock { $0 = true }
    taken.signal()
    var byte: UInt8 = 0
    _ = write(stopPipe.write, &byte, 1)
    await isDone.wait { $0 }
  }

  private func run(_ onKey: (Key?) -> Void) {
    var decoder = KeyDecoder()
    while !isStopping.withLock({ $0 }) {
      var waiting = [
        pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        pollfd(fd: stopPipe.read, events: Int16(POLLIN), revents: 0),
      ]
      let count = poll(&waiting, 2, decoder.isWaiting ? Self.escapeTime : -1)
      if count < 0 && errno != EINTR { return onKey(nil) }
      if count < 0 || waiting[1].revents != 0 { continue }
      var key: Key?
      if count == 0 {
        key = decoder.timeOut()
      } else {
        var byte: UInt8 = 0
        let length = read(STDIN_FILENO, &byte, 1)
        if length == 0 || (length < 0 && errno != EINTR && errno != EAGAIN) { return onKey(nil) }
        if length == 1 { key = decoder.decode(byte) }
      }
      if let key {
        onKey(key)
        taken.wait()
      }
    }
  }
}
