import Foundation
import TestSupport
import Testing

/// `connect` and `servers` on a terminal: Tests/Terminal/picker_test.py, which has a terminal of its own.
@Suite(.realTime, .timeLimit(.minutes(10))) struct TerminalTests {
  @Test(.enabled("needs Python 3") { Tree.python != nil }) func thePickerOnATerminal() async throws {
    let scratch = try Scratch()
    let story = Process()
    story.executableURL = URL(fileURLWithPath: try #require(Tree.python))
    story.arguments = [Tree.path("Tests/Terminal/picker_test.py"), Command.executable]
    // No compiled modules beside the sources.
    story.environment = ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
    try scratch.write("", to: "log")
    let log = try #require(FileHandle(forWritingAtPath: scratch.file("log")))
    (story.standardOutput, story.standardError) = (log, log)
    try Command.starting.withLock { try story.run() }
    try await eventually("the end of the story", within: .seconds(480)) { story.isRunning ? nil : true }
    #expect(story.terminationStatus == 0, "\(scratch.read("log") ?? "")")
  }
}

/// Files of this tree, and what reads them.
enum Tree {
  static func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(name).path
  }

  static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }
}
