import TestSupport
import Testing

@testable import Roamkey

/// Servers and browsers on loopback. Each test has an application of its own: others are on this machine as well.
@Suite(.realTime, .timeLimit(.minutes(40))) struct DiscoveryTests {
  private let application = "discovery-\(UInt64.random(in: 0 ... .max))"

  private func server(
    _ name: String?, discovery: Discovery = .localNetwork, loop: LoopMode = .ownThread,
    configuration: RoamkeyConfiguration = .init()
  ) async throws -> Server {
    try await Server(
      key: .generate(), application: application, listen: loopback, name: name, loop: loop, discovery: discovery,
      configuration: configuration)
  }

  /// Waits until the browser lists servers of these names and no others.
  private func lists(_ names: [String?], _ browser: ServerBrowser) async throws -> [FoundServer] {
    try await eventually("the list \(names)") {
      let servers = browser.servers
      return servers.map(\.name) == names ? servers : nil
    }
  }

  /// What nobody sees makes no other name, and no name of nothing.
  @Test func namesComeAsTheyAreShown() async throws {
    let browser = try ServerBrowser(for: application)
    let (attic, nothing) = (try await server(" At\u{200c}tic\u{e0041}"), try await server("\u{200b}"))
    let servers = try await lists(["Attic", nil], browser)
    #expect(servers.map(\.id) == [attic.id, nothing.id])
    await attic.close()
    await nothing.close()
  }

  @Test func serversComeAndGo() async throws {
    let browser = try ServerBrowser(for: application)
    let ben = try await server("Ben")
    let anna = try await server("Anna")
    let unnamed = try await server(nil)
    #expect(anna.discoveryError == nil)
    let servers = try await lists(["Anna", "Ben", nil], browser)
    #expect(servers.map(\.id) == [anna.id, ben.id, unnamed.id])
    #expect(servers.map(\.address) == [anna.address, ben.address, unnamed.address])
    #expect(servers.allSatisfy { $0.application == application && $0.players == 0 && $0.capacity == 1024 })
    #expect(servers.allSatisfy { ($0.roundTrip ?? .zero) > .zero && !$0.isFull })
    // With a word it is gone at once, long before it would be missed.
    let start = ContinuousClock.now
    await ben.close()
    _ = try await lists(["Anna", nil], browser)
    #expect(ContinuousClock.now - start < .seconds(3))
    #expect(try #require(anna.discoveryStatistics).sent > 0)
    #expect(browser.statistics.sent > 0 && browser.statistics.drops["forged"] == nil)
    await anna.close()
    await unnamed.close()
  }

  @Test func playersAreCounted() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessions = 1
    let server = try await server("Small", configuration: configuration)
    let browser = try ServerBrowser(for: application)
    let found = try #require(try await lists(["Small"], browser).first)
    #expect((found.players, found.capacity, found.isFull) == (0, 1, false))
    // Connected to as it was found, under its key.
    let client = try await Client(key: .generate(), server: found)
    #expect(client.serverID == server.id)
    try await eventually("the player to be counted") { browser.servers.first?.isFull == true ? true : nil }
    await client.close()
    await server.close()
  }

  @Test func whoIsToBeSilentIsSilent() async throws {
    let off = try await server("Off", discovery: .off)
    var configuration = RoamkeyConfiguration()
    configuration.isQuiet = true
    let quiet = try await server("Quiet", configuration: configuration)
    let on = try await server("On")
    let browser = try ServerBrowser(for: application)
    _ = try await lists(["On"], browser)
    // All were asked at the same time, and some times more.
    try await eventually("more questions") { browser.statistics.sent >= 4 ? true : nil }
    #expect(browser.servers.map(\.name) == ["On"])
    #expect(off.discoveryStatistics == nil && quiet.discoveryStatistics == nil)
    #expect(off.discoveryError == nil && quiet.discoveryError == nil)
    for server in [off, quiet, on] { await server.close() }
  }

  /// It answers when it is polled, and has no thread that would do so otherwise.
  @Test func aPolledServer() async throws {
    let server = try await server("Polled", loop: .polled)
    let browser = try ServerBrowser(for: application)
    try await eventually("three questions") { browser.statistics.sent >= 3 ? true : nil }
    #expect(browser.servers.isEmpty)
    try await eventually("it is found") {
      _ = server.takeEvents()
      return browser.servers.isEmpty ? nil : true
    }
    await server.close()
    _ = try await lists([], browser)
  }

  /// Nobody plays, so nothing wakes the thread but who asks.
  @Test func aPolledServerThatWaits() async throws {
    let server = try await server("Waiting", loop: .polled)
    let waits = Locked(false)
    // What was posted is carried after the look with which a wait begins.
    server.drivers[0].perform { _, _ in waits.withLock { $0 = true } }
    runOnOwnThread { _ = server.poll(for: .seconds(100)) }
    try await eventually("the wait") { waits.withLock { $0 } ? true : nil }
    let browser = try ServerBrowser(for: application)
    try await eventually("it is found", within: .seconds(30)) { browser.servers.isEmpty ? nil : true }
    // It ends the wait as well.
    await server.close()
    _ = try await lists([], browser)
  }

  @Test func theListAsASequence() async throws {
    let browser = try ServerBrowser(for: application)
    var iterator = browser.changes.makeAsyncIterator()
    #expect(try await iterator.next() == [], "the first comes at once")
    let server = try await server("Anna")
    #expect(try await iterator.next()?.map(\.name) == ["Anna"])
    await server.close()
    var last: [FoundServer]?
    repeat { last = try await iterator.next() } while last?.isEmpty == false
    #expect(last == [])
    browser.stop()
    #expect(try await iterator.next() == nil)
    // Another reader still gets the list, once.
    var other = browser.changes.makeAsyncIterator()
    #expect(try await other.next() == [])
    #expect(try await other.next() == nil)
  }

  @Test func aSequenceWithoutABrowser() async throws {
    let server = try await server("Anna")
    for await servers in try Client.servers(for: application) where !servers.isEmpty {
      #expect(servers.map(\.id) == [server.id])
      break
    }
    let reader = Task { [application] in
      for await _ in try Client.servers(for: application) {}
      return true
    }
    reader.cancel()
    #expect(try await reader.value)
    await server.close()
  }

  /// What browsers would refuse is not announced, and the server runs all the same.
  @Test func anApplicationThatCannotBeShown() async throws {
    let server = try await Server(key: .generate(), application: "galaxy\u{202e}1", listen: loopback)
    #expect(server.discoveryError?.code == .badApplication)
    #expect(server.discoveryStatistics == nil)
    await server.close()
  }

  @Test func applicationsThatAreNone() {
    for application in ["", String(repeating: "x", count: 256)] {
      do throws(RoamkeyError) {
        _ = try ServerBrowser(for: application)
        Issue.record("an application of \(application.utf8.count) bytes")
      } catch {
        #expect(error.code == .badApplication)
      }
    }
  }
}

/// PROTOCOL §5.7: a client whose server has fallen silent asks the local network for its key.
@Suite(.realTime, .timeLimit(.minutes(40))) struct LocalSearchTests {
  /// A client that knows its server's address by a relay alone, which is cut.
  private func cut(_ searches: Bool, discovery: Discovery = .localNetwork) async throws -> (
    Client, Server, HostileRelay
  ) {
    let server = try await Server(key: .generate(), application: "test/1", listen: loopback, discovery: discovery)
    let relay = try HostileRelay(to: server.address, conditions: .init(), seed: 1)
    var configuration = RoamkeyConfiguration()
    configuration.searchesLocalNetwork = searches
    let client = try await Client(
      key: .generate(), application: "test/1", server: "\(relay.address)", pinned: server.id,
      configuration: configuration)
    relay.set(.init(dropped: 100))
    try client.send("are you there?")
    return (client, server, relay)
  }

  @Test func theServerIsFoundBesideUs() async throws {
    let (client, server, relay) = try await cut(true)
    try await server.log.first("what was sent into the void") {
      if case .message(let message, client.id) = $0, message.text == "are you there?" { true } else { nil }
    }
    let log = client.log
    // The server may hear of it first.
    try await log.first("the move") { if case .serverRoamed(_, server.address) = $0 { true } else { nil } }
    #expect(client.serverAddress == server.address)
    #expect(!log.events.contains { if case .reconnected = $0 { true } else { false } }, "the session went on")
    await client.close()
    await server.close()
    relay.stop()
  }

  /// The same without: so it was the local network that told.
  @Test(arguments: [false, true]) func withoutItNothingIsFound(searches: Bool) async throws {
    let (client, server, relay) = try await cut(searches, discovery: searches ? .off : .localNetwork)
    // Some look-ups' time.
    try await Task.sleep(for: .seconds(4))
    #expect(client.serverAddress == relay.address)
    #expect(server.takeEvents().allSatisfy { if case .message = $0 { false } else { true } })
    await client.close(afterDelivery: false)
    await server.close()
    relay.stop()
  }
}
