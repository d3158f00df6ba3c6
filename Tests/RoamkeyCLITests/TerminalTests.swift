import Foundation
import TestSupport
import Testing

/// `connect` and `servers`, and `key`, on a terminal: stories in Tests/Terminal, which have a terminal of their own.
@Suite(.realTime, .timeLimit(.minutes(10))) struct TerminalTests {
  @Test(.enabled("needs Python 3") { Tree.python != nil }) func thePickerOnATerminal() async throws {
    try await run("picker_test.py")
  }

  @Test(.enabled("needs Python 3") { Tree.python != nil }) func secretsOnATerminal() async throws {
    try await run("key_test.py")
  }

  private func run(_ name: String) async throws {
    let scratch = try Scratch()
    let story = Process()
    story.executableURL = URL(fileURLWithPath: try #require(Tree.python))
    story.arguments = [Tree.path("Tests/Terminal/\(name)"), Command.executable]
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
