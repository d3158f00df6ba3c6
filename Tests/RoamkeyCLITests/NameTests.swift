import Foundation
import TestSupport
import Testing

/// `connect NAME` with real servers on this machine. They have an application of their own, since others may run here.
@Suite(.realTime, .timeLimit(.minutes(40))) struct NameTests {
  private let application = "names-\(UUID().uuidString)/1"
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func host(_ name: String, key: String) async throws -> Host {
    _ = try await makeKey(key, in: scratch)
    return try await Host(["--name", name, "--app", application, "--key", key], in: scratch)
  }

  /// Joins, says nothing, and leaves.
  private func connect(_ arguments: String...) async throws -> (code: Int32, err: String, server: String?) {
    if scratch.read("me.pem") == nil { _ = try await makeKey("me.pem", in: scratch) }
    let command = try Command(["connect", "--app", application, "--key", "me.pem", "--json"] + arguments, in: scratch)
    try command.endInput()
    let code = try await command.exitCode()
    return (code, command.errors, command.events("connected").first?["server"] as? String)
  }

  @Test func aNameIsFoundAndItsKeyRemembered() async throws {
    let ada = try await host("Ada's room", key: "ada.pem")
    var joined = try await connect("ADA'S ROOM")
    #expect(joined.code == 0, "\(joined.err)")
    #expect(joined.server == ada.id)
    #expect(scratch.read("known_servers") == "@ada's%20room \(ada.id)\n")
    #expect(joined.err.contains("compare aloud"))
    joined = try await connect("ada's room")
    #expect(joined.server == ada.id)
    #expect(!joined.err.contains("first time"))
    // The key alone will do as well, and leaves no trace.
    joined = try await connect("--server", ada.id)
    #expect(joined.server == ada.id)
    #expect(scratch.read("known_servers")?.split(separator: "\n").count == 1)
    #expect(try await ada.stop() == 0)
    // Another one under that name.
    let mallory = try await host("Ada's Room", key: "mallory.pem")
    joined = try await connect("Ada's room")
    #expect(joined.code == 2)
    #expect(joined.server == nil)
    #expect(joined.err.contains("THE SERVER'S KEY HAS CHANGED"))
    #expect(joined.err.contains("remove line 1 "))
    // Whoever names its key has met it.
    #expect(try await connect("Ada's room", "--server", mallory.id).server == mallory.id)
    #expect(try await mallory.stop() == 0)
  }

  @Test func ofSeveralNoneIsChosenButTheOneThatIsKnown() async throws {
    let (one, two) = (try await host("attic", key: "one.pem"), try await host("Attic", key: "two.pem"))
    let refused = try await connect("attic")
    #expect(refused.code == 1)
    #expect(refused.err.contains("servers of that name on the local network: 2"))
    for id in [one.id, two.id] { #expect(refused.err.contains(id)) }
    #expect(try await connect("attic", "--server", two.id).server == two.id)
    try scratch.write("@attic \(one.id)\n", to: "known_servers")
    #expect(try await connect("attic").server == one.id)
    for server in [one, two] { #expect(try await server.stop() == 0) }
  }

  @Test func whatNobodyIsCalledIsSaidInOneSentence() async throws {
    for name in ["Nobody's room", "no.such.host.invalid", "nobody-is-called-so"] {
      let missed = try await connect(name)
      #expect(missed.code == 1)
      #expect(missed.err.split(separator: "\n").count == 1)
      #expect(missed.err.contains("'\(name)'"))
    }
  }

  @Test func withoutATerminalAHostMustBeSaid() async throws {
    let lost = try await connect()
    #expect(lost.code == 64)
    #expect(lost.err.contains("roamkey connect HOST:PORT"))
    // And no key is made for nothing.
    let other = try Scratch()
    #expect(try await Command.run("connect", in: other).code == 64)
    #expect(other.read("keys/player.pem") == nil)
  }
}
