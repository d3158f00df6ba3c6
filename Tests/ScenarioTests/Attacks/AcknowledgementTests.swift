import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Players who lie about what has arrived (RFC 9000 §21.4).
@Suite struct AcknowledgementTests {
  /// A game with one more player, who has joined and whose session the test forges packets of.
  private struct Table {
    let game: HonestGame
    let liar: SimulatedPlayer
    /// The liar's own session, and the server's end of it.
    let session: Session
    let server: Session

    init(seed: UInt64, configuration: RoamkeyConfiguration = .init()) throws {
      game = HonestGame(seed: seed, configuration: configuration)
      liar = game.world.addPlayer(conditions: NetworkConditions(delay: .milliseconds(20)))
      game.world.connect(liar)
      game.play(1)
      session = try #require(liar.client.session)
      server = try #require(game.world.server.players[liar.id])
    }

    /// Says that these packets of the server's have arrived.
    func acknowledge(_ ranges: [ClosedRange<UInt64>], after delay: Duration = .zero) {
      let packet = session.forge(now: game.world.now) { output in
        _ = output.appendAck(room: 900, delay: .zero, count: ranges.count) { ranges[$0] }
      }
      game.world.inject(packet, from: liar.host.outside, after: delay)
    }

    /// All that the server has sent to the liar so far.
    var sent: ClosedRange<UInt64> { 0...server.sent.nextPacketNumber - 1 }
  }

  /// The last number that was sent is believed; the next one, which was not, ends the session at once.
  @Test func ofPacketsThatWereNotSent() throws {
    let table = try Table(seed: 1)
    let world = table.game.world
    table.acknowledge([table.sent])
    world.run(for: .milliseconds(1))
    #expect(table.game.end(of: table.liar) == nil)
    table.acknowledge([0...table.server.sent.nextPacketNumber])
    world.run(for: .milliseconds(1))
    #expect(table.game.end(of: table.liar) == .violation(code: CloseCode.protocolViolation.rawValue))
    table.game.play(1)
    table.game.expectUnharmed()
  }

  /// Everything that goes to the liar is lost, and it acknowledges all of it the moment it was sent. It is believed:
  /// that is its own loss, for nothing of it is sent again. What it gains is that the server sends it without regard to the
  /// network whatever the server's app has for it, and no more; window and memory keep to their limits.
  @Test func ofPacketsThatWereLost() throws {
    let table = try Table(seed: 2)
    let (world, game) = (table.game.world, table.game)
    world.tap { $0.isServers && $0.destination == table.liar.host.outside ? .drop : .pass }
    let before = table.server.counters.bytesSent
    let each = 1000
    var queued = 0
    var widest = 0
    for _ in 0..<100 {
      // As much as the queue takes: an app that has no end of things to say.
      while (try? world.server.send(
        [0] + [UInt8](repeating: 1, count: each - 1), to: table.server.handle, now: world.now)) != nil
      {
        queued += each
      }
      table.acknowledge([table.sent])
      game.play(ticks: 1)
      widest = max(widest, table.server.congestion.window)
      #expect(table.server.sent.trackedPackets <= SentPackets<SentFrame>.maximumOutstanding + 256)
      #expect(table.server.queuedBytes <= world.configuration.sendQueueLimit)
    }
    table.acknowledge([table.sent])
    world.run(for: .milliseconds(100))
    #expect(widest > 100_000, "it is believed")
    #expect(widest <= 4 << 20, "within the limit of the window")
    let sent = Int(table.server.counters.bytesSent - before)
    #expect(sent > 1_000_000 && sent < 2 * queued, "\(sent) bytes for \(queued)")
    #expect(table.liar.inbox.isEmpty, "and it has nothing of it")
    #expect(game.end(of: table.liar) == nil)
    game.expectUnharmed()
  }

  /// Acknowledgements without end: of the same packets again and again, in as many ranges as a frame may have, and
  /// scattered over all that was sent. Nothing grows, and the others do not notice.
  @Test func withoutEnd() throws {
    let table = try Table(seed: 3)
    let (world, game) = (table.game.world, table.game)
    for _ in 0..<160 {
      world.send([[1]], to: table.liar)
      game.play(ticks: 1)
    }
    let last = table.sent.upperBound
    try #require(last > 130)
    for i in 0..<4000 as Range<UInt64> {
      let top = last - i % 3
      let ranges = (0..<64 as Range<UInt64>).map { top - 2 * $0...top - 2 * $0 }
      table.acknowledge(ranges, after: .microseconds(Int64(250 * i)))
    }
    game.play(2)
    #expect(game.end(of: table.liar) == nil)
    #expect(table.server.received.rangeCount <= ReceivedPackets.maximumRanges)
    #expect(table.server.sent.trackedPackets < 600)
    game.expectUnharmed()
  }

  /// Delays that cannot be, up to the largest number there is: the round trip is believed to be no shorter and no
  /// longer than what was measured, and the session goes on.
  @Test func withDelaysThatCannotBe() throws {
    let table = try Table(seed: 4)
    let (world, game) = (table.game.world, table.game)
    for i in 0..<100 {
      world.send([[UInt8(i)]], to: table.liar)
      world.run(for: .milliseconds(45))
      let sent = table.sent
      let packet = table.session.forge(now: world.now) { output in
        output.append(0x02 as UInt8)
        output.append(varint: sent.upperBound)
        output.append(varint: ((1 << 62) - 1) >> UInt64(i % 62))
        output.append(0x00 as UInt8)
        output.append(varint: 0)
      }
      world.inject(packet, from: table.liar.host.outside)
    }
    game.play(1)
    #expect(table.server.rtt.smoothed < .milliseconds(200) && table.server.rtt.smoothed > .zero)
    #expect(game.end(of: table.liar) == nil)
    game.expectUnharmed()
  }
}
