import Foundation
import TestSupport
import Testing

/// `roamkey key`: words, restore, derive. Hand-overs are in `HandoverCommandTests`; what a terminal sees and does not see
/// is in Tests/Terminal/key_test.py.
@Suite(.realTime, .timeLimit(.minutes(40))) struct KeyCareTests {
  private static func restore(_ words: String, _ options: String..., in scratch: Scratch) async throws -> (
    code: Int32, out: String, err: String
  ) {
    let command = try Command(["key", "restore"] + options, in: scratch)
    try command.write(words)
    try command.endInput()
    return (try await command.exitCode(), command.output, command.errors)
  }

  @Test func wordsBringTheKeyBack() async throws {
    let scratch = try Scratch()
    let id = try await makeKey("a.pem", in: scratch)
    let words = try await Command.run("key", "words", "a.pem", "--pipe", in: scratch)
    #expect(words.code == 0)
    #expect(words.out.split(separator: " ").count == 24)
    let back = try await Self.restore(words.out, "--out", "b.pem", in: scratch)
    #expect(back.code == 0, "\(back.err)")
    #expect(back.out.hasPrefix(id + "\n"))
    #expect(scratch.read("b.pem") == scratch.read("a.pem"))
    #expect(scratch.read("b.pub.pem") == scratch.read("a.pub.pem"))
    #expect(try scratch.mode("b.pem") == 0o600 && scratch.mode("b.pub.pem") == 0o644)
    // Four letters of each will do, with numbers, on lines.
    let short = words.out.split(separator: " ").enumerated().map { "\($0 + 1). \($1.prefix(4).uppercased())" }
    #expect(try await Self.restore(short.joined(separator: "\n"), "--out", "c.pem", in: scratch).code == 0)
    #expect(scratch.read("c.pem") == scratch.read("a.pem"))
  }

  @Test func wordsAreNotGivenAway() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let refused = try await Command.run("key", "words", "a.pem", in: scratch)
    #expect(refused.code == 64)
    #expect(refused.out.isEmpty)
    #expect(refused.err.contains("--out"))
    let words = try await Command.run("key", "words", "a.pem", "--pipe", in: scratch).out
    let written = try await Command.run("key", "words", "a.pem", "--out", "words", in: scratch)
    #expect(written.code == 0 && written.out.isEmpty)
    #expect(try scratch.mode("words") == 0o600)
    for word in words.split(whereSeparator: \.isWhitespace) {
      #expect(scratch.read("words")?.contains(word) == true)
      #expect(!written.err.split(separator: " ").contains(word))
    }
    #expect(try await Command.run("key", "words", "a.pem", "--out", "words", in: scratch).code == 1)
    #expect(try await Command.run("key", "words", "a.pem", "--out", "words", "--force", in: scratch).code == 0)
    let restored = try await Command.run("key", "restore", "--words-file", "words", "--out", "b.pem", in: scratch)
    #expect(restored.code == 0)
    #expect(scratch.read("b.pem") == scratch.read("a.pem"))
    // A file of words is a secret like a key file.
    try scratch.write(words, to: "open", mode: 0o644)
    let open = try await Command.run("key", "restore", "--words-file", "open", "--out", "c.pem", in: scratch)
    #expect(open.code == 1 && open.err.contains("chmod 600 open"))
    #expect(try await Command.run("key", "words", "a.pub.pem", "--pipe", in: scratch).code == 1)
  }

  @Test func wrongWordsAreToldByNumber() async throws {
    let scratch = try Scratch()
    let good = Array(repeating: "abandon", count: 23) + ["art"]
    var unknown = good
    unknown[4] = "abandom"
    for (words, expected) in [
      (unknown, "Word 5 is not on the list"), (Array(good.dropLast()), "There are 23 words"),
      (good.dropLast() + ["zoo"], "do not belong together"), ([], "There are 0 words"),
    ] {
      let back = try await Self.restore(words.joined(separator: " "), "--out", "a.pem", in: scratch)
      #expect(back.code == 1)
      #expect(back.err.contains(expected))
      #expect(back.err.split(separator: "\n").count == 1)
      // Not even a wrong word is repeated.
      #expect(!back.err.contains("abando"))
      #expect(scratch.read("a.pem") == nil)
    }
    let long = String(repeating: "zoo ", count: 5000)
    #expect(try await Self.restore(long, "--out", "a.pem", in: scratch).code == 1)
    #expect(try await Self.restore(good.joined(separator: " "), "--out", "a.pem", in: scratch).code == 0)
  }

  @Test func restoreOverwritesNothing() async throws {
    let scratch = try Scratch()
    let id = try await makeKey("a.pem", in: scratch)
    let before = scratch.read("a.pem")
    let good = (Array(repeating: "abandon", count: 23) + ["art"]).joined(separator: " ")
    let refused = try await Self.restore(good, "--out", "a.pem", in: scratch)
    #expect(refused.code == 1 && refused.err.contains("a.pem exists already"))
    #expect(scratch.read("a.pem") == before)
    let forced = try await Self.restore(good, "--out", "a.pem", "--force", in: scratch)
    #expect(forced.code == 0 && !forced.out.contains(id))
    #expect(scratch.read("a.pem") != before)
  }

  @Test func passphrasesAreKept() async throws {
    let scratch = try Scratch()
    try scratch.write("correct horse\n", to: "phrase")
    try scratch.write("battery staple\n", to: "other")
    #expect(
      try await Command.run("keygen", "--out", "a.pem", "--passphrase-file", "phrase", in: scratch).code == 0)
    let without = try await Command.run("key", "words", "a.pem", "--pipe", in: scratch)
    #expect(without.code == 1 && without.err.contains("--passphrase-file"))
    let words = try await Command.run("key", "words", "a.pem", "--pipe", "--passphrase-file", "phrase", in: scratch)
    #expect(words.code == 0)
    let back = try await Self.restore(words.out, "--out", "b.pem", "--passphrase-file", "other", in: scratch)
    #expect(back.code == 0)
    // A child and a new key are protected as what they come from, unless another passphrase is named.
    for (arguments, phrase) in [
      (["derive", "--root", "a.pem", "--app", "x", "--out", "c.pem", "--passphrase-file", "phrase"], "phrase"),
      (
        [
          "derive", "--root", "a.pem", "--app", "x", "--out", "d.pem", "--passphrase-file", "phrase",
          "--new-passphrase-file", "other",
        ], "other"
      ),
      (["rotate", "--key", "a.pem", "--out", "e.pem", "--passphrase-file", "phrase"], "phrase"),
    ] {
      let made = try Command(["key"] + arguments, in: scratch)
      try made.endInput()
      #expect(try await made.exitCode() == 0, "\(made.errors)")
      let out = try #require(arguments.firstIndex(of: "--out").map { arguments[$0 + 1] })
      #expect(scratch.read(out)?.contains("ROAMKEY ENCRYPTED PRIVATE KEY") == true)
      let opened = try await Command.run("key", "words", out, "--pipe", "--passphrase-file", phrase, in: scratch)
      #expect(opened.code == 0)
    }
    #expect(try await Command.run("id", "c.pem", in: scratch).out == Command.run("id", "d.pem", in: scratch).out)
  }

  @Test func eachApplicationHasItsKey() async throws {
    let scratch = try Scratch()
    let root = try await makeKey("root.pem", in: scratch)
    func child(_ app: String, _ options: String...) async throws -> String {
      let command = try Command(["key", "derive", "--root", "root.pem", "--app", app] + options, in: scratch)
      try command.endInput()
      #expect(try await command.exitCode() == 0, "\(command.errors)")
      return try #require(command.output.split(separator: "\n").first.map(String.init))
    }
    let galaxy = try await child("galaxy/1")
    #expect(try await child("galaxy/1", "--out", "g.pem") == galaxy)
    #expect(try await Command.run("id", "g.pem", in: scratch).out.hasPrefix(galaxy))
    #expect(try await Set([root, galaxy, child("galaxy/2"), child("galaxy/1", "--number", "1")]).count == 4)
    #expect(try await Command.run("key", "derive", "--root", "root.pem", "--app", "", in: scratch).code == 64)
    let again = try await Command.run(
      "key", "derive", "--root", "root.pem", "--app", "galaxy/1", "--out", "g.pem", in: scratch)
    #expect(again.code == 1 && again.err.contains("g.pem exists already"))
  }

  /// A player of `--root` is the key of the application; `--key` stays what it was.
  @Test func connectPlaysWithTheKeyOfItsApplication() async throws {
    let scratch = try Scratch()
    let root = try await makeKey("root.pem", in: scratch)
    let host = try await Host(["--app", "galaxy/1"], in: scratch)
    for options in [["--root", "root.pem"], ["--key", "root.pem"]] {
      let player = try Command(["connect", host.address, "--app", "galaxy/1"] + options, in: scratch)
      try player.endInput()
      #expect(try await player.exitCode() == 0, "\(player.errors)")
    }
    let child = try await Command.run("key", "derive", "--root", "root.pem", "--app", "galaxy/1", in: scratch)
    let joined = host.command.events("joined").compactMap { $0["player"] as? String }
    #expect(joined == [try #require(child.out.split(separator: "\n").first.map(String.init)), root])
    #expect(scratch.read("known_servers")?.contains(host.id) == true)
    #expect(
      try await Command.run("connect", host.address, "--root", "root.pem", "--key", "root.pem", in: scratch).code == 64)
    #expect(try await host.stop() == 0)
  }
}
