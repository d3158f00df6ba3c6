internal import Glibc
internal import Roamkey
internal import RoamkeyTerminal

/// The lines of a descriptor, read on a thread of its own, no faster than they are taken.
///
/// A batch at a time: the thread reads on when the batch before was taken, so what waits is bounded by one read and one
/// line, however much is piped in.
final class LineSource: Sendable {
  /// A line without its line end.
  enum Line: Sendable, Equatable {
    case bytes([UInt8])
    /// Longer than the limit; the rest of it was skipped.
    case tooLong(number: Int)
  }

  private struct State: Sendable {
    var batch: [Line] = []
    var isFinished = false
  }

  private let monitor = Monitor(State())
  private let taken = Semaphore()

  /// Begins to read.
  /// - Parameter maximumLength: of a line in bytes.
  init(descriptor: CInt, maximumLength: Int) {
    let (monitor, taken) = (monitor, taken)
    runOnOwnThread {
      var splitter = LineSplitter(maximumLength: maximumLength)
      var chunk = [UInt8](repeating: 0, count: 64 << 10)
      while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0 && errno == EINTR { continue }
        let isLast = count <= 0
        let lines = isLast ? splitter.finish() : splitter.split(chunk[..<count])
        monitor.withLock { state in
          state.batch = lines
          state.isFinished = isLast
        }
        if isLast { return }
        if !lines.isEmpty { taken.wait() }
      }
    }
  }

  /// The next lines, in order; nil at the end of the input, or when the task was cancelled.
  func next() async -> [Line]? {
    await monitor.wait { !$0.batch.isEmpty || $0.isFinished }
    let lines = monitor.withLock { state -> [Line] in
      defer { state.batch = [] }
      return state.batch
    }
    guard !lines.isEmpty else { return nil }
    taken.signal()
    return lines
  }
}

/// Cuts bytes into lines at each line feed.
struct LineSplitter {
  let maximumLength: Int
  private var begun: [UInt8] = []
  private var number = 1
  /// The line is too long already, and is skipped to its end.
  private var skips = false

  init(maximumLength: Int) { self.maximumLength = maximumLength }

  /// The lines that end in `bytes`; the rest is kept for the next time.
  mutating func split(_ bytes: ArraySlice<UInt8>) -> [LineSource.Line] {
    var lines: [LineSource.Line] = []
    var rest = bytes
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      add(rest[..<end])
      lines.append(takeLine())
      rest = rest[(end + 1)...]
    }
    add(rest)
    return lines
  }

  /// The last line, where no line feed ended it.
  mutating func finish() -> [LineSource.Line] { begun.isEmpty && !skips ? [] : [takeLine()] }

  private mutating func add(_ bytes: ArraySlice<UInt8>) {
    if skips { return }
    if begun.count + bytes.count > maximumLength {
      skips = true
      begun = []
    } else {
      begun += bytes
    }
  }

  private mutating func takeLine() -> LineSource.Line {
    defer {
      begun = []
      skips = false
      number += 1
    }
    return skips ? .tooLong(number: number) : .bytes(begun)
  }
}
