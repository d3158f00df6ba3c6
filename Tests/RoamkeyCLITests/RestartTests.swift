import Foundation
import Roamkey
import TestSupport
import Testing

/// A server that is killed and started again, and `connect` on the other side.
@Suite(.realTime, .timeLimit(.minutes(40))) struct RestartTests {
  private func join(_ host: Host, _ options: [String] = [], json: Bool = true, in scratch: Scratch) async throws
    -> Command
  {
    let command = try Command(
      ["connect", host.address, "--server", host.id, "--key", "a.pem"] + (json ? ["--json"] : []) + options,
      in: scratch)
    try await eventually("it to connect: \(command.errors)") {
      !command.events("connected").isEmpty || command.errors.contains("connected to") ? true : nil
    }
    return command
  }

  private func texts(_ command: Command) -> [String] { command.events("message").compactMap { $0["text"] as? String } }

  private func kill(_ host: Host) async throws {
    host.command.signal(SIGKILL)
    #expect(try await host.command.exitCode() == SIGKILL)
  }

  private func time(_ event: [String: Any]) throws -> Double { try #require(event["time"] as? Double) }

  @Test func connectGoesOnWithinASecond() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let first = try await Host(in: scratch)
    let player = try await join(first, in: scratch)
    try player.write("heard\n")
    try await eventually("the first line") { texts(first.command) == ["heard"] ? true : nil }
    try await Task.sleep(for: .milliseconds(200))
    try await kill(first)
    for number in 0..<50 { try player.write("line \(number)\n") }
    try await Task.sleep(for: .milliseconds(700))

    let second = try await Host(listen: first.address, in: scratch)
    #expect(second.id == first.id && second.address == first.address)
    let again = try await eventually("the new session") { player.events("connected").dropFirst().first }
    try player.write("new\n")
    try player.endInput()
    #expect(try await player.exitCode() == 0)
    #expect(Set(again.keys) == ["event", "time", "server", "address", "undelivered"])
    #expect(again["undelivered"] as? Int == 50 && again["server"] as? String == second.id)
    #expect(again["address"] as? String == second.address)
    #expect(Set(player.events("connected")[0].keys) == ["event", "time", "server", "address"])
    let listening = try #require(second.command.events("listening").first)
    let delay = try time(again) - time(listening)
    #expect(delay < 1, "\(delay) s after the server listened")
    #expect(texts(second.command) == (0..<50).map { "line \($0)" } + ["new"])
    #expect(player.events("left").map { $0["reason"] as? String } == ["closed"])
    #expect(player.events("stats").last?["resetsReceived"] as? Int == 1)
    #expect(try await second.stop() == 0)
    #expect((second.command.events("stats").last?["resetsSent"] as? Int ?? 0) > 0)
  }

  /// Lines that are read while the server is away, and while it comes back, keep their order, whatever the moment; and
  /// the end of the input waits for all of them.
  @Test(arguments: [0, 5, 20, 60]) func everyLineInOrder(pause: Int) async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    var host = try await Host(in: scratch)
    let player = try await join(host, in: scratch)
    let (count, isDone) = (Locked(0), Locked(false))
    Thread.detachNewThread {
      while !isDone.withLock({ $0 }) {
        let first = count.withLock { count in
          count += 100
          return count - 100
        }
        for number in first..<first + 100 {
          try? player.write("\(number) " + String(repeating: "x", count: 400) + "\n")
        }
        usleep(20_000)
      }
      try? player.endInput()
    }
    var runs: [[Int]] = []
    for _ in 0..<3 {
      try await Task.sleep(for: .milliseconds(100))
      try await kill(host)
      runs.append(texts(host.command).compactMap { Int($0.prefix { $0 != " " }) })
      try await Task.sleep(for: .milliseconds(pause))
      host = try await Host(listen: host.address, in: scratch)
    }
    try await eventually("something to be heard") { texts(host.command).isEmpty ? nil : true }
    isDone.withLock { $0 = true }
    #expect(try await player.exitCode(within: .seconds(120)) == 0)
    #expect(try await host.stop() == 0)
    runs.append(texts(host.command).compactMap { Int($0.prefix { $0 != " " }) })
    #expect(runs.last?.last == count.withLock { $0 } - 1)
    for run in runs {
      #expect(zip(run, run.dropFirst()).allSatisfy { $1 == $0 + 1 }, "each once, in order, in each run")
    }
  }

  @Test func peopleReadOneLine() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let first = try await Host(in: scratch)
    let player = try await join(first, json: false, in: scratch)
    let before = player.errors
    try await kill(first)
    try player.write("one\ntwo\n")
    let second = try await Host(listen: first.address, in: scratch)
    try await eventually("the lines") { texts(second.command) == ["one", "two"] ? true : nil }
    let lines = try await eventually("what it says") {
      let lines = player.errors.dropFirst(before.count).split(separator: "\n")
      return lines.isEmpty ? nil : lines
    }
    #expect(lines.count == 1 && lines.first?.contains("lines that are said again: 2") == true, "\(lines)")
    player.signal(SIGTERM)
    #expect(try await player.exitCode() == 0)
    #expect(try await second.stop() == 0)
  }

  /// Who is not let in again is told how much was lost, and fails as somebody who was refused.
  @Test func aPlayerWhoIsNotLetInAgain() async throws {
    let scratch = try Scratch()
    let id = try await makeKey("a.pem", in: scratch)
    try scratch.write("\(id)\n", to: "banned")
    let first = try await Host(in: scratch)
    let player = try await join(first, in: scratch)
    try await kill(first)
    try player.write("one\n")
    let second = try await Host(["--deny", "banned"], listen: first.address, in: scratch)
    #expect(try await player.exitCode() == 2)
    #expect(player.events("left").first?["reason"] as? String == "notReadmitted")
    #expect(player.errors.contains("lines that the server has not confirmed: 1"), "\(player.errors)")
    #expect(try await second.stop() == 0)
  }

  // MARK: Instance files

  @Test func ofTwoServersWithOneKeyTheSecondSaysSo() async throws {
    let scratch = try Scratch()
    let first = try await Host(in: scratch)
    #expect(try scratch.mode("keys/server.instance") == 0o600)
    let second = try await Host(in: scratch)
    #expect(second.id == first.id && first.address != second.address)
    #expect(try await second.stop() == 0)
    #expect(try await first.stop() == 0)
    let complaints = second.command.errors.split(separator: "\n")
    #expect(complaints.count == 1 && complaints.first?.contains("another server is running") == true, "\(complaints)")
    #expect(!first.command.errors.contains("another server"))
    // The lock has gone with the process.
    let third = try await Host(in: scratch)
    #expect(try await third.stop() == 0)
    #expect(third.command.errors.isEmpty)
  }

  @Test func aBrokenFileIsToldAndLeftAlone() async throws {
    let scratch = try Scratch()
    let first = try await Host(in: scratch)
    #expect(try await first.stop() == 0)
    try scratch.write("rubbish", to: "keys/server.instance")
    let second = try await Host(in: scratch)
    #expect(try await second.stop() == 0)
    #expect(second.command.errors.contains("keys/server.instance is not an instance file"))
    #expect(scratch.read("keys/server.instance") == "rubbish")
  }
}
