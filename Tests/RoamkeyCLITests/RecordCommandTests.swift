import Foundation
import Roamkey
import TestSupport
import Testing

/// `--record` of serve and connect, and `record`, as the real command.
@Suite(.realTime, .timeLimit(.minutes(40))) struct RecordCommandTests {
  private func join(_ host: Host, _ options: [String] = [], in scratch: Scratch) async throws -> Command {
    let command = try Command(
      ["connect", host.address, "--server", host.id, "--key", "a.pem", "--json"] + options, in: scratch)
    try await eventually("it to connect: \(command.errors)") { command.events("connected").first.map { _ in true } }
    return command
  }

  private func files(_ folder: String, in scratch: Scratch) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: scratch.file(folder)).sorted().map {
      scratch.file("\(folder)/\($0)")
    }
  }

  /// What somebody finds who has the files and the two ids.
  private func check(
    _ files: [String], player: String, server: String
  ) throws -> (report: EvidenceReport, texts: [String]) {
    var texts: [String] = []
    let reports = EvidenceReport.check(files, player: try PlayerID(player), server: try PlayerID(server)) {
      _, message in
      if message.isText { texts.append(String(decoding: message.body, as: UTF8.self)) }
    }
    #expect(reports.count == 1)
    return (try #require(reports.first), texts)
  }

  /// A server that is killed leaves what it has signed for, and the file says that it was cut short.
  @Test func aServerThatIsKilled() async throws {
    let scratch = try Scratch()
    let ada = try await makeKey("a.pem", in: scratch)
    let host = try await Host(["--record", "evidence"], in: scratch)
    let player = try await join(host, in: scratch)
    for number in 0..<50 { try player.write("line \(number)\n") }
    try await eventually("the lines") { host.command.events("message").count == 50 ? true : nil }
    // A second later at most they are in the file.
    let file = try await eventually("a file that is signed for") { () -> String? in
      guard let file = try? files("evidence", in: scratch).first,
        case .truncated(_, let signed)? = try? check([file], player: ada, server: host.id).report.refusal?.reason,
        signed > 1
      else { return nil }
      return file
    }
    try await Task.sleep(for: .milliseconds(1500))
    host.command.signal(SIGKILL)
    #expect(try await host.command.exitCode() == SIGKILL)
    player.signal(SIGTERM)
    _ = try await player.exitCode()

    #expect(try files("evidence", in: scratch) == [file])
    let (report, _) = try check([file], player: ada, server: host.id)
    guard case .truncated(let records, let signed) = report.refusal?.reason else {
      Issue.record("\(report)")
      return
    }
    #expect(records == signed && signed > 1, "all that was written is signed for")
    // The folder is free, and the next server leaves the file alone.
    let before = try Data(contentsOf: URL(fileURLWithPath: file))
    let second = try await Host(["--record", "evidence"], in: scratch)
    let again = try await join(second, in: scratch)
    try again.write("after\n")
    try again.endInput()
    #expect(try await again.exitCode() == 0)
    #expect(try await second.stop() == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
    let (later, texts) = try check(
      try files("evidence", in: scratch).filter { $0 != file }, player: ada, server: host.id)
    // The session, or the recorder before it was over on the server's side.
    #expect(later.isGenuine && later.summary.end != nil && texts == ["after"], "\(later)")
    #expect(second.command.events("stats").last?["packetsRecorded"] as? Int ?? 0 > 0)
    #expect(second.command.events("stats").last?["packetsNotRecorded"] as? Int == 0)
    #expect(try scratch.mode("evidence") == 0o700)
    for file in try files("evidence", in: scratch) {
      #expect(try scratch.mode(String(file.dropFirst(scratch.path.count + 1))) == 0o600)
    }
  }

  /// A spectator writes down what the host sends: `record`, from the first line to the files it names.
  @Test func aSpectator() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let bob = try await makeKey("b.pem", in: scratch)
    let host = try await Host(in: scratch)
    let spectator = try Command(
      ["record", host.address, "--server", host.id, "--key", "b.pem", "--out", "seen"], in: scratch)
    try await eventually("it to join: \(spectator.errors)") { host.command.events("joined").first.map { _ in true } }
    let player = try await join(host, in: scratch)
    for number in 0..<20 { try player.write("line \(number)\n") }
    try player.endInput()
    #expect(try await player.exitCode() == 0)
    // While it runs.
    try await Task.sleep(for: .seconds(1))
    spectator.signal(SIGUSR1)
    let first = try await eventually("the file") { spectator.output.split(separator: "\n").first.map(String.init) }
    let path = first.hasPrefix("/") ? first : scratch.file(first)
    let (early, heard) = try check([path], player: bob, server: host.id)
    #expect(early.isGenuine && early.header?.recorder == .player, "\(early)")
    #expect(heard == (0..<20).map { "line \($0)" })
    spectator.signal(SIGTERM)
    #expect(try await spectator.exitCode() == 0, "\(spectator.errors)")
    #expect(try await host.stop() == 0)
    let named = Set(spectator.output.split(separator: "\n").map { $0.split(separator: "/").last.map(String.init) })
    #expect(named == Set(try files("seen", in: scratch).map { $0.split(separator: "/").last.map(String.init) }))
    let (report, _) = try check(try files("seen", in: scratch), player: bob, server: host.id)
    #expect(report.isGenuine && report.missingParts.isEmpty && report.summary.end != nil, "\(report)")
  }

  @Test func connectRecords() async throws {
    let scratch = try Scratch()
    let ada = try await makeKey("a.pem", in: scratch)
    let host = try await Host(["--echo"], in: scratch)
    let player = try await join(host, ["--record", "mine"], in: scratch)
    try player.write("hello\n")
    try await eventually("the echo") { player.events("message").isEmpty ? nil : true }
    try player.endInput()
    #expect(try await player.exitCode() == 0)
    #expect(try await host.stop() == 0)
    let (report, texts) = try check(try files("mine", in: scratch), player: ada, server: host.id)
    #expect(report.isGenuine && texts == ["hello"], "\(report)")
  }

  @Test func whatIsNotSignedIsNotRecorded() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let both = try await Command.run("serve", "--sealed-only", "--record", "evidence", in: scratch)
    #expect(both.code == 64 && both.err.contains("packets that are not signed prove nothing"), "\(both)")
    let host = try await Host(["--sealed-only"], in: scratch)
    let spectator = try await Command.run(
      "record", host.address, "--server", host.id, "--key", "a.pem", "--out", "seen", in: scratch)
    #expect(spectator.code == 1 && spectator.err.contains("are not signed"), "\(spectator)")
    #expect(spectator.err.split(separator: "\n").count == 1, "\(spectator.err)")
    #expect(try await host.stop() == 0)
    #expect(!FileManager.default.fileExists(atPath: scratch.file("evidence")))
    #expect((try? files("seen", in: scratch))?.isEmpty ?? true)
  }

  /// Two that record in one folder: the second says so, and does not begin.
  @Test func aFolderThatIsTaken() async throws {
    let scratch = try Scratch()
    let host = try await Host(["--record", "evidence"], in: scratch)
    let second = try await Command.run("serve", "--listen", "127.0.0.1:0", "--record", "evidence", in: scratch)
    #expect(second.code == 1 && second.err.contains("somebody else records there"), "\(second)")
    #expect(try await host.stop() == 0)
  }
}
