import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §6: what a server says to packets of sessions that it does not know.
struct StrangerTests {
  /// The datagrams that a server sends in answer to packets of these sizes, one after the other.
  private static func answers(to sizes: [Int], isQuiet: Bool = false, id: UInt64 = 7) -> [[UInt8]] {
    var configuration = RoamkeyConfiguration()
    configuration.isQuiet = isQuiet
    let pair = Pair(configuration: configuration)
    var buffer = [UInt8](repeating: 0, count: 1400)
    var found: [[UInt8]] = []
    for size in sizes {
      var packet = [UInt8](repeating: 0x11, count: size)
      packet[0] = 0x01
      for i in 0..<8 { packet[1 + i] = UInt8(truncatingIfNeeded: id >> (8 * UInt64(7 - i))) }
      pair.deliver(packet, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
      while let answer = pair.poll(pair.server, &buffer) { found.append(answer) }
    }
    return found
  }

  @Test func onlyPacketsThatAreLargerThanTheAnswerAreAnswered() {
    #expect(Self.answers(to: [29, 43]).isEmpty)
    let answers = Self.answers(to: [44, 1200])
    #expect(answers.map(\.count) == [43, 43])
    // All of it but the token is random; the token is that of the id.
    #expect(answers[0].prefix(27) != answers[1].prefix(27) && answers[0].suffix(16) == answers[1].suffix(16))
    #expect(answers.allSatisfy { $0[0] & 0xe0 == 0 }, "it looks like a packet")
    #expect(Self.answers(to: [44], id: 8)[0].suffix(16) != answers[0].suffix(16))
  }

  @Test func aQuietServerSaysNothing() {
    #expect(Self.answers(to: [44, 1200], isQuiet: true).isEmpty)
  }

  @Test func aFloodIsAnsweredWithinLimits() {
    let answers = Self.answers(to: [Int](repeating: 60, count: 3000))
    #expect(answers.count == 1000)
  }

  @Test func whoWasPutOutIsNotToldToComeBack() throws {
    var limiter = ResetLimiter()
    let now = Instant(nanoseconds: 0)
    #expect(limiter.allows(1, now: now) == true)
    limiter.bury(1)
    #expect(limiter.allows(1, now: now) == false)
    for id in 2..<5000 as Range<UInt64> { limiter.bury(id) }
    #expect(limiter.allows(1, now: now) == true, "the oldest are forgotten")
    #expect(limiter.allows(4999, now: now) == false)
  }

  @Test func theLimitFillsUpAgain() {
    var limiter = ResetLimiter()
    var now = Instant(nanoseconds: 0)
    func count(_ tries: Int) -> Int { (0..<tries).count { limiter.allows(UInt64($0), now: now) } }
    #expect(count(2000) == 1000)
    now = now + .milliseconds(100)
    #expect(count(2000) == 100)
    now = now + .seconds(3600)
    #expect(count(2000) == 1000)
  }
}
