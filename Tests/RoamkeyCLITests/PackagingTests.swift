import Foundation
import TestSupport
import Testing

@testable import RoamkeyCLI

/// What is packaged says what the command is.
@Suite(.realTime) struct PackagingTests {
  /// Where there is no Python nobody has changed the pages either.
  @Test(.enabled("needs Python 3") { Tree.python != nil }) func manualPagesAreUpToDate() async throws {
    let check = Process()
    let output = Pipe()
    check.executableURL = URL(fileURLWithPath: try #require(Tree.python))
    check.arguments = [Tree.path("scripts/manual.py"), "--check", Command.executable]
    check.standardError = output
    try Command.starting.withLock { try check.run() }
    try await eventually("the end of the check") { check.isRunning ? nil : true }
    let said = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    #expect(check.terminationStatus == 0, "\(said)")
  }

  @Test func theVersionIsTheNewestOfTheChangelog() throws {
    let changelog = try String(contentsOfFile: Tree.path("CHANGELOG.md"), encoding: .utf8)
    let heading = changelog.split(separator: "\n").first { $0.hasPrefix("## [") && !$0.hasPrefix("## [Unreleased]") }
    #expect(try #require(heading).hasPrefix("## [\(Version.text)] - "))
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func shellsGetCompletions(_ shell: String) async throws {
    let made = try await Command.run("--generate-completion-script", shell, in: try Scratch())
    #expect(made.code == 0)
    for word in ["keygen", "serve", "connect", "passphrase-file"] { #expect(made.out.contains(word)) }
  }
}
