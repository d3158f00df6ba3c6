import Foundation
import TestSupport
import Testing

/// `roamkey key rotate`, `handover`, `accept`.
@Suite(.realTime, .timeLimit(.minutes(40))) struct HandoverCommandTests {
  /// Hands over, and tells the new id.
  private func rotate(_ key: String, to new: String, in scratch: Scratch) async throws -> String {
    let made = try await Command.run("key", "rotate", "--key", key, "--out", new, in: scratch)
    try #require(made.code == 0, "\(made.err)")
    return try #require(made.out.split(separator: "\n").first.map(String.init))
  }

  @Test func rotateMakesAKeyAndKeepsTheOld() async throws {
    let scratch = try Scratch()
    let old = try await makeKey("a.pem", in: scratch)
    let before = scratch.read("a.pem")
    let made = try await Command.run("key", "rotate", "--key", "a.pem", in: scratch)
    #expect(made.code == 0)
    let new = try #require(made.out.split(separator: "\n").first.map(String.init))
    #expect(scratch.read("a.pem") == before)
    #expect(try scratch.mode("a.2.pem") == 0o600 && scratch.mode("a.2.handover") == 0o644)
    #expect(try await Command.run("id", "a.2.pem", in: scratch).out == made.out)
    let shown = try await Command.run("key", "handover", "a.2.handover", in: scratch)
    #expect(shown.code == 0)
    #expect(shown.out.hasPrefix("\(old) -> \(new)  20"))
    #expect(shown.out.hasSuffix("Z\n"))
    // Nothing is ever overwritten, and the next one has the next number.
    let again = try await Command.run("key", "rotate", "--key", "a.pem", in: scratch)
    #expect(again.code == 1 && again.err.contains("a.2.pem exists already"))
    #expect(try await Command.run("key", "rotate", "--key", "a.2.pem", in: scratch).code == 0)
    #expect(scratch.read("a.3.pem") != nil)
    try scratch.write("mine", to: "b.handover")
    #expect(try await Command.run("key", "rotate", "--key", "a.pem", "--out", "b.pem", in: scratch).code == 1)
    #expect(scratch.read("b.pem") == nil)
  }

  @Test func anotherKeyMayTakeOver() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let other = try await makeKey("b.pem", in: scratch)
    let made = try await Command.run("key", "rotate", "--key", "a.pem", "--to", "b.pem", in: scratch)
    #expect(made.code == 0)
    #expect(made.out.hasPrefix(other))
    #expect(try await Command.run("key", "handover", "b.handover", in: scratch).out.contains("-> \(other)"))
    for wrong in [["--to", "a.pem"], ["--to", "none.pem"]] {
      let command = try Command(["key", "rotate", "--key", "a.pem", "--handover", "x"] + wrong, in: scratch)
      try command.endInput()
      #expect(try await command.exitCode() == 1)
    }
    #expect(scratch.read("x") == nil)
  }

  @Test func forgedHandoversAreRefused() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    _ = try await rotate("a.pem", to: "b.pem", in: scratch)
    let text = try #require(scratch.read("b.handover"))
    var lines = text.split(separator: "\n").map(String.init)
    lines[3] = String(lines[3].dropFirst(4)) + "AAAA"
    try scratch.write(lines.joined(separator: "\n"), to: "forged")
    try scratch.write("hello", to: "none")
    for (file, code, words) in [("forged", Int32(2), "FORGED"), ("none", 1, "no hand-over"), ("away", 1, "no file")] {
      for arguments in [["handover", file], ["accept", file], ["accept", file, "--deny", "deny"]] {
        let command = try Command(["key"] + arguments, in: scratch)
        try command.endInput()
        #expect(try await command.exitCode() == code)
        #expect(command.errors.contains(words))
        #expect(command.errors.split(separator: "\n").count == 1)
      }
    }
    #expect(scratch.read("deny") == nil)
  }

  /// A server with a new key is met without a word of alarm, once its hand-over was accepted.
  @Test func aClientAcceptsItsServersNewKey() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("me.pem", in: scratch)
    let host = try await Host(["--key", "s.pem"], making: "s.pem", in: scratch)
    #expect(try await Command.run("connect", host.address, "--key", "me.pem", in: scratch).code == 0)
    #expect(try await host.stop() == 0)
    let new = try await rotate("s.pem", to: "t.pem", in: scratch)
    let other = try await Host(["--key", "t.pem"], listen: host.address, in: scratch)
    #expect(other.id == new)
    let refused = try await Command.run("connect", host.address, "--key", "me.pem", in: scratch)
    #expect(refused.code == 2 && refused.err.contains("HAS CHANGED"))
    let accepted = try await Command.run("key", "accept", "t.handover", "--key", "me.pem", in: scratch)
    #expect(accepted.code == 0, "\(accepted.err)")
    #expect(
      accepted.out
        == "\(host.address) must have the key \(new) from now on: its old one, \(host.id), handed over to it\n")
    #expect(scratch.read("known_servers") == "\(host.address) \(new)\n")
    #expect(try await Command.run("connect", host.address, "--key", "me.pem", in: scratch).code == 0)
    #expect(try await other.stop() == 0)
    // The old key is refused from now on.
    let thief = try await Host(["--key", "s.pem"], listen: host.address, in: scratch)
    #expect(try await Command.run("connect", host.address, "--key", "me.pem", in: scratch).code == 2)
    #expect(try await thief.stop() == 0)
  }

  /// The thief of a server's key hands it over as well: the first one that was accepted stays.
  @Test func theFirstAcceptedStays() async throws {
    let scratch = try Scratch()
    let old = try await makeKey("s.pem", in: scratch)
    let stranger = try await makeKey("x.pem", in: scratch)
    let known = "one:7447 \(old)  # Ada's\n@ada's%20room \(old.uppercased())\nother:1 \(stranger)"
    try scratch.write(known, to: "known_servers", mode: 0o640)
    let right = try await rotate("s.pem", to: "right.pem", in: scratch)
    let wrong = try await rotate("s.pem", to: "wrong.pem", in: scratch)
    func accept(_ file: String) async throws -> (code: Int32, out: String, err: String) {
      try await Command.run("key", "accept", file, "--key", "me.pem", in: scratch)
    }
    #expect(try await accept("right.handover").code == 0)
    let expected = "one:7447 \(right)  # Ada's\n@ada's%20room \(right)\nother:1 \(stranger)"
    #expect(scratch.read("known_servers") == expected)
    #expect(try scratch.mode("known_servers") == 0o640)
    let refused = try await accept("wrong.handover")
    #expect(refused.code == 2)
    #expect(refused.err.contains("HAS HANDED OVER TWICE") && refused.err.contains(right) && refused.err.contains(wrong))
    #expect(scratch.read("known_servers") == expected)
    // Once more is once.
    let again = try await accept("right.handover")
    #expect(again.code == 0 && again.out.isEmpty && again.err.contains("accepted before"))
    // A chain in one file, whose first part was accepted.
    let newest = try await rotate("right.pem", to: "newest.pem", in: scratch)
    let chain = try #require(scratch.read("right.handover")) + #require(scratch.read("newest.handover"))
    try scratch.write(chain, to: "chain")
    #expect(try await accept("chain").code == 0)
    #expect(scratch.read("known_servers")?.contains("one:7447 \(newest)  # Ada's\n") == true)
    #expect(scratch.read("accepted_handovers")?.components(separatedBy: "BEGIN").count == 3)
    // And back is no way.
    #expect(
      try await Command.run("key", "rotate", "--key", "newest.pem", "--to", "s.pem", "--handover", "back", in: scratch)
        .code == 0)
    #expect(try await accept("back").code == 2)
  }

  @Test func whoIsNotKnownCannotBeReplaced() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let other = try await makeKey("b.pem", in: scratch)
    _ = try await rotate("a.pem", to: "c.pem", in: scratch)
    #expect(try await Command.run("key", "accept", "c.handover", "--key", "a.pem", in: scratch).code == 1)
    try scratch.write("one:7447 \(other)\n", to: "known_servers")
    try scratch.write("\(other)\n", to: "allow")
    for options in [["--key", "a.pem"], ["--list", "allow"], ["--list", "nowhere"]] {
      let command = try Command(["key", "accept", "c.handover"] + options, in: scratch)
      try command.endInput()
      #expect(try await command.exitCode() == 1)
    }
    #expect(scratch.read("known_servers") == "one:7447 \(other)\n" && scratch.read("allow") == "\(other)\n")
    // What was of no use was not accepted either.
    #expect(scratch.read("accepted_handovers") ?? "" == "")
    let both = try await Command.run("key", "accept", "c.handover", "--key", "a.pem", "--list", "allow", in: scratch)
    #expect(both.code == 64)
  }

  /// The whole way of a player whose key was stolen, while the server runs.
  @Test func aPlayersNewKeyTakesThePlaceInTheLists() async throws {
    let scratch = try Scratch()
    let (ada, ben) = (try await makeKey("ada.pem", in: scratch), try await makeKey("ben.pem", in: scratch))
    try scratch.write("\(ada)  # Ada\r\n\(ben)\n", to: "allow", mode: 0o664)
    try scratch.write("# nobody yet", to: "deny")
    let host = try await Host(["--allow", "allow", "--deny", "deny"], in: scratch)
    let thief = try Command(["connect", host.address, "--key", "ada.pem"], in: scratch)
    try await eventually("the thief to be in") { host.command.events("joined").first != nil ? true : nil }
    let new = try await rotate("ada.pem", to: "new.pem", in: scratch)
    let accepted = try await Command.run(
      "key", "accept", "new.handover", "--list", "allow", "--deny", "deny", in: scratch)
    #expect(accepted.code == 0, "\(accepted.err)")
    #expect(accepted.out.split(separator: "\n").count == 2)
    #expect(scratch.read("allow") == "\(new)  # Ada\r\n\(ben)\n")
    #expect(try scratch.mode("allow") == 0o664)
    #expect(scratch.read("deny") == "# nobody yet\n\(ada)  # handed over to \(new)\n")
    #expect(try await thief.exitCode() == 2)
    #expect(thief.errors.contains("put this player out: banned"))
    #expect(try await Command.run("connect", host.address, "--key", "ada.pem", in: scratch).code == 2)
    #expect(try await Command.run("connect", host.address, "--key", "new.pem", in: scratch).code == 0)
    #expect(try await host.stop() == 0)
  }
}
