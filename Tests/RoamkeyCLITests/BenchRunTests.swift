import Roamkey
import TestSupport
import Testing

@testable import RoamkeyCLI
@testable import RoamkeyTerminal

/// Bench servers and clients in one process, over loopback.
@Suite(.realTime, .timeLimit(.minutes(40))) struct BenchRunTests {
  /// A bench server for as long as `body` runs.
  private func withHost(
    _ policy: BenchPolicy = .signed, _ body: (BenchHost, BenchTarget) async throws -> Void
  ) async throws {
    let host = try await BenchHost(
      key: .generate(), listen: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0), policy: policy, voice: .silent)
    let serving = Task { await host.run() }
    let result: Result<Void, any Error>
    do { result = .success(try await body(host, BenchTarget(server: "\(host.address)", pin: host.id))) } catch {
      result = .failure(error)
    }
    await host.close()
    await serving.value
    try result.get()
  }

  private func settings(_ stories: [BenchStory] = BenchStory.allCases, _ policy: BenchPolicy? = nil) -> BenchSettings {
    BenchSettings(duration: .milliseconds(200), patience: .seconds(60), stories: stories, policy: policy)
  }

  private func measure(_ target: BenchTarget, _ settings: BenchSettings) async throws -> [BenchResult] {
    var results: [BenchResult] = []
    let runner = BenchRunner(target: target, settings: settings, progress: BenchProgress(isOn: false))
    try await runner.run(
      began: { _, _ throws(Failure) in }, each: { result throws(Failure) in results.append(result) })
    return results
  }

  /// The failure of `work`, which has to fail.
  private func failure(_ work: () async throws -> Void) async throws -> Failure? {
    do { try await work() } catch let failure as Failure { return failure }
    return nil
  }

  /// With more and more time, until something arrived in each story: on a busy machine little may.
  private func measureAll(_ target: BenchTarget) async throws -> [BenchResult] {
    var settings = settings()
    while true {
      let results = try await measure(target, settings)
      let isComplete = results.allSatisfy { if case .rate(nil) = $0.figure { false } else { true } }
      if isComplete || settings.duration > .seconds(4) { return results }
      settings.duration = settings.duration * 2
    }
  }

  @Test func allStoriesUnderBothPolicies() async throws {
    try await withHost(.both) { _, target in
      let results = try await measureAll(target)
      #expect(results.map(\.story) == BenchStory.allCases + BenchStory.allCases)
      #expect(results.map(\.policy).prefix(5).allSatisfy { $0 == .everyPacket })
      #expect(results.map(\.policy).suffix(5).allSatisfy { $0 == .sealedOnly })
      for result in results {
        switch result.figure {
        case .times(let times):
          #expect(try #require(times[50]) > .zero)
          if result.story == .roundtrip { #expect(try #require(result.processor) > 0) }
        case .rate(let rate):
          let rate = try #require(rate, "\(result.story)")
          #expect(rate.messagesPerSecond > 0 && rate.processorThere > 0 && (0.0...1).contains(rate.arrived))
          let size = Double(try #require(result.story.messageSize))
          #expect(rate.bytes == rate.messages * size)
          if result.story != .unreliable { #expect(rate.arrived == 1, "\(result.story)") }
        }
        #expect(result.others == 0)
        if result.story != .connect { #expect(try #require(result.path?.packetSize) >= 1200) }
      }
    }
  }

  @Test func onlyThePolicyThatWasAskedFor() async throws {
    try await withHost(.sealed) { _, target in
      // Nil takes what is there.
      #expect(try await measure(target, settings([.roundtrip])).map(\.policy) == [.sealedOnly])
      let failure = try await failure { _ = try await measure(target, settings([.bulk], .both)) }
      #expect(failure?.kind == .refused && failure?.sentence.contains("no signed packets") == true)
    }
  }

  @Test func twoClientsAtTheSameTimeAreCountedApart() async throws {
    try await withHost { _, target in
      let long = BenchSettings(duration: .seconds(1), patience: .seconds(60), stories: [.reliable])
      // A third one is in all the time, since the two might miss each other.
      let third = try await BenchSession.open(target, requiring: nil)
      async let one = measure(target, long)
      async let two = measure(target, long)
      for result in try await one + two {
        guard case .rate(let rate?) = result.figure else {
          Issue.record("no figure")
          continue
        }
        // Who counted the other's as well would have more bytes, or a smaller share of what was sent.
        #expect(rate.bytes == rate.messages * 64 && rate.arrived == 1)
        #expect((1...2).contains(result.others))
        #expect(BenchPrinter.remarks(result).first?.contains("(\(result.others))") == true)
      }
      await third.close()
    }
  }

  @Test func theWrongKeyIsRefused() async throws {
    try await withHost { _, target in
      let other = BenchTarget(server: target.server, pin: PlayerKey.generate().id)
      let failure = try await failure { _ = try await measure(other, settings([.connect])) }
      #expect(failure?.kind == .refused && failure?.code == "wrongServer")
    }
  }

  // MARK: Servers that are gone

  @Test func aServerThatStopsIsTold() async throws {
    let host = try await BenchHost(
      key: .generate(), listen: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0), policy: .signed, voice: .silent)
    let serving = Task { await host.run() }
    let target = BenchTarget(server: "\(host.address)", pin: host.id)
    let long = BenchSettings(duration: .seconds(60), patience: .seconds(60), stories: [.bulk])
    async let outcome = failure { _ = try await measure(target, long) }
    // In the middle of it.
    while (await host.services[0].server.statistics()).messagesReceived < 10 {
      try await Task.sleep(for: .milliseconds(5))
    }
    await host.close()
    await serving.value
    let failure = try await outcome
    #expect(failure?.kind == .failed && failure?.sentence.contains("the server stopped") == true)
  }

  /// It is there, and takes everything, and says nothing.
  @Test(arguments: [BenchStory.roundtrip, .reliable, .bulk])
  func aServerThatSaysNothingIsWaitedForInVain(_ story: BenchStory) async throws {
    let server = try await Server(
      key: .generate(), application: BenchAction.application, listen: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0))
    let doors = BenchDoors(ports: [.everyPacket: server.address.port], here: .everyPacket)
    let serving = Task {
      for await event in server.events {
        guard case .message(let message, let player) = event, message.action == "doors" else { continue }
        server.send(doors.text, as: "doors", to: player)
      }
    }
    let settings = BenchSettings(duration: .milliseconds(100), patience: .seconds(1), stories: [story])
    let target = BenchTarget(server: "\(server.address)", pin: server.id)
    let start = ContinuousClock.now
    let failure = try await failure { _ = try await measure(target, settings) }
    #expect(failure?.kind == .failed && failure?.sentence.contains("does not answer any more") == true)
    #expect(ContinuousClock.now - start < .seconds(30))
    await server.close()
    await serving.value
  }

  @Test func answersThatAreNoneAreTold() async throws {
    let server = try await Server(
      key: .generate(), application: BenchAction.application, listen: NetworkAddress(ipv4: 127, 0, 0, 1, port: 0))
    let serving = Task {
      for await event in server.events {
        if case .message(_, let player) = event { server.send("here=999", as: "doors", to: player) }
      }
    }
    let target = BenchTarget(server: "\(server.address)", pin: server.id)
    let failure = try await failure { _ = try await measure(target, settings()) }
    #expect(failure?.kind == .failed && failure?.code == "benchAnswer")
    await server.close()
    await serving.value
  }

  // MARK: Strangers

  /// How a session ends in which something was said.
  private func end(_ target: BenchTarget, _ say: (Client) throws -> Void) async throws -> (EndReason?, messages: Int) {
    let client = try await Client(
      key: .generate(), application: BenchAction.application, server: target.server, pinned: target.pin)
    try say(client)
    var messages = 0
    for await event in client.events {
      switch event {
      case .message: messages += 1
      case .disconnected(let reason):
        await client.close(afterDelivery: false)
        return (reason, messages)
      case .roamed, .serverRoamed, .offline, .online, .reconnected: break
      }
    }
    return (nil, messages)
  }

  @Test func unknownQuestionsAreRefusedInWords() async throws {
    try await withHost { _, target in
      for (action, text) in [("format-disk", ""), ("", ""), ("begin", "a-war"), ("begin", "")] {
        let (reason, messages) = try await end(target) { try $0.send(text, as: action) }
        guard case .kicked(let words) = reason else {
          Issue.record("\(action): \(String(describing: reason))")
          continue
        }
        #expect(words.contains("does not know") && words.contains("update both sides"))
        #expect(messages == 0)
      }
      // And the client says so, with the exit code of a refusal.
      let failure = Failure(benchEvent: .disconnected(.kicked("this bench server does not know that")))
      #expect(failure?.kind == .refused && failure?.sentence.contains("does not know that") == true)
      // Others go on.
      #expect(try await measure(target, settings([.roundtrip])).count == 1)
    }
  }

  /// Nobody gets much more out of a bench server than was sent there.
  @Test func whatIsAskedForIsBounded() async throws {
    try await withHost { _, target in
      let (reason, messages) = try await end(target) { client in
        for _ in 0..<100 { try client.send("", as: "report", channel: 1) }
      }
      #expect(reason == .kicked("too many questions"))
      #expect(messages <= 16)
      let long = try await end(target) { try $0.send([UInt8](repeating: 0, count: 1025), as: "echo") }
      #expect(long.0 == .kicked("an echo has at most 1024 bytes") && long.messages == 0)
      let tooLarge = await #expect(throws: SendError.self) {
        _ = try await end(target) { try $0.send([UInt8](repeating: 0, count: 66_000), as: "count") }
      }
      guard case .tooLarge = tooLarge else {
        Issue.record("\(String(describing: tooLarge))")
        return
      }
    }
  }

  @Test func anEchoIsItsSendersAlone() async throws {
    try await withHost { _, target in
      let other = try await BenchSession.open(target, requiring: nil)
      #expect(try await measure(target, settings([.roundtrip])).count == 1)
      other.say(.doors)
      #expect(try await other.askForDoors(settings()).here == .everyPacket)
      // Nothing but the two answers has come.
      let rest = other.client.takeEvents().filter { event in
        if case .message(let message) = event { return message.action != "doors" }
        return false
      }
      #expect(rest.isEmpty)
      await other.close()
    }
  }

  @Test func whoSaysNothingIsPutOut() async throws {
    try await withHost { host, target in
      let server = host.services[0].server
      let idle = Task { try await end(target) { _ in } }
      try await eventually("it is in") { server.players.first }
      var watch = BenchWatch()
      for _ in 0..<2 { await watch.look(at: server) }
      #expect(try await idle.value.0 == .kicked("nothing was measured for a while"))
    }
  }

  @Test func whoMeasuresForTooLongIsPutOut() async throws {
    try await withHost { host, target in
      let server = host.services[0].server
      let isOver = Locked(false)
      let measuring = Task {
        defer { isOver.withLock { $0 = true } }
        // Longer than any story takes, however busy.
        let busy = BenchSettings(duration: .seconds(60), patience: .seconds(60), stories: [.roundtrip])
        return try await failure { _ = try await measure(target, busy) }
      }
      var watch = BenchWatch()
      var heard: [PlayerID: UInt64] = [:]
      var looks = 0
      while !isOver.withLock({ $0 }) {
        let before = heard
        try await eventually("it goes on measuring") {
          let now = await messages(of: server)
          return isOver.withLock { $0 } || now.contains { $0.value > before[$0.key] ?? 0 } ? true : nil
        }
        await watch.look(at: server)
        looks += 1
        // After the look, which has seen no more than that.
        heard = await messages(of: server)
      }
      #expect(looks > BenchWatch.maximumStay)
      let refusal = try await measuring.value
      #expect(refusal?.kind == .refused && refusal?.sentence.contains("does not take as long") == true)
    }
  }

  /// How many messages have come of each client.
  private func messages(of server: Server) async -> [PlayerID: UInt64] {
    var messages: [PlayerID: UInt64] = [:]
    for player in server.players { messages[player] = await server.statistics(of: player)?.messagesReceived }
    return messages
  }
}
