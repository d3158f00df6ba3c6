import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Somebody who sees nothing, and guesses connection ids (PROTOCOL §3.5, §6).
@Suite struct GuessingTests {
  /// A thousand packets a second with random ids, and with all ids that differ from a real one in a bit or two.
  @Test(arguments: [1, 2] as [UInt64]) func idsAreNotGuessed(seed: UInt64) throws {
    let game = HonestGame(seed: seed)
    let world = game.world
    let real = try #require(world.server.players[game.players[0].id]).issuedIDs.all.compactMap(\.routingKey)
    var guesses: [UInt64] = (0..<3000).map { _ in world.random.next() }
    for id in real {
      for i in 0..<64 as Range<UInt64> { guesses += [id ^ 1 << i, id ^ 1 << i ^ 1 << ((i + 7) % 64)] }
    }
    let unknown = guesses.filter { !real.contains($0) }
    for (i, guess) in unknown.enumerated() {
      var packet: [UInt8] = [UInt8(i & 0x1f)]
      packet.append(bigEndian: guess)
      packet += world.random.bytes(20 + i % 1000)
      world.inject(packet, from: HonestGame.attacker, after: .milliseconds(i))
    }
    game.play(4)
    let statistics = world.server.statistics
    #expect(statistics[.unknownConnection] == UInt64(unknown.count), "seed \(seed)")
    #expect(statistics[.authenticationFailed] == 0, "seed \(seed)")
    let traffic = world.serverTraffic(with: HonestGame.attacker)
    #expect(traffic.sent > 0 && traffic.sent < traffic.received, "seed \(seed)")
    game.expectUnharmed()
  }

  /// Who knows an id, since it was seen on the way, is told nothing by a server that has it: the token of a session
  /// that lives never leaves the server but to its client. A failed tag is all that comes of it.
  @Test func theTokenOfALivingSessionIsNotTold() throws {
    let game = HonestGame(seed: 3)
    let world = game.world
    let id = try #require(world.server.players[game.players[0].id]?.issuedIDs.all.first?.routingKey)
    for i in 0..<500 {
      var packet: [UInt8] = [UInt8(i & 0x1f)]
      packet.append(bigEndian: id)
      packet += world.random.bytes(60)
      world.inject(packet, from: HonestGame.attacker, after: .milliseconds(i))
    }
    game.play(1)
    #expect(world.server.statistics.resetsSent == 0)
    // Some unmask to a number that was seen.
    #expect(world.server.statistics[.authenticationFailed] + world.server.statistics[.replayed] == 500)
    #expect(world.serverTraffic(with: HonestGame.attacker).sent == 0)
    game.expectUnharmed()
  }
}
