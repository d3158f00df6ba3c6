import Foundation
import TestSupport
import Testing

/// The built `roamkey bench`.
@Suite(.realTime, .timeLimit(.minutes(40))) struct BenchCommandTests {
  /// A bench server on a free port, and its id.
  private func listen(_ options: [String] = [], in scratch: Scratch) async throws -> (Command, String, String) {
    let command = try Command(["bench", "--listen", "127.0.0.1:0", "--json"] + options, in: scratch)
    let event = try await eventually("the server to listen") { command.events("listening").first }
    return (command, try #require(event["address"] as? String), try #require(event["server"] as? String))
  }

  @Test func overLoopback() async throws {
    let scratch = try Scratch()
    let bench = try await Command.run("bench", "--seconds", "0.1", "--policy", "signed", in: scratch)
    #expect(bench.code == 0, "\(bench.err)")
    let lines = bench.out.split(separator: "\n")
    for title in ["connect", "round trip", "reliable", "unreliable", "bulk"] {
      #expect(lines.count { $0.hasPrefix("  \(title) ") } == 1, "\(title): \(bench.out)")
    }
    // Progress is for terminals, and no key is left behind.
    #expect(bench.err.isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).isEmpty)
  }

  @Test func everyStoryIsALineOfJSON() async throws {
    let scratch = try Scratch()
    let command = try Command(["bench", "--seconds", "0.1", "--json"], in: scratch)
    #expect(try await command.exitCode() == 0)
    let stories = command.events("story")
    #expect(stories.count == 10)
    #expect(command.output.split(separator: "\n").count == 11)
    #expect(stories.compactMap { $0["policy"] as? String }.filter { $0 == "sealed" }.count == 5)
    for story in stories {
      switch story["story"] as? String {
      case "connect", "roundtrip": #expect(try #require(story["p50"] as? Double) > 0)
      // On a busy machine nothing may arrive in so short a time.
      default: #expect(try #require(story["count"] as? Int) == 0 || story["messagesPerSecond"] as? Double ?? 0 > 0)
      }
    }
  }

  @Test func betweenTwoProcesses() async throws {
    let scratch = try Scratch()
    let key = try await makeKey("bench.pem", in: scratch)
    let (server, address, id) = try await listen(["--key", "bench.pem", "--policy", "sealed"], in: scratch)
    #expect(id == key)
    let client = try Command(
      ["bench", address, "--pin", id, "--seconds", "0.1", "--only", "reliable", "--json"], in: scratch)
    #expect(try await client.exitCode() == 0)
    #expect(client.events("story").first?["policy"] as? String == "sealed")
    try await eventually("the server's word") { server.events("began").first.map { $0["story"] as? String } }
    server.signal(SIGTERM)
    #expect(try await server.exitCode() == 0)
  }

  @Test func theOtherMachineIsToldWhatToType() async throws {
    let scratch = try Scratch()
    let server = try Command(["bench", "--listen", "0"], in: scratch)
    let line = try await eventually("the line") {
      server.output.split(separator: "\n").first { $0.hasPrefix("on the other machine: roamkey bench ") }
    }
    // The guess may be an address of another interface: only the port and the key are ours to check here.
    let words = line.split(separator: " ")
    let port = try #require(words[6].split(separator: ":").last)
    let client = try await Command.run(
      "bench", "127.0.0.1:\(port)", "--pin", String(words[8]), "--only", "connect", "--seconds", "0.1", in: scratch)
    #expect(client.code == 0, "\(client.err)")
    server.signal(SIGINT)
    #expect(try await server.exitCode() == 0)
  }

  @Test func aServerThatVanishesEndsItWith1() async throws {
    let scratch = try Scratch()
    let (server, address, id) = try await listen(in: scratch)
    let client = try Command(
      ["bench", address, "--pin", id, "--seconds", "8", "--only", "bulk", "--json"], in: scratch)
    try await eventually("the story to begin") { server.events("began").first.map { _ in true } }
    server.signal(SIGKILL)
    #expect(try await client.exitCode() == 1)
    #expect(client.errors.contains("does not answer any more"))
    #expect(client.events("error").first?["code"] as? String == "noAnswer")
    #expect(client.events("story").isEmpty)
  }

  @Test func mistakesAndRefusals() async throws {
    let scratch = try Scratch()
    let (server, address, _) = try await listen(in: scratch)
    let other = try await makeKey("other.pem", in: scratch)
    let wrong = try await Command.run("bench", address, "--pin", other, in: scratch)
    #expect(wrong.code == 2)
    let sealed = try await Command.run("bench", address, "--policy", "sealed", in: scratch)
    #expect(sealed.code == 2)
    #expect(sealed.err.contains("--policy both"))
    #expect(try await Command.run("bench", "--seconds", "1000", in: scratch).code == 64)
    #expect(try await Command.run("bench", "--listen", "70000", in: scratch).code == 64)
    #expect(try await Command.run("bench", "--listen", address, in: scratch).code == 1)
    // A room is no bench server, and says so.
    let host = try await Host(in: scratch)
    let room = try await Command.run("bench", host.address, in: scratch)
    #expect(room.code == 2)
    #expect(room.err.contains("application"))
    #expect(try await host.stop() == 0)
    server.signal(SIGTERM)
    #expect(try await server.exitCode() == 0)
  }

  @Test func anInterruptClosesTheSession() async throws {
    let scratch = try Scratch()
    let (server, address, id) = try await listen(in: scratch)
    let client = try Command(["bench", address, "--pin", id, "--seconds", "60", "--only", "bulk"], in: scratch)
    try await eventually("the story to begin") { server.events("began").first.map { _ in true } }
    client.signal(SIGINT)
    #expect(try await client.exitCode(within: .seconds(20)) == 1)
    #expect(client.errors.contains("interrupted"))
    try await eventually("all sessions to end", within: .seconds(10)) {
      server.events("left").count == server.events("joined").count ? true : nil
    }
    #expect(server.events("left").allSatisfy { $0["reason"] as? String == "closed" })
    server.signal(SIGTERM)
    #expect(try await server.exitCode() == 0)
  }
}
