import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// When messages leave (`FlushPolicy`), and that waiting for it never becomes a loop.
@Suite struct BundlingTests {
  private static func pair(_ policy: FlushPolicy) throws -> Pair {
    var configuration = RoamkeyConfiguration()
    configuration.flushPolicy = policy
    let pair = Pair(configuration: configuration)
    pair.connect()
    // The clocks have been compared, as they are from the first message on, and nothing else is due.
    try send("before", .immediate, on: pair)
    pair.run(for: .seconds(3))
    return pair
  }

  private static func send(_ text: String, _ priority: Priority = .normal, on pair: Pair) throws {
    let content = MessageContent(format: .text, action: "", body: Array(text.utf8))
    try pair.client.send(content.encoded(), MessageOptions(priority: priority), now: pair.now)
  }

  /// How many datagrams the client sends now; none of them arrives.
  private static func drain(_ pair: Pair) -> Int {
    var buffer = [UInt8](repeating: 0, count: 1400)
    var count = 0
    while pair.poll(pair.client, &buffer) != nil { count += 1 }
    return count
  }

  @Test func messagesWaitForOthers() throws {
    let pair = try Self.pair(.after(.milliseconds(5)))
    try Self.send("one", on: pair)
    #expect(Self.drain(pair) == 0)
    try Self.send("two", on: pair)
    pair.now = pair.now + .milliseconds(5)
    pair.client.handleTimeout(now: pair.now)
    #expect(Self.drain(pair) == 1)
  }

  @Test func immediateOnesTakeTheOthersAlong() throws {
    for policy in [FlushPolicy.after(.seconds(1)), .manual] {
      let pair = try Self.pair(policy)
      try Self.send("one", on: pair)
      #expect(Self.drain(pair) == 0)
      try Self.send("now", .immediate, on: pair)
      #expect(Self.drain(pair) == 1)
    }
  }

  @Test func manualMeansManual() throws {
    let pair = try Self.pair(.manual)
    try Self.send("one", on: pair)
    pair.now = pair.now + .milliseconds(100)
    pair.client.handleTimeout(now: pair.now)
    #expect(Self.drain(pair) == 0)
    pair.client.flush(now: pair.now)
    #expect(Self.drain(pair) == 1)
  }

  /// The lowest priority is the last place where the fill looks for what it may not send yet: behind it is nothing.
  @Test(arguments: [FlushPolicy.manual, .after(.seconds(1))])
  func theLowestPriorityWaitsAsWell(_ policy: FlushPolicy) throws {
    let pair = try Self.pair(policy)
    try Self.send("low", .low, on: pair)
    #expect(Self.drain(pair) == 0)
    pair.now = pair.now + .seconds(1)
    pair.client.handleTimeout(now: pair.now)
    pair.client.flush(now: pair.now)
    #expect(Self.drain(pair) == 1)
  }

  /// A bundle whose time has come while the window is full: its timer must not stay due, or a driver would spin.
  @Test func aFullWindowIsNoLoop() throws {
    let pair = try Self.pair(.after(.milliseconds(5)))
    for _ in 0..<40 { try Self.send(String(repeating: "x", count: 1000), on: pair) }
    #expect(Self.drain(pair) > 5)
    try Self.send("tail", on: pair)
    pair.now = pair.now + .milliseconds(6)
    pair.client.handleTimeout(now: pair.now)
    _ = Self.drain(pair)
    #expect(pair.client.nextTimeout.map { $0 > pair.now } == true)
  }
}
