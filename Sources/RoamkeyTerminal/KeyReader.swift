internal import Glibc
internal import Roamkey

/// Reads keys from standard input, on a thread of its own, one at a time: what is typed behind the key that ends it all
/// is left for whoever reads next.
public final class KeyReader: Sendable {
  private let taken = Semaphore()
  private let isStopping = Locked(false)
  private let isDone = Monitor(false)
  private let stopPipe: (read: CInt, write: CInt)

  /// How long an Escape may be the beginning of something longer, in milliseconds: more than bytes of a key are apart,
  /// even over a slow line, and less than a person notices.
  private static let escapeTime: CInt = 60

  /// Begins to read.
  /// - Parameter onKey: is told each key, and nil at the end of the input; the next one is not read before `next()`.
  public init(onKey: @escaping @Sendable (Key?) -> Void) {
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
  public func next() { taken.signal() }

  /// Reads nothing more. Returns once that is sure.
  public func stop() async {
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

/// Keys that are read ahead, for a program that looks once a frame.
public final class KeyQueue: Sendable {
  private struct State: Sendable {
    var keys: [Key] = []
    var reader: KeyReader?
    var isAtEnd = false
  }

  /// What is typed faster than anybody looks is let go: a stuck key must not fill the memory.
  private static let limit = 4096

  private let state: Locked<State>

  /// Begins to read from standard input.
  public init() {
    let state = Locked(State())
    self.state = state
    // The reader waits for `next()` after each key, so none is lost before it is known here.
    let reader = KeyReader { key in
      let reader = state.withLock { state -> KeyReader? in
        if let key {
          if state.keys.count < Self.limit { state.keys.append(key) }
        } else {
          state.isAtEnd = true
        }
        return state.reader
      }
      reader?.next()
    }
    state.withLock { $0.reader = reader }
    reader.next()
  }

  /// Those that have come since the last call.
  public func take() -> [Key] {
    state.withLock { state in
      defer { state.keys.removeAll(keepingCapacity: true) }
      return state.keys
    }
  }

  /// Whether the terminal has gone.
  public var isAtEnd: Bool { state.withLock { $0.isAtEnd } }

  /// Reads nothing more. Returns once that is sure.
  public func stop() async {
    let reader = state.withLock { state in
      defer { state.reader = nil }
      return state.reader
    }
    await reader?.stop()
  }
}
