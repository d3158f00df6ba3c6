import Foundation
import TestSupport
import Testing

@testable import Roamkey

/// Servers that begin anew, on real sockets: the way of the datagrams leads to another server with the same key and the
/// same instance, while the one before knows nothing of it. There is no other way: the servers do not answer on the local
/// network.
@Suite(.realTime, .timeLimit(.minutes(40))) struct ReconnectionTests {
  /// Two servers that are one to their players.
  private final class Stage {
    let seed = randomSeed()
    let relay: HostileRelay
    let first: Server
    let second: Server
    private let directory: String

    init(deny: Set<PlayerID> = []) async throws {
      directory = FileManager.default.temporaryDirectory.appendingPathComponent("roamkey-\(UUID().uuidString)").path
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      let bytes = Data((0..<32).map { _ in UInt8.random(in: 1...255) })
      for name in ["a", "b"] { try bytes.write(to: URL(fileURLWithPath: "\(directory)/\(name).instance")) }
      first = try await Self.server(seed, "\(directory)/a.instance")
      second = try await Self.server(seed, "\(directory)/b.instance", deny: deny)
      relay = try HostileRelay(to: first.address, conditions: .init(), seed: 1)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private static func server(
      _ seed: [UInt8], _ instanceFile: String, deny: Set<PlayerID> = []
    ) async throws -> Server {
      let server = try await Server(
        key: sameKey(seed), application: "test/1", listen: loopback, deny: deny, instanceFile: .path(instanceFile),
        discovery: .off)
      #expect(server.instanceFileError == nil)
      return server
    }

    func connect(key: consuming PlayerKey = .generate()) async throws -> Client {
      try await Client(key: key, application: "test/1", server: "\(relay.address)", pinned: first.id)
    }

    /// Nothing gets through, until the second server is there.
    func silence() { relay.set(.init(dropped: 100)) }

    func restart() {
      relay.lead(to: second.address)
      relay.set(.init())
    }

    func close(_ client: Client) async {
      await client.close(afterDelivery: false)
      await second.close()
      await first.close()
      relay.stop()
    }
  }

  @Test func theSessionIsRenewedAndWhatWasLostIsSentAgain() async throws {
    let stage = try await Stage()
    let client = try await stage.connect()
    let log = client.log
    try client.send("before")
    try await stage.first.log.first("the first message") { if case .message = $0 { true } else { nil } }
    try await eventually("its acknowledgement") { client.queuedBytes == 0 ? true : nil }
    stage.silence()
    for number in 0..<100 { try client.send("\(number)", receipt: UInt64(number)) }
    stage.restart()
    let lost = try await log.first("the new session") {
      if case .reconnected(let undelivered) = $0 { undelivered } else { nil }
    }
    #expect(lost.map(\.message.text) == (0..<100).map(String.init))
    #expect(lost.map(\.options.receipt) == (0..<100).map { UInt64($0) })
    #expect(client.serverID == stage.second.id && client.serverAddress == stage.relay.address)
    for undelivered in lost { try client.send(undelivered) }
    let heard = try await stage.second.log.all(100, "what was sent again") {
      if case .message(let message, client.id) = $0 { message.text } else { nil }
    }
    #expect(heard == (0..<100).map(String.init))
    let receipts = try await client.receiptLog.all(100, "the receipts") { $0.outcome == .delivered ? $0.number : nil }
    #expect(receipts == (0..<100).map { UInt64($0) })
    // And the other way.
    stage.second.send("welcome back", to: client.id)
    try await log.first("the answer") {
      if case .message(let message) = $0 { message.text == "welcome back" } else { nil }
    }
    let statistics = await client.statistics()
    #expect(statistics.resetsReceived == 1 && statistics.players == 1 && statistics.sessions == 2)
    #expect(await stage.second.statistics().resetsSent > 0)
    #expect(await stage.first.statistics().resetsSent == 0)
    #expect(await client.sessionStatistics()?.messagesSent == 100)
    #expect(client.undelivered.isEmpty && client.restarts == 1)
    await stage.close(client)
  }

  @Test func whoIsNotLetInAgainIsTold() async throws {
    let seed = randomSeed()
    let stage = try await Stage(deny: [sameKey(seed).id])
    let client = try await stage.connect(key: sameKey(seed))
    stage.silence()
    try client.send("lost")
    stage.restart()
    let reason = try await #require(client.waitUntilDisconnected())
    #expect(reason == .notReadmitted(.refused(.banned)))
    #expect(client.undelivered.map(\.message.text) == ["lost"])
    #expect(throws: SendError.notConnected) { try client.send("too late") }
    var last: Client.Event?
    for await event in client.events { last = event }
    #expect(last == .disconnected(reason))
    #expect(await client.close() == reason)
    await stage.close(client)
  }

  /// Every end tells what was not confirmed.
  @Test func whatWasNotConfirmedIsThereAtTheEnd() async throws {
    let stage = try await Stage()
    let client = try await stage.connect()
    stage.silence()
    try client.send("one", priority: .high, channel: 2)
    try client.send("noise", delivery: .unreliable)
    #expect(client.undelivered.isEmpty)
    #expect(await client.close(afterDelivery: false) == .closed)
    #expect(client.undelivered.map(\.options) == [SendOptions(priority: .high, channel: 2)])
    #expect(client.undelivered.map(\.message.text) == ["one"])
    // What arrived is not among it.
    stage.relay.set(.init())
    let honest = try await stage.connect()
    try honest.send("two")
    #expect(await honest.close() == .closed)
    #expect(honest.undelivered.isEmpty)
    await stage.close(honest)
  }

  // MARK: Names

  /// What a name stands for, and how often it was asked for at the same time.
  private final class Names: Sendable {
    private struct State: Sendable {
      var answer: [NetworkAddress] = []
      var questions = 0
      var underWay = 0
      var mostUnderWay = 0
    }

    private let state = Locked(State())

    func set(_ answer: [NetworkAddress]) { state.withLock { $0.answer = answer } }
    var questions: Int { state.withLock { $0.questions } }
    var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }

    func resolve(_ pause: Duration) -> [NetworkAddress] {
      state.withLock { state in
        state.questions += 1
        state.underWay += 1
        state.mostUnderWay = max(state.mostUnderWay, state.underWay)
      }
      Thread.sleep(forTimeInterval: pause / .seconds(1))
      return state.withLock { state in
        state.underWay -= 1
        return state.answer
      }
    }
  }

  private func connect(_ stage: Stage, _ server: String, _ names: Names, pause: Duration) async throws -> Client {
    try await Client(key: .generate(), application: "test/1", server: server, pinned: stage.first.id) { text in
      #expect(text == server)
      return names.resolve(pause)
    }
  }

  /// The server is gone from where it was, and its name says where it is now.
  @Test func aNameIsLookedUpAgain() async throws {
    let stage = try await Stage()
    let names = Names()
    names.set([stage.relay.address])
    let client = try await connect(stage, "game.example:7447", names, pause: .milliseconds(5))
    let questions = names.questions
    stage.silence()
    names.set([stage.second.address])
    try client.send("where are you?")
    let lost = try await client.log.first("the server at its new address") {
      if case .reconnected(let undelivered) = $0 { undelivered } else { nil }
    }
    #expect(lost.map(\.message.text) == ["where are you?"])
    #expect(client.serverAddress == stage.second.address && names.questions > questions)
    await stage.close(client)
  }

  /// Slow answers do not pile up, and an address in figures is never asked for again.
  @Test func oneLookUpAtATime() async throws {
    let stage = try await Stage()
    let names = Names()
    names.set([stage.relay.address])
    let named = try await connect(stage, "game.example", names, pause: .milliseconds(1500))
    let figures = Names()
    let relay = try HostileRelay(to: stage.first.address, conditions: .init(), seed: 2)
    figures.set([relay.address])
    let numbered = try await connect(stage, "\(relay.address)", figures, pause: .zero)
    stage.silence()
    relay.set(.init(dropped: 100))
    try named.send("x")
    try numbered.send("x")
    try await eventually("two more questions") { names.questions >= 3 ? true : nil }
    #expect(names.mostUnderWay == 1 && figures.questions == 1)
    await numbered.close(afterDelivery: false)
    relay.stop()
    await stage.close(named)
  }

  // MARK: Instance files

  private func server(_ path: String, _ instanceFile: Server.InstanceFile = .besideKey) async throws -> Server {
    try await Server(key: .load(path), application: "test/1", listen: loopback, instanceFile: instanceFile)
  }

  @Test func theInstanceFileIsTheServersOwn() async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("roamkey-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let (key, file) = ("\(directory)/server.pem", "\(directory)/server.instance")
    try PlayerKey.generate().save(to: key)
    func bytes() -> Data? { try? Data(contentsOf: URL(fileURLWithPath: file)) }
    let first = try await server(key)
    let id = try #require(bytes())
    #expect(first.instanceFileError == nil && id.count == 32)
    // A second one with the same key has another instance, and says so.
    let second = try await server(key)
    #expect(second.instanceFileError == .inUse(path: file))
    let third = try await server(key, .path("\(directory)/third.instance"))
    #expect(third.instanceFileError == nil)
    for server in [second, third] { await server.close() }
    // What is closed runs no more, though somebody may still hold it.
    await first.close()
    let again = try await server(key)
    #expect(again.instanceFileError == nil && bytes() == id)
    await again.close()
    // Broken, or switched off: never a reason not to start.
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: file))
    let broken = try await server(key)
    #expect(broken.instanceFileError == .damaged(path: file) && bytes() == Data([1, 2, 3]))
    let none = try await server(key, .none)
    #expect(none.instanceFileError == nil)
    let generated = try await makeServer()
    #expect(generated.instanceFileError == nil)
    for server in [broken, none, generated] { await server.close() }
    #expect(first.id == again.id)
  }
}
