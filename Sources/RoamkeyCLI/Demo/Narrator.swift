internal import Glibc
internal import RoamkeyTerminal

/// Tells the story in short lines, with time to read them where somebody watches.
struct Narrator: Sendable {
  let pauses: Bool
  private let isTerminal = isatty(STDOUT_FILENO) == 1

  init(pauses: Bool) { self.pauses = pauses }

  /// What the next lines are about.
  func heading(_ text: String) async {
    Console.print("")
    Console.print(isTerminal ? "\u{1b}[1m\(text)\u{1b}[0m" : text)
    await pause(.milliseconds(500))
  }

  /// What somebody does or says.
  func line(_ who: String, _ text: String, pause duration: Duration = .milliseconds(350)) async {
    Console.print("  \(who.padded(to: 9))\(text)")
    await pause(duration)
  }

  /// A line that explains.
  func remark(_ text: String) async { await line("", text, pause: .milliseconds(500)) }

  func pause(_ duration: Duration) async {
    if pauses { try? await Task.sleep(for: duration) }
  }
}

extension String {
  /// With spaces behind it.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

  /// With spaces before it.
  func rightAligned(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
