internal import Glibc

/// A line on standard error that moves while something is measured, where that is a terminal.
struct BenchProgress: Sendable {
  let isOn: Bool

  private static let width = 20
  private static let step: Duration = .milliseconds(100)

  /// Runs `work`, which takes about as long as `expected`.
  func show<R>(_ label: String, for expected: Duration, _ work: () async -> R) async -> R {
    guard isOn else { return await work() }
    let start = ContinuousClock.now
    let ticking = Task {
      repeat {
        Self.write("\r\u{1b}[K" + Self.line(label, ContinuousClock.now - start, of: expected))
      } while (try? await Task.sleep(for: Self.step)) != nil
      Self.write("\r\u{1b}[K")
    }
    let result = await work()
    ticking.cancel()
    // The line is gone before the next one is printed.
    await ticking.value
    return result
  }

  static func line(_ label: String, _ elapsed: Duration, of expected: Duration) -> String {
    let share = expected > .zero ? min(1, max(0, elapsed / expected)) : 1
    let done = Int(share * Double(width))
    let bar = String(repeating: "#", count: done) + String(repeating: ".", count: width - done)
    let late = elapsed > expected + .seconds(1) ? ", waiting for the server" : ""
    return "  \(label.padded(to: 20))[\(bar)] \(BenchText.time(elapsed))\(late)"
  }

  /// For a terminal; what it does not take is of no use later.
  private static func write(_ text: String) { _ = Glibc.write(STDERR_FILENO, text, text.utf8.count) }
}
