import Foundation
import TestSupport
import Testing

/// `keygen` and `id`.
@Suite(.realTime, .timeLimit(.minutes(40))) struct KeyCommandTests {
  @Test func keygenWritesBothFilesAndNeverOverThem() async throws {
    let scratch = try Scratch()
    let first = try await Command.run("keygen", in: scratch)
    #expect(first.code == 0)
    let lines = first.out.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.hasPrefix("rk1") == true && lines.first?.count == 61)
    #expect(lines.last?.split(separator: "-").count == 6)
    #expect(try scratch.mode("keys/player.pem") == 0o600)
    #expect(try scratch.mode("keys/player.pub.pem") == 0o644)
    let key = scratch.read("keys/player.pem")

    let second = try await Command.run("keygen", in: scratch)
    #expect(second.code == 1)
    #expect(second.out.isEmpty)
    #expect(second.err.contains("keys/player.pem exists already"))
    #expect(second.err.split(separator: "\n").count == 1)
    #expect(scratch.read("keys/player.pem") == key)

    #expect(try await Command.run("keygen", "--force", in: scratch).code == 0)
    #expect(scratch.read("keys/player.pem") != key)
  }

  @Test func aPublicKeyIsNotOverwrittenEither() async throws {
    let scratch = try Scratch()
    try scratch.write("mine", to: "a.pub.pem")
    let made = try await Command.run("keygen", "--out", "a.pem", in: scratch)
    #expect(made.code == 1)
    #expect(made.err.contains("a.pub.pem"))
    #expect(scratch.read("a.pem") == nil)
    #expect(scratch.read("a.pub.pem") == "mine")
  }

  @Test func forceReplacesFilesOnly() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let key = scratch.read("a.pem")
    // The public key cannot be written: the private one stays.
    try FileManager.default.removeItem(atPath: scratch.file("a.pub.pem"))
    try FileManager.default.createDirectory(atPath: scratch.file("a.pub.pem"), withIntermediateDirectories: false)
    #expect(mkfifo(scratch.file("pipe"), 0o600) == 0)
    for (out, found) in [("a.pem", "a.pub.pem"), ("pipe", "pipe")] {
      let made = try await Command.run("keygen", "--force", "--out", out, in: scratch)
      #expect(made.code == 1)
      #expect(made.out.isEmpty)
      #expect(made.err == "roamkey: \(found) is not a file and was left as it is: choose another --out\n")
    }
    #expect(scratch.read("a.pem") == key)
    #expect(scratch.read("pipe.pub.pem") == nil)
  }

  @Test func anAnswerThatIsLostIsAFailure() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Command.executable)
    process.arguments = ["id", scratch.file("a.pem")]
    let full: FileHandle = try #require(FileHandle(forWritingAtPath: "/dev/full"))
    process.standardOutput = full
    process.standardError = FileHandle.nullDevice
    try Command.starting.withLock { try process.run() }
    try await eventually("the end of the command") { process.isRunning ? nil : true }
    #expect(process.terminationStatus == 1)
  }

  @Test func idSaysTheSameOfBothFiles() async throws {
    let scratch = try Scratch()
    let made = try await Command.run("keygen", "--out", "a.pem", in: scratch)
    #expect(try await Command.run("id", "a.pem", in: scratch).out == made.out)
    #expect(try await Command.run("id", "a.pub.pem", in: scratch).out == made.out)
  }

  @Test func aPassphraseProtectsTheKey() async throws {
    let scratch = try Scratch()
    try scratch.write("correct horse\n", to: "phrase")
    let made = try await Command.run("keygen", "--out", "a.pem", "--passphrase-file", "phrase", in: scratch)
    #expect(made.code == 0)
    // Whose key it is can be told without it, but nobody can play with it.
    #expect(try await Command.run("id", "a.pem", in: scratch).out == made.out)
    let without = try await Command.run("connect", "127.0.0.1:1", "--key", "a.pem", in: scratch)
    #expect(without.code == 1)
    #expect(without.err.contains("--passphrase-file"))
    try scratch.write("\n", to: "empty")
    for (file, words) in [("none", "no passphrase file none"), ("empty", "first line of empty is empty")] {
      let wrong = try await Command.run("serve", "--key", "a.pem", "--passphrase-file", file, in: scratch)
      #expect(wrong.code == 1)
      #expect(wrong.err.contains(words))
    }
    let host = try await Host(["--key", "a.pem", "--passphrase-file", "phrase"], in: scratch)
    #expect(host.id == made.out.split(separator: "\n").first.map(String.init))
    #expect(try await host.stop() == 0)
  }

  @Test func badKeyFilesAreRefusedInOneSentence() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    try scratch.write(try #require(scratch.read("a.pem")), to: "open.pem", mode: 0o644)
    try scratch.write("-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n", to: "corrupt.pem")
    for (file, words) in [("open.pem", "chmod 600 open.pem"), ("corrupt.pem", "damaged"), ("none.pem", "no file")] {
      for arguments in [["id", file], ["serve", "--key", file], ["connect", "127.0.0.1:1", "--key", file]] {
        let command = try Command(arguments, in: scratch)
        try command.endInput()
        #expect(try await command.exitCode() == 1)
        #expect(command.errors.contains(words))
        #expect(command.errors.split(separator: "\n").count == 1)
        #expect(command.output.isEmpty)
      }
    }
    #expect(scratch.read("none.pem") == nil)
  }

  @Test(arguments: [
    ["bogus"], ["id"], ["connect"], ["connect", "localhost", "--server", "rk1foo"],
    ["connect", "localhost", "--delivery", "pigeon"], ["serve", "--bogus"], ["keygen", "--out"],
  ])
  func usageMistakesExitWith64(_ arguments: [String]) async throws {
    let scratch = try Scratch()
    let command = try Command(arguments, in: scratch)
    try command.endInput()
    #expect(try await command.exitCode() == 64)
    #expect(command.output.isEmpty)
    #expect(scratch.read("keys/player.pem") == nil)
  }
}
