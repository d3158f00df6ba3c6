import TestSupport
import Testing

@testable import Roamkey

/// Players who rest: nothing is sent, nobody is missed.
@Suite(.realTime, .timeLimit(.minutes(40))) struct RestTests {
  /// A ping every 100 ms, offline after 200 ms of silence: a second says much.
  private var lively: RoamkeyConfiguration {
    var configuration = RoamkeyConfiguration()
    configuration.keepAliveInterval = .milliseconds(100)
    configuration.quietInterval = .milliseconds(100)
    configuration.missesUntilOffline = 2
    return configuration
  }

  private struct Pair {
    let server: Server
    let client: Client

    /// Waits until both sides think the same of the session.
    func become(_ presence: Presence) async throws {
      try await eventually("\(presence) on both sides") {
        let ours = await client.sessionStatistics()?.presence
        let theirs = await server.statistics(of: client.id)?.presence
        return ours == presence && theirs == presence ? true : nil
      }
    }

    var datagrams: [UInt64] {
      get async { [await client.statistics().datagramsSent, await server.statistics().datagramsSent] }
    }

    /// Waits until the last acknowledgement is through, and a second more.
    func areSilent() async throws {
      var before: [UInt64] = []
      try await eventually("silence") {
        let last = before
        before = await datagrams
        try? await Task.sleep(for: .milliseconds(150))
        return before == last ? true : nil
      }
      // What was missed before the rest began is another matter.
      _ = (client.takeEvents(), server.takeEvents())
      try await Task.sleep(for: .seconds(1))
      #expect(await datagrams == before, "nothing at all is sent")
      #expect(!client.takeEvents().contains(.offline) && !server.takeEvents().contains(.offline(client.id)))
      try await become(.resting)
    }

    func arePinging() async throws {
      let before = await datagrams
      try await eventually("pings") { () -> Bool? in
        let now = await datagrams
        return now[0] > before[0] + 3 && now[1] > before[1] + 3 ? true : nil
      }
    }

    func close() async {
      await client.close()
      await server.close()
    }
  }

  private func makePair(_ policy: FlushPolicy = .atOnce) async throws -> Pair {
    var configuration = lively
    configuration.flushPolicy = policy
    let server = try await makeServer(configuration: configuration)
    return Pair(server: server, client: try await makeClient(server, configuration: configuration))
  }

  enum Side: CaseIterable { case client, server }
  enum Waking: CaseIterable { case message, messageOfTheOther, word }

  private func rest(_ side: Side, in pair: Pair) {
    switch side {
    case .client: pair.client.rest()
    case .server: pair.server.rest(pair.client.id)
    }
  }

  private func resume(_ side: Side, in pair: Pair) {
    switch side {
    case .client: pair.client.resume()
    case .server: pair.server.resume(pair.client.id)
    }
  }

  private func say(_ text: String, _ side: Side, in pair: Pair) throws {
    switch side {
    case .client: try pair.client.send(text)
    case .server: #expect(pair.server.send(text, to: pair.client.id) == nil)
    }
  }

  @Test(arguments: Side.allCases, Waking.allCases)
  func nothingIsSentUntilSomebodyWakes(_ side: Side, _ waking: Waking) async throws {
    let pair = try await makePair()
    try await pair.become(.playing)
    try await pair.arePinging()
    rest(side, in: pair)
    try await pair.become(.resting)
    try await pair.areSilent()
    switch waking {
    case .message: try say("up", side, in: pair)
    case .messageOfTheOther: try say("up", side == .client ? .server : .client, in: pair)
    case .word: resume(side, in: pair)
    }
    try await pair.become(.playing)
    try await pair.arePinging()
    try await pair.become(.playing)
    await pair.close()
  }

  @Test func ofTwoWhoRestOneCannotTakeBackWhatTheOtherSaid() async throws {
    let pair = try await makePair()
    rest(.client, in: pair)
    try await pair.become(.resting)
    resume(.server, in: pair)
    try await pair.areSilent()
    rest(.server, in: pair)
    resume(.client, in: pair)
    try await pair.areSilent()
    resume(.server, in: pair)
    try await pair.become(.playing)
    await pair.close()
  }

  /// News of a rest that overtook a message would be undone by it.
  @Test(arguments: Side.allCases, [FlushPolicy.atOnce, .manual])
  func whatWasSentBeforeComesFirst(_ side: Side, _ policy: FlushPolicy) async throws {
    let pair = try await makePair(policy)
    let (server, client) = (pair.server.log, pair.client.log)
    let count = 100
    for number in 0..<count { try say("\(number) " + String(repeating: "x", count: 1000), side, in: pair) }
    rest(side, in: pair)
    if policy == .manual {
      pair.client.flush()
      pair.server.flush()
    }
    switch side {
    case .client: _ = try await server.all(count, "all") { if case .message = $0 { true } else { nil } }
    case .server: _ = try await client.all(count, "all") { if case .message = $0 { true } else { nil } }
    }
    try await pair.become(.resting)
    try await pair.areSilent()
    await pair.close()
  }

  @Test func aMessageThatFollowsAtOnceEndsIt() async throws {
    let pair = try await makePair()
    let log = pair.server.log
    for number in 1...20 {
      pair.client.rest()
      try pair.client.send("\(number)")
      _ = try await log.all(number, "the message") { if case .message = $0 { true } else { nil } }
    }
    try await pair.become(.playing)
    try await pair.arePinging()
    try await pair.become(.playing)
    await pair.close()
  }

  @Test func aRestIsNotForEver() async throws {
    var configuration = lively
    configuration.restingLimit = .milliseconds(700)
    let server = try await makeServer(configuration: configuration)
    let client = try await makeClient(server, configuration: configuration)
    let log = server.log
    client.rest()
    #expect(await client.waitUntilDisconnected() == .timedOut)
    try await log.first("the leave") { $0 == .left(client.id, .timedOut) ? true : nil }
    // Who has no session any more may say what it likes.
    client.rest()
    client.resume()
    server.rest(client.id)
    server.resume(client.id)
    server.rest(PlayerKey.generate().id)
    #expect(log.events.count { if case .left = $0 { true } else { false } } == 1)
    await client.close()
    client.rest()
    await server.close()
    server.rest(client.id)
  }
}
