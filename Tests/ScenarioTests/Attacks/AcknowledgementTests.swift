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

    /// The highest number that the server has sent to the liar so far.
    var newest: UInt64 { server.sent.nextPacketNumber - (server.sent.isTrapNewest ? 2 : 1) }

    /// What has arrived at the liar, as it would honestly say.
    var received: [ClosedRange<UInt64>] { (0..<session.received.rangeCount).map { session.received.range($0) } }

    /// How the server has ended the session, if it has.
    var end: EndReason? { game.end(of: liar) }
  }

  private static let violation = EndReason.violation(code: CloseCode.protocolViolation.rawValue)

  /// The last number that was sent is believed; the next one, which was not, ends the session at once.
  @Test func ofPacketsThatWereNotSent() throws {
    let table = try Table(seed: 1)
    let world = table.game.world
    try #require(table.received.first?.upperBound == table.newest)
    table.acknowledge(table.received)
    world.run(for: .milliseconds(1))
    #expect(table.end == nil)
    table.acknowledge([table.server.sent.nextPacketNumber...table.server.sent.nextPacketNumber])
    world.run(for: .milliseconds(1))
    #expect(table.end == Self.violation)
    table.game.play(1)
    table.game.expectUnharmed()
  }

  /// Everything that goes to the liar is lost, and it acknowledges all of it the moment it was sent. For a while it is
  /// believed, and the server sends without regard to the network what its app has for it: until a number was left out,
  /// after 64 KiB at most.
  @Test(arguments: 2...9 as ClosedRange<UInt64>) func ofPacketsThatWereLost(seed: UInt64) throws {
    let table = try Table(seed: seed)
    let (world, game) = (table.game.world, table.game)
    world.tap { $0.isServers && $0.destination == table.liar.host.outside ? .drop : .pass }
    let before = table.server.counters.bytesSent
    let each = 1000
    for _ in 0..<100 where table.end == nil {
      // As much as the queue takes: an app that has no end of things to say.
      while (try? world.server.send(
        [0] + [UInt8](repeating: 1, count: each - 1), to: table.server.handle, now: world.now)) != nil
      {}
      #expect(table.server.sent.trackedPackets <= SentPackets<SentFrame>.maximumOutstanding + 256)
      table.acknowledge([0...table.newest])
      // The answer is seen before the next packet leaves: only that keeps the liar from guessing.
      world.run(for: .milliseconds(2))
    }
    #expect(table.end == Self.violation)
    let sent = Int(table.server.counters.bytesSent - before)
    // What was under way when the number was left out has left as well: a window of what was believed until then.
    #expect(sent <= 2 * NumberTraps.firstLimit + 12_000, "\(sent) bytes")
    game.play(1)
    game.expectUnharmed()
  }

  /// Who receives all that is sent to it, and says so of the numbers between as well, is found out all the same, as
  /// soon as one of them was left out; whoever says what is true gets everything.
  @Test(arguments: [true, false]) func ofAllUpToTheNewest(lies: Bool) throws {
    let table = try Table(seed: 11)
    let (world, game) = (table.game.world, table.game)
    let before = table.server.counters.bytesSent
    for round in 0..<400 where table.end == nil {
      world.send(numbered(5, size: 900, from: 5 * round), to: table.liar)
      game.play(ticks: 1)
      table.acknowledge(lies ? [0...(table.received.first?.upperBound ?? 0)] : table.received)
      world.run(for: .milliseconds(2))
    }
    #expect(table.end == (lies ? Self.violation : nil))
    let sent = Int(table.server.counters.bytesSent - before)
    if lies {
      #expect(sent <= NumberTraps.firstLimit + 12_000, "\(sent) bytes")
    } else {
      #expect(sent > 1_800_000 && table.server.sent.newestTrap != nil)
      world.run(for: .seconds(1))
      #expect(difference(table.liar.inbox, numbered(2000, size: 900)) == nil)
    }
    game.expectUnharmed()
  }

  /// Bad networks of all kinds, and megabytes each way: numbers are left out, and nobody who says what is true is ever
  /// taken for a liar. Each player roams now and then, so that everything under way is given up.
  @Test(arguments: 20..<28 as Range<UInt64>) func honestPlayersOnBadNetworks(seed: UInt64) throws {
    let networks: [NetworkConditions] = [.awful, .mobile, .school, .satellite]
    let game = HonestGame(seed: seed, conditions: .broadband)
    let world = game.world
    let player = world.addPlayer(conditions: networks[Int(seed) % networks.count])
    world.connect(player)
    world.run(within: .seconds(10)) { _ in player.hasJoined && world.session(of: player) != nil }
    let server = try #require(world.server.players[player.id])
    let client = try #require(player.client.session)
    let (up, down) = (numbered(2000, size: 600), numbered(2000, size: 600, salt: 1))
    for round in 0..<100 {
      world.send(Array(up[20 * round..<20 * round + 20]), from: player)
      world.send(Array(down[20 * round..<20 * round + 20]), to: player)
      if round % 25 == 24 { world.rebind(player) }
      game.play(ticks: 4)
    }
    world.expectDelivery(up: up, down: down, of: player, within: .seconds(600))
    #expect(server.traps.laid >= 4 && client.traps.laid >= 4, "\(server.traps.laid), \(client.traps.laid)")
    #expect(player.host.ends.isEmpty && player.host.joinedCount == 1)
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
    try #require(table.newest > 140 && table.server.traps.laid <= 1)
    let sent = (0...table.newest).reversed().filter { $0 != table.server.sent.newestTrap }
    for i in 0..<4000 {
      let ranges = (0..<64).map { sent[i % 3 + 2 * $0]...sent[i % 3 + 2 * $0] }
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
      let newest = table.newest
      let packet = table.session.forge(now: world.now) { output in
        output.append(0x02 as UInt8)
        output.append(varint: newest)
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
