import Foundation
import TestSupport
import Testing

/// `roamkey servers`, over loopback.
@Suite(.realTime, .timeLimit(.minutes(40))) struct ServersCommandTests {
  private let application = "servers-\(UInt64.random(in: 0 ... .max))"

  @Test func itListsThoseWhoAnswer() async throws {
    let scratch = try Scratch()
    for name in ["a.pem", "b.pem"] { _ = try await makeKey(name, in: scratch) }
    let named = try await Host(["--app", application, "--name", "Anna's room", "--key", "a.pem"], in: scratch)
    let silent = try await Host(["--app", application, "--key", "b.pem", "--no-discovery"], in: scratch)
    let table = try await Command.run("servers", "--app", application, "--wait", "1", in: scratch)
    #expect(table.code == 0)
    let lines = table.out.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].hasPrefix("NAME"))
    for word in ["Anna's room", application, "0/1024", named.address, named.id] { #expect(lines[1].contains(word)) }
    let none = try await Command.run("servers", "--app", application + "x", "--wait", "0.4", in: scratch)
    #expect(none.code == 0)
    #expect(none.out == "no server has answered on the local network\n")
    for host in [named, silent] { #expect(try await host.stop() == 0) }
  }

  @Test func itTellsWhatComesAndGoes() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("a.pem", in: scratch)
    let command = try Command(["servers", "--json", "--app", application, "--wait", "10"], in: scratch)
    let host = try await Host(["--app", application, "--name", "Anna", "--key", "a.pem"], in: scratch)
    let found = try await eventually("it to be found") { command.events("found").first }
    #expect(found["server"] as? String == host.id)
    #expect(found["address"] as? String == host.address)
    #expect(found["name"] as? String == "Anna")
    #expect(found["application"] as? String == application)
    #expect(found["players"] as? Int == 0 && found["capacity"] as? Int == 1024)
    #expect(found["ping"] is Double && found["time"] is Double)
    #expect(try await host.stop() == 0)
    let lost = try await eventually("it to be lost") { command.events("lost").first }
    #expect(lost["server"] as? String == host.id)
    #expect(try await command.exitCode() == 0)
    #expect(command.events("stats").count == 1)
  }

  @Test func mistakes() async throws {
    let scratch = try Scratch()
    for arguments in [["--wait", "-1"], ["--wait", "nan"], ["--wait", "x"], ["--app", ""], ["--bogus"]] {
      let command = try Command(["servers"] + arguments, in: scratch)
      #expect(try await command.exitCode() == 64, "\(arguments)")
    }
  }
}
