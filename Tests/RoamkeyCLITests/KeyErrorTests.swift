import Foundation
import TestSupport
import Testing

/// What `roamkey key` says when something is in the way: it has to fit the command.
@Suite(.realTime, .timeLimit(.minutes(40))) struct KeyErrorTests {
  private static let words = Array(repeating: "abandon", count: 23) + ["art"]

  /// `rotate` never overwrites, and has no option for it.
  @Test func rotateAdvisesWhatItHas() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    _ = try await makeKey("a.2.pem", in: scratch)
    try scratch.write("mine", to: "b.handover")
    try FileManager.default.createDirectory(atPath: scratch.file("folder"), withIntermediateDirectories: true)
    for (options, advice) in [
      ([], "a.2.pem exists already and was left as it is: choose another --out, or hand over to it with --to"),
      (["--out", "b.pem"], "b.handover exists already and was left as it is: choose another --handover"),
      (
        ["--to", "a.2.pem", "--handover", "folder"],
        "folder exists already and was left as it is: choose another --handover"
      ),
    ] {
      let command = try Command(["key", "rotate", "--key", "a.pem"] + options, in: scratch)
      try command.endInput()
      #expect(try await command.exitCode() == 1)
      #expect(command.errors.contains(advice) && !command.errors.contains("--force"), "\(command.errors)")
    }
    #expect(scratch.read("b.pem") == nil)
  }

  /// The new key is not made again where only its statement could not be written.
  @Test func rotateGoesOnWithTheNewKey() async throws {
    let scratch = try Scratch()
    let old = try await makeKey("a.pem", in: scratch)
    // Below a file there is no place, which shows when it is written.
    let failed = try await Command.run(
      "key", "rotate", "--key", "a.pem", "--out", "b.pem", "--handover", "a.pem/x", in: scratch)
    #expect(failed.code == 1)
    #expect(failed.err.contains("a.pem/x cannot be written") && failed.err.contains("again with --to b.pem"))
    let new = try #require(failed.out.split(separator: "\n").first)
    let again = try await Command.run(
      "key", "rotate", "--key", "a.pem", "--to", "b.pem", "--handover", "x", in: scratch)
    #expect(again.code == 0, "\(again.err)")
    #expect(try await Command.run("key", "handover", "x", in: scratch).out.hasPrefix("\(old) -> \(new) "))
  }

  /// Nobody types 24 words for nothing.
  @Test func restoreLooksForThePassphraseFirst() async throws {
    let scratch = try Scratch()
    let command = try Command(["key", "restore", "--out", "a.pem", "--passphrase-file", "typo"], in: scratch)
    // Standard input stays open, and nothing is typed.
    #expect(try await command.exitCode() == 1)
    #expect(command.errors.contains("There is no passphrase file typo: check the path"))
    #expect(scratch.read("a.pem") == nil)
  }

  /// A file that should hold no key is not looked for among the keys.
  @Test func filesThatAreNoKeysHaveTheirOwnSentences() async throws {
    let scratch = try Scratch()
    for (arguments, sentence) in [
      (["accept", "typo.handover"], "there is no file of hand-overs typo.handover: check the path"),
      (["handover", "typo.handover"], "there is no file of hand-overs typo.handover: check the path"),
      (["restore", "--words-file", "typo", "--out", "b.pem"], "There is no file of words typo: check the path"),
    ] {
      let command = try Command(["key"] + arguments, in: scratch)
      try command.endInput()
      #expect(try await command.exitCode() == 1)
      #expect(command.errors.contains(sentence) && !command.errors.contains("keygen"), "\(command.errors)")
    }
    try scratch.write(String(repeating: "\n", count: 17 << 10) + Self.words.joined(separator: " "), to: "large")
    let large = try await Command.run("key", "restore", "--words-file", "large", "--out", "b.pem", in: scratch)
    #expect(large.code == 1 && large.err.contains("which no file of words is"))
  }

  /// What was accepted in years can be shown, and carried to another place, as one file; around it may stand what is no
  /// UTF-8.
  @Test func manyHandoversAreOneFile() async throws {
    let scratch = try Scratch()
    let old = try await makeKey("a.pem", in: scratch)
    _ = try await Command.run("key", "rotate", "--key", "a.pem", in: scratch)
    let one = try #require(scratch.read("a.2.handover"))
    var bytes = Data([0x41, 0xE4, 0xFF, 0x0A])
    for _ in 0..<100 { bytes += Data(one.utf8) }
    #expect(bytes.count > 32 << 10)
    try bytes.write(to: URL(fileURLWithPath: scratch.file("accepted_handovers.old")))
    let shown = try await Command.run("key", "handover", "accepted_handovers.old", in: scratch)
    #expect(shown.code == 0 && shown.out.split(separator: "\n").count == 100, "\(shown.err)")
    let accepted = try await Command.run("key", "accept", "accepted_handovers.old", "--deny", "deny", in: scratch)
    #expect(accepted.code == 0, "\(accepted.err)")
    #expect(scratch.read("deny")?.hasPrefix(old) == true && scratch.read("accepted_handovers") == one)
  }
}
