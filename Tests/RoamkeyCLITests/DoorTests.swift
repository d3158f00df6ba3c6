import Foundation
import TestSupport
import Testing

/// Who is let in, by whom, and with which exit code it ends otherwise.
@Suite(.realTime, .timeLimit(.minutes(40))) struct DoorTests {
  @Test func aWrongPinExitsWith2() async throws {
    let scratch = try Scratch()
    let other = try await makeKey("other.pem", in: scratch)
    let host = try await Host(in: scratch)
    let command = try Command(
      ["connect", host.address, "--server", other, "--key", "other.pem", "--json"], in: scratch)
    #expect(try await command.exitCode() == 2)
    #expect(command.events("error").first?["code"] as? String == "wrongServer")
    #expect(command.errors.contains(host.id))
    #expect(command.errors.split(separator: "\n").count == 1)
    #expect(host.command.events("joined").isEmpty)
    #expect(scratch.read("known_servers") == nil)
    #expect(try await host.stop() == 0)
  }

  @Test func theFirstMeetingIsRememberedAndAChangedKeyIsRefused() async throws {
    let scratch = try Scratch()
    _ = try await makeKey("me.pem", in: scratch)
    let host = try await Host(["--key", "one.pem"], making: "one.pem", in: scratch)
    let first = try await Command.run("connect", host.address, "--key", "me.pem", in: scratch)
    #expect(first.code == 0)
    #expect(first.err.contains("first time"))
    let known = "\(host.address) \(host.id)\n"
    #expect(scratch.read("known_servers") == known)
    let second = try await Command.run("connect", host.address, "--key", "me.pem", in: scratch)
    #expect(second.code == 0)
    #expect(!second.err.contains("first time"))
    #expect(scratch.read("known_servers") == known)
    #expect(try await host.stop() == 0)

    let other = try await Host(["--key", "two.pem"], making: "two.pem", listen: host.address, in: scratch)
    let third = try await Command.run("connect", host.address, "--key", "me.pem", in: scratch)
    #expect(third.code == 2)
    #expect(third.err.contains("HAS CHANGED"))
    #expect(third.err.contains("remove line 1 of known_servers"))
    #expect(scratch.read("known_servers") == known)
    #expect(other.command.events("joined").isEmpty)
    // Whoever names the new key is let through.
    let fourth = try await Command.run("connect", host.address, "--server", other.id, "--key", "me.pem", in: scratch)
    #expect(fourth.code == 0)
    #expect(try await other.stop() == 0)
  }

  @Test func keysAreMadeOnFirstUse() async throws {
    let scratch = try Scratch()
    let host = try await Host(in: scratch)
    #expect(host.command.errors.contains("keys/server.pem"))
    let player = try await Command.run("connect", host.address, in: scratch)
    #expect(player.code == 0)
    #expect(player.err.contains("keys/player.pem"))
    #expect(scratch.read("keys/known_servers") == "\(host.address) \(host.id)\n")
    #expect(try scratch.mode("keys/player.pem") == 0o600)
    #expect(try await host.stop() == 0)
  }

  @Test func theListsDecideAndCanBeReadAgain() async throws {
    let scratch = try Scratch()
    let (ada, ben) = (try await makeKey("ada.pem", in: scratch), try await makeKey("ben.pem", in: scratch))
    try scratch.write("# friends\n\n  \(ada)   # Ada\n", to: "allow")
    let host = try await Host(["--allow", "allow"], in: scratch)
    func connect(_ key: String) async throws -> (code: Int32, out: String, err: String) {
      try await Command.run("connect", host.address, "--server", host.id, "--key", key, "--json", in: scratch)
    }
    #expect(try await connect("ada.pem").code == 0)
    let refused = try await connect("ben.pem")
    #expect(refused.code == 2)
    #expect(refused.out.contains(#""code":"notAllowed""#))

    let staying = try Command(["connect", host.address, "--key", "ada.pem"], in: scratch)
    try await eventually("Ada to be in") { host.command.events("joined").count == 2 ? true : nil }
    // A list with a mistake changes nothing.
    try scratch.write("\(ben)\nrk1oops\n", to: "allow")
    host.command.signal(SIGHUP)
    try await eventually("the complaint") { host.command.errors.contains("line 2 of allow") ? true : nil }
    #expect(try await connect("ben.pem").code == 2)
    try scratch.write("\(ben)\n", to: "allow")
    host.command.signal(SIGHUP)
    #expect(try await staying.exitCode() == 2)
    #expect(staying.errors.contains("put this player out"))
    #expect(try await connect("ben.pem").code == 0)
    #expect(try await host.stop() == 0)
  }

  @Test func aListWithAMistakeStopsTheStart() async throws {
    let scratch = try Scratch()
    let id = try await makeKey("a.pem", in: scratch)
    let typo = id.dropLast() + (id.hasSuffix("q") ? "p" : "q")
    try scratch.write("\(id)\n\(typo)\n", to: "deny")
    let serve = try await Command.run("serve", "--listen", "127.0.0.1:0", "--deny", "deny", in: scratch)
    #expect(serve.code == 1)
    #expect(serve.err.contains("line 2 of deny"))
    #expect(try await Command.run("serve", "--allow", "nowhere", in: scratch).code == 1)
    #expect(scratch.read("keys/server.pem") == nil)
  }

  @Test func anotherApplicationExitsWith2() async throws {
    let scratch = try Scratch()
    let host = try await Host(["--app", "galaxy/1"], in: scratch)
    let command = try await Command.run("connect", host.address, in: scratch)
    #expect(command.code == 2)
    #expect(command.err.contains("application"))
    #expect(scratch.read("keys/known_servers") == nil)
    let right = try await Command.run("connect", host.address, "--app", "galaxy/1", in: scratch)
    #expect(right.code == 0)
    #expect(try await host.stop() == 0)
  }

  @Test func mistakesWithAddresses() async throws {
    let scratch = try Scratch()
    let host = try await Host(in: scratch)
    let taken = try await Command.run("serve", "--listen", host.address, "--json", in: scratch)
    #expect(taken.code == 1)
    #expect(taken.err.contains("already in use"))
    #expect(taken.out.contains(#""code":"portInUse""#))
    // What can never work is a matter of usage; what this machine or network does not have has failed.
    for (listen, code) in [("nonsense", 64), ("127.0.0.1:99999", 64), ("192.0.2.1:0", 1)] as [(String, Int32)] {
      #expect(try await Command.run("serve", "--listen", listen, in: scratch).code == code)
    }
    let servers: [(String, Int32)] = [("no-such-host.invalid:1", 1), ("127.0.0.1:0", 64), ("[::1", 64), ("", 64)]
    for (server, code) in servers {
      let command = try await Command.run("connect", server, in: scratch)
      #expect(command.code == code)
      #expect(command.err.split(separator: "\n").last?.contains("roamkey: ") == true)
    }
    #expect(try await host.stop() == 0)
  }

  @Test func theDemoChecksItsClaims() async throws {
    let scratch = try Scratch()
    let demo = try await Command.run("demo", "--fast", in: scratch)
    #expect(demo.code == 0, "\(demo.out)\(demo.err)")
    #expect(!demo.out.contains("FALSE"))
  }

  /// Every network that has a name, and a few seeds of each; the same seed tells the same story.
  @Test(arguments: ["perfect", "local", "broadband", "dsl", "school", "satellite", "mobile", "awful"])
  func theSimulatedDemoChecksItsClaims(network: String) async throws {
    let scratch = try Scratch()
    var stories: Set<String> = []
    for seed in ["1", "2", "1"] {
      let demo = try await Command.run("demo", "--fast", "--seed", seed, "--network", network, in: scratch)
      #expect(demo.code == 0, "\(demo.out)\(demo.err)")
      #expect(!demo.out.contains("FALSE"))
      stories.insert(demo.out)
    }
    #expect(stories.count == 2)
    #expect(try await Command.run("demo", "--network", "carrier-pigeon", in: scratch).code == 64)
  }
}

extension Host {
  /// With a new key in the file `making`.
  init(_ options: [String], making key: String, listen: String = "127.0.0.1:0", in scratch: Scratch) async throws {
    _ = try await makeKey(key, in: scratch)
    try await self.init(options, listen: listen, in: scratch)
  }
}
