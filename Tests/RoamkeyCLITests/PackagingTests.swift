import Foundation
import TestSupport
import Testing

@testable import RoamkeyCLI

/// What is packaged says what the command is.
@Suite(.realTime) struct PackagingTests {
  private static let tree = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Where there is no Python nobody has changed the pages either.
  private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  @Test(.enabled("needs Python 3") { PackagingTests.python != nil }) func manualPagesAreUpToDate() async throws {
    let check = Process()
    let output = Pipe()
    check.executableURL = URL(fileURLWithPath: try #require(Self.python))
    check.arguments = [Self.tree.appendingPathComponent("scripts/manual.py").path, "--check", Command.executable]
    check.standardError = output
    try Command.starting.withLock { try check.run() }
    try await eventually("the end of the check") { check.isRunning ? nil : true }
    let said = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    #expect(check.terminationStatus == 0, "\(said)")
  }

  @Test func theVersionIsTheNewestOfTheChangelog() throws {
    let changelog = try String(contentsOf: Self.tree.appendingPathComponent("CHANGELOG.md"), encoding: .utf8)
    let heading = changelog.split(separator: "\n").first { $0.hasPrefix("## [") && !$0.hasPrefix("## [Unreleased]") }
    #expect(try #require(heading).hasPrefix("## [\(Version.text)] - "))
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func shellsGetCompletions(_ shell: String) async throws {
    let made = try await Command.run("--generate-completion-script", shell, in: try Scratch())
    #expect(made.code == 0)
    for word in ["keygen", "serve", "connect", "passphrase-file"] { #expect(made.out.contains(word)) }
  }
}
