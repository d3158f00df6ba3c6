import Foundation
import TestSupport
import Testing

/// `serve` and `connect` together.
@Suite(.realTime, .timeLimit(.minutes(40))) struct RoomTests {
  private func join(_ host: Host, _ key: String, _ options: [String] = [], in scratch: Scratch) async throws -> Command
  {
    let command = try Command(
      ["connect", host.address, "--server", host.id, "--key", key, "--json"] + options, in: scratch)
    try await eventually("\(key) to connect: \(command.errors)") { command.events("connected").first.map { _ in true } }
    return command
  }

  @Test func threeHundredLinesEachWayInOrder() async throws {
    let scratch = try Scratch()
    let (ada, ben) = (try await makeKey("ada.pem", in: scratch), try await makeKey("ben.pem", in: scratch))
    let host = try await Host(in: scratch)
    let (adas, bens) = (try await join(host, "ada.pem", in: scratch), try await join(host, "ben.pem", in: scratch))
    try await eventually("both to be in") { host.command.events("joined").count == 2 ? true : nil }
    for number in 0..<300 {
      try adas.write("ada \(number) \"quoted\" größe\n")
      try bens.write("ben \(number)\n")
    }
    try await eventually("all lines to arrive") {
      adas.events("message").count >= 300 && bens.events("message").count >= 300 ? true : nil
    }
    try adas.endInput()
    try bens.endInput()
    #expect(try await adas.exitCode() == 0)
    #expect(try await bens.exitCode() == 0)
    #expect(adas.events("message").map { $0["text"] as? String } == (0..<300).map { "ben \($0)" })
    #expect(bens.events("message").map { $0["text"] as? String } == (0..<300).map { "ada \($0) \"quoted\" größe" })
    #expect(bens.events("message").allSatisfy { $0["from"] as? String == ada && $0["action"] as? String == "chat" })
    #expect(bens.events("message").map { $0["id"] as? Int } == (0..<300).map { $0 })
    try await eventually("both to have left") { host.command.events("left").count == 2 ? true : nil }
    #expect(Set(host.command.events("joined").compactMap { $0["player"] as? String }) == [ada, ben])
    #expect(try await host.stop() == 0)
    #expect(host.command.events("message").count == 600)
    #expect(host.command.events("left").allSatisfy { $0["reason"] as? String == "closed" })
    #expect(host.command.events("stats").last?["messagesReceived"] as? Int == 600)
  }

  /// On several threads it is one room.
  @Test func severalThreads() async throws {
    let scratch = try Scratch()
    let host = try await Host(["--threads", "2"], in: scratch)
    var players: [Command] = []
    for name in ["a.pem", "b.pem", "c.pem", "d.pem"] {
      _ = try await makeKey(name, in: scratch)
      players.append(try await join(host, name, in: scratch))
    }
    try await eventually("all to be in") { host.command.events("joined").count == 4 ? true : nil }
    try players[0].write("hello\n")
    for player in players.dropFirst() {
      try await eventually("the word") { player.events("message").first.map { $0["text"] as? String == "hello" } }
    }
    for player in players {
      try player.endInput()
      #expect(try await player.exitCode() == 0)
    }
    #expect(try await host.stop() == 0)
    #expect(host.command.events("stats").last?["messagesReceived"] as? Int == 1)
  }

  @Test func everyEventHasItsFieldsAndNoOthers() async throws {
    let scratch = try Scratch()
    let id = try await makeKey("a.pem", in: scratch)
    let host = try await Host(["--echo"], in: scratch)
    let player = try await join(host, "a.pem", in: scratch)
    try player.write("hello\n")
    try await eventually("the echo") { player.events("message").first.map { _ in true } }
    player.signal(SIGUSR1)
    try await eventually("the stats") { player.events("stats").first.map { _ in true } }
    host.command.signal(SIGUSR1)
    try await eventually("the stats") { host.command.events("stats").first.map { _ in true } }
    let session = try #require(player.events("stats").first?["session"] as? [String: Any])
    #expect(try #require(session["roundTrip"] as? Double) > 0)
    #expect(session["messagesSent"] as? Int == 1)
    #expect(session["offline"] as? Bool == false)
    let sessions = try #require(host.command.events("stats").first?["sessionOf"] as? [String: [String: Any]])
    #expect(sessions.keys.sorted() == [id])
    #expect(sessions[id]?["messagesReceived"] as? Int == 1)
    try player.endInput()
    #expect(try await player.exitCode() == 0)
    #expect(try await host.stop() == 0)
    let fields: [String: Set<String>] = [
      "listening": ["address", "server"], "connected": ["server", "address"], "joined": ["player", "address"],
      "message": ["from", "id", "action", "text", "age"], "left": ["player", "reason"],
    ]
    for command in [host.command, player] {
      let events = command.events
      #expect(events.count == command.output.split(separator: "\n").count)
      for event in events {
        let name = try #require(event["event"] as? String)
        let time = try #require(event["time"] as? Double)
        #expect(abs(time - Date().timeIntervalSince1970) < 120)
        if name == "message" { #expect((0..<60).contains(try #require(event["age"] as? Double))) }
        if let expected = fields[name] { #expect(Set(event.keys) == expected.union(["event", "time"])) }
      }
    }
  }

  @Test func linesGoAsTheirModeSays() async throws {
    let scratch = try Scratch()
    let modes = ["reliable-ordered", "unordered", "latest", "unreliable"]
    for name in modes + ["listener"] { _ = try await makeKey("\(name).pem", in: scratch) }
    let host = try await Host(in: scratch)
    let listener = try await join(host, "listener.pem", in: scratch)
    for mode in modes {
      let speaker = try await join(host, "\(mode).pem", ["--delivery", mode], in: scratch)
      try speaker.write(mode + "\n")
      try speaker.endInput()
      #expect(try await speaker.exitCode() == 0)
      try await eventually(mode) { listener.events("message").last?["text"] as? String == mode ? true : nil }
    }
    #expect(listener.events("message").map { $0["text"] as? String } == modes)
    // The room passes each on as it came: every mode counts from 0 by itself.
    #expect(listener.events("message").map { $0["id"] as? Int } == [0, 0, 0, 0])
    #expect(try await host.stop() == 0)
  }

  @Test func aFileOfManyLinesIsDeliveredWhole() async throws {
    let scratch = try Scratch()
    for name in ["a.pem", "b.pem"] { _ = try await makeKey(name, in: scratch) }
    let host = try await Host(in: scratch)
    let listener = try await join(host, "b.pem", in: scratch)
    let speaker = try await join(host, "a.pem", in: scratch)
    // 4 MB: four times the queue.
    let filler = String(repeating: "x", count: 190)
    let lines = (0..<20_000).map { "\($0) \(filler)" }
    Thread.detachNewThread {
      try? speaker.write(lines.joined(separator: "\n"))
      try? speaker.endInput()
    }
    #expect(try await speaker.exitCode(within: .seconds(240)) == 0)
    try await eventually("all lines", within: .seconds(240)) {
      listener.output.utf8.count(where: { $0 == UInt8(ascii: "\n") }) >= lines.count + 1 ? true : nil
    }
    #expect(listener.events("message").map { $0["text"] as? String } == lines)
    listener.signal(SIGTERM)
    #expect(try await listener.exitCode() == 0)
    #expect(try await host.stop() == 0)
  }

  @Test func aLineThatIsTooLongIsToldAndTheOthersGoOn() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let host = try await Host(["--echo"], in: scratch)
    let player = try await join(host, "a.pem", in: scratch)
    let long = String(repeating: "x", count: (1 << 20) - 4)
    Thread.detachNewThread {
      try? player.write("one\n" + long + "\n" + long + "y\nthree")
    }
    try await eventually("the echoes") { player.events("message").count == 2 ? true : nil }
    try player.endInput()
    #expect(try await player.exitCode() == 1)
    #expect(player.errors.contains("line 3 "))
    #expect(host.command.events("message").map { ($0["text"] as? String)?.count } == [3, long.count, 5])
    #expect(try await host.stop() == 0)
  }

  @Test func signalsCloseTheSession() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let host = try await Host(in: scratch)
    for signal in [SIGINT, SIGTERM] {
      let player = try await join(host, "a.pem", in: scratch)
      player.signal(signal)
      #expect(try await player.exitCode(within: .seconds(20)) == 0)
    }
    try await eventually("both to have left") { host.command.events("left").count == 2 ? true : nil }
    // And the other way round: whoever is in is told that the server stops.
    let player = try await join(host, "a.pem", in: scratch)
    #expect(try await host.stop() == 0)
    #expect(try await player.exitCode(within: .seconds(20)) == 1)
    #expect(player.events("left").first?["reason"] as? String == "shutdown")
    #expect(player.events("error").first?["code"] as? String == "disconnected")
  }

  @Test func aReaderWhoGoesAwayDoesNoHarm() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let host = try await Host(in: scratch)
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/bash")
    shell.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
    shell.arguments = [
      "-c",
      "set -o pipefail; seq 1 500 | '\(Command.executable)' connect \(host.address) --server \(host.id) "
        + "--key a.pem --json 2>/dev/null | true",
    ]
    try Command.starting.withLock { try shell.run() }
    try await eventually("the end") { shell.isRunning ? nil : true }
    #expect(shell.terminationStatus == 0)
    try await eventually("all lines") { host.command.events("message").count == 500 ? true : nil }
    #expect(try await host.stop() == 0)
  }
}
