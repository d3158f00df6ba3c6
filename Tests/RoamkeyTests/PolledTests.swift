import RoamkeyEngine
import RoamkeyUDP
import TestSupport
import Testing

@testable import Roamkey

/// Servers and clients that are polled, over real sockets.
@Suite(.realTime, .timeLimit(.minutes(40))) struct PolledTests {
  private static let modes: [(LoopMode, LoopMode)] = [
    (.polled, .polled), (.polled, .ownThread), (.ownThread, .polled), (.ownThread, .ownThread),
  ]

  /// Does what blocks on a thread of its own.
  private func blocking<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
      runOnOwnThread { continuation.resume(returning: body()) }
    }
  }

  private func makeServer(_ loop: LoopMode, configuration: RoamkeyConfiguration = .init()) async throws -> Server {
    try await Server(
      key: .generate(), application: "test/1", listen: loopback, loop: loop, configuration: configuration)
  }

  /// Connects, while somebody looks after the server.
  private func makeClient(
    _ server: Server, _ loop: LoopMode, bind: NetworkAddress? = nil, configuration: RoamkeyConfiguration = .init()
  ) async throws -> Client {
    let result = Locked<Result<Client, any Error>?>(nil)
    await server.drivers[0].carrying {
      do {
        let client = try await Client(
          key: .generate(), application: "test/1", server: "\(server.address)", pinned: server.id, bind: bind,
          loop: loop, configuration: configuration)
        result.withLock { $0 = .success(client) }
      } catch {
        result.withLock { $0 = .failure(error) }
      }
    }
    return try #require(result.withLock { $0 }).get()
  }

  /// Ends both, whoever has to look after the other meanwhile.
  private func close(_ server: Server, _ client: Client) async {
    await server.drivers[0].carrying { _ = await client.close() }
    await server.close()
  }

  @Test(arguments: modes) func thereAndBack(_ modes: (LoopMode, LoopMode)) async throws {
    let server = try await makeServer(modes.0)
    let client = try await makeClient(server, modes.1)
    let isOver = Locked(false)
    let rounds = 300
    async let answered = blocking {
      var count = 0
      while !isOver.withLock({ $0 }) {
        for case .message(let message, let player) in server.poll(for: .milliseconds(20)) {
          server.send(message, to: player)
          count += 1
        }
      }
      return count
    }
    let back = await blocking {
      var back: [String] = []
      for round in 0..<rounds {
        guard (try? client.send("\(round)")) != nil else { return back }
        let end = ContinuousClock.now + .seconds(60)
        while back.count <= round, ContinuousClock.now < end {
          for case .message(let message) in client.poll(for: .seconds(1)) { back.append(message.text ?? "") }
        }
      }
      isOver.withLock { $0 = true }
      return back
    }
    isOver.withLock { $0 = true }
    #expect(back == (0..<rounds).map(String.init))
    #expect(await answered == rounds)
    #expect((server.drivers[0].isPolled, client.driver.isPolled) == (modes.0 == .polled, modes.1 == .polled))
    await close(server, client)
  }

  /// A game's frame: events, messages, `flush`; nothing else is ever called.
  @Test func framesCarryEverything() async throws {
    let server = try await makeServer(.polled)
    let client = try await makeClient(server, .polled)
    var (heard, answers) = (0, 0)
    let end = ContinuousClock.now + .seconds(60)
    while answers < 100, ContinuousClock.now < end {
      for case .message(_, let player) in server.takeEvents() {
        heard += 1
        server.send("answer", to: player)
      }
      server.flush()
      for case .message in client.takeEvents() { answers += 1 }
      try client.send("frame")
      client.flush()
      try await Task.sleep(for: .milliseconds(1))
    }
    #expect(answers >= 100 && heard >= answers)
    await close(server, client)
  }

  @Test func flushSendsTheFrameWithoutAPoll() async throws {
    let server = try await makeServer(.polled)
    let client = try await makeClient(server, .polled)
    let before = client.driver.statistics.datagramsSent
    try client.send("now")
    #expect(client.driver.statistics.datagramsSent == before)
    client.flush()
    #expect(client.driver.statistics.datagramsSent > before)
    await close(server, client)
  }

  @Test(arguments: [LoopMode.polled, .ownThread]) func sendsFromAnotherThreadWakeASleepingPoll(
    _ loop: LoopMode
  ) async throws {
    let server = try await makeServer(.ownThread)
    let client = try await makeClient(server, loop)
    async let heard = blocking {
      var texts: [String] = []
      while texts.count < 20 {
        let events = client.poll(for: .seconds(200))
        if events.isEmpty { break }
        for case .message(let message) in events { texts.append(message.text ?? "") }
      }
      return texts
    }
    let log = server.log
    for number in 0..<20 {
      try client.send("\(number)")
      try await log.first("the message") {
        if case .message(let message, _) = $0, message.text == "\(number)" { true } else { nil }
      }
      #expect(server.send("\(number)", to: client.id) == nil)
    }
    #expect(await heard == (0..<20).map(String.init))
    await close(server, client)
  }

  @Test(arguments: [LoopMode.polled, .ownThread]) func aPollNeverWaitsLongerThanItSays(_ loop: LoopMode) async throws {
    let server = try await makeServer(loop)
    let client = try await makeClient(server, .ownThread)
    let (zero, some) = await blocking {
      // An event would end the wait.
      while server.poll(for: .seconds(10)) != [.joined(client.id)] {}
      let clock = ContinuousClock()
      let zero = clock.measure { for _ in 0..<500 { _ = server.poll(for: .zero) } }
      _ = server.poll(for: .seconds(-1))
      let some = clock.measure { _ = server.poll(for: .milliseconds(40)) }
      return (zero, some)
    }
    #expect(zero < .seconds(20))
    #expect(some >= .milliseconds(40) && some < .seconds(20))
    await close(server, client)
  }

  // MARK: Several threads

  @Test func twoThreadsPoll() async throws {
    let server = try await makeServer(.ownThread)
    let client = try await makeClient(server, .polled)
    let (count, isOver) = (2000, Locked(false))
    let texts = Locked<[String]>([])
    let threads = (0..<2).map { _ in
      Task {
        await blocking {
          while !isOver.withLock({ $0 }) {
            for case .message(let message) in client.poll(for: .milliseconds(5)) {
              texts.withLock { $0.append(message.text ?? "") }
            }
          }
        }
      }
    }
    for number in 0..<count {
      while server.send("\(number)", to: client.id) != nil { await server.waitForRoom(for: client.id) }
    }
    try await eventually("all of them") { texts.withLock { $0.count } >= count ? true : nil }
    isOver.withLock { $0 = true }
    for thread in threads { await thread.value }
    #expect(Set(texts.withLock { $0 }) == Set((0..<count).map(String.init)))
    #expect(texts.withLock { $0.count } == count)
    await close(server, client)
  }

  /// What is asked while another thread sleeps in a poll is answered, and the poll goes on.
  @Test func questionsWhileAnotherThreadPolls() async throws {
    let server = try await makeServer(.ownThread)
    let client = try await makeClient(server, .polled)
    async let last = blocking { client.poll(for: .seconds(200)) }
    for _ in 0..<50 {
      #expect(await client.sessionStatistics() != nil)
      #expect(await client.statistics().sessions == 1)
    }
    try client.rebind(to: loopback)
    try await server.log.first("the move") { if case .roamed = $0 { true } else { nil } }
    server.kick(client.id, reason: "enough")
    // Its own move may be told first.
    let events = await last
    if !events.contains(where: { $0.isTheEnd }) {
      let end = await blocking { client.poll(for: .seconds(200)) }
      #expect(end.contains { $0.isTheEnd })
    }
    await client.close()
    await server.close()
  }

  // MARK: Nobody polls

  @Test func questionsAreAnswered() async throws {
    let server = try await makeServer(.polled)
    let client = try await makeClient(server, .polled)
    #expect(await server.statistics().sessions == 1)
    #expect(await server.statistics(of: client.id) != nil)
    #expect(await client.sessionStatistics() != nil)
    #expect(await client.statistics().players == 1)
    #expect(await server.sessions().map(\.player) == [client.id])
    try client.rebind(to: loopback)
    client.rest()
    client.resume()
    server.updateAccess(allow: nil)
    server.kick(client.id)
    await server.drivers[0].carrying { #expect(await client.waitUntilDisconnected() == .kicked("")) }
    await close(server, client)
    #expect(await client.statistics().sessions == 1)
    #expect(await server.statistics().sessions == 1)
  }

  @Test func aFullQueueEmpties() async throws {
    var configuration = RoamkeyConfiguration()
    configuration.maximumMessageSize = 1 << 12
    configuration.sendQueueLimit = 1 << 14
    let server = try await makeServer(.ownThread)
    let client = try await makeClient(server, .polled, configuration: configuration)
    let log = server.log
    for number in 0..<200 {
      while true {
        do throws(SendError) {
          try client.send([UInt8](repeating: UInt8(number), count: 1000))
          break
        } catch {
          #expect(error == .queueFull(limit: 1 << 14))
          await client.waitForRoom()
        }
      }
    }
    // The rest is delivered before it closes.
    #expect(await client.close() == .closed)
    let bodies = try await log.all(200, "all messages") {
      if case .message(let message, _) = $0 { message.body.first } else { nil }
    }
    #expect(bodies == (0..<200).map { UInt8($0) })
    #expect(client.undelivered.isEmpty)
    await server.close()
  }

  @Test func whoIsLetGoSaysGoodbye() async throws {
    let server = try await makeServer(.ownThread)
    do {
      let client = try await makeClient(server, .polled)
      try await server.log.first("the join") { if case .joined(client.id) = $0 { true } else { nil } }
    }
    try await server.log.first("the farewell") { if case .left(_, .closed) = $0 { true } else { nil } }
    await server.close()
    var polled: Server? = try await makeServer(.polled)
    let client = try await makeClient(try #require(polled), .ownThread)
    polled = nil
    #expect(await client.waitUntilDisconnected() == .shutdown)
    await client.close()
  }

  // MARK: The end in the midst

  @Test func closingEndsAPoll() async throws {
    let server = try await makeServer(.polled)
    let client = try await makeClient(server, .polled)
    async let atServer = blocking {
      // Until the server has closed; a limit for each, so that a hang would be seen.
      var events: [Server.Event] = []
      let start = ContinuousClock.now
      while !server.link.isStopped, ContinuousClock.now - start < .seconds(100) {
        events += server.poll(for: .seconds(200))
      }
      return events
    }
    async let atClient = blocking {
      var events: [Client.Event] = []
      while !events.contains(where: { $0.isTheEnd }) { events += client.poll(for: .seconds(200)) }
      return events
    }
    try client.send("hello")
    try await Task.sleep(for: .milliseconds(20))
    await client.close()
    #expect(await atClient.contains(.disconnected(.closed)))
    await server.close()
    #expect(
      await atServer.contains { event in
        if case .message(let message, _) = event { message.text == "hello" } else { false }
      })
    // All is over: nothing waits any more.
    #expect(await blocking { client.poll(for: .seconds(200)) }.isEmpty)
    #expect(await blocking { server.poll(for: .seconds(200)) }.isEmpty)
    #expect(server.takeEvents().isEmpty && client.takeEvents().isEmpty)
  }

  @Test func aServerThatIsAway() async throws {
    let gone = try await makeServer(.ownThread)
    let address = gone.address
    await gone.close()
    var configuration = RoamkeyConfiguration()
    configuration.handshakeTimeout = .milliseconds(300)
    let error = await #expect(throws: RoamkeyError.self) {
      _ = try await Client(
        key: .generate(), application: "test/1", server: "\(address)", loop: .polled, configuration: configuration)
    }
    #expect(error?.code == .noAnswer)
    // Who gives up is not held.
    let task = Task {
      _ = try await Client(key: .generate(), application: "test/1", server: "\(address)", loop: .polled)
    }
    try await Task.sleep(for: .milliseconds(10))
    task.cancel()
    await #expect(throws: RoamkeyError.self) { try await task.value }
  }

  @Test func severalThreadsAndNone() async {
    let error = await #expect(throws: RoamkeyError.self) {
      _ = try await Server(key: .generate(), application: "test/1", listen: loopback, threads: 2, loop: .polled)
    }
    #expect(error?.code == .badThreads)
    #expect(error?.description == "a server that is polled runs on one thread, the app's own, not on 2")
  }
}

extension Client.Event {
  fileprivate var isTheEnd: Bool { if case .disconnected = self { true } else { false } }
}
