import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// A server that asks for cookies, and somebody who has seen the cookie of a player (PROTOCOL §1.6).
@Suite struct CookieTheftTests {
  /// Where the cookie stands in a Hello of a client with an empty connection id, and the mac behind it.
  private static let (cookie, mac) = (15..<35, 35..<51)

  private var configuration: RoamkeyConfiguration {
    var configuration = RoamkeyConfiguration()
    configuration.retryThreshold = 0
    return configuration
  }

  /// A game whose player had to show a cookie, and the Hello in which it did.
  private func game(seed: UInt64) throws -> (HonestGame, hello: [UInt8]) {
    var hello: [UInt8]?
    let game = HonestGame(seed: seed, configuration: configuration) { world in
      world.tap { datagram in
        let isProven =
          datagram.bytes[0] == HandshakeKind.hello.rawValue && datagram.bytes[Self.cookie].contains { $0 != 0 }
        if isProven { hello = datagram.bytes }
        return .pass
      }
    }
    game.play(1)
    return (game, try #require(hello))
  }

  /// Counts what the server says to an address, by its first byte.
  private func listen(_ world: SimulatedWorld, at address: NetworkAddress) -> () -> [UInt8: Int] {
    var kinds: [UInt8: Int] = [:]
    world.hear(address) { kinds[$0.bytes[0], default: 0] += 1 }
    return { kinds }
  }

  @Test func itIsGoodAtOneAddressOnly() throws {
    let (game, hello) = try game(seed: 1)
    let world = game.world
    let heard = listen(world, at: HonestGame.attacker)
    var samePort = HonestGame.attacker
    samePort.port = game.players[0].host.outside.port
    let heardAtPort = listen(world, at: samePort)
    let before = world.server.statistics.retriesSent
    for source in [HonestGame.attacker, samePort] {
      for i in 0..<50 { world.inject(hello, from: source, after: .milliseconds(10 * i)) }
    }
    game.play(2)
    #expect(heard() == [HandshakeKind.retry.rawValue: 50] && heardAtPort() == [HandshakeKind.retry.rawValue: 50])
    #expect(world.server.statistics.retriesSent == before + 100 && world.server.halfOpen.count == 0)
    game.expectUnharmed()
  }

  /// The thief claims the player's address, which it may: the cookie is of this Hello, and of no other key or id.
  @Test func itIsGoodForOneHelloOnly() throws {
    let (game, hello) = try game(seed: 2)
    let (world, player) = (game.world, game.players[0])
    let before = world.server.statistics.retriesSent
    // Another connection id, another key, other bytes of the cookie, another time in it.
    let places = Array(6..<14) + Array(51..<83) + Array(Self.cookie)
    for place in places {
      var other = hello
      other[place] ^= 1
      world.inject(other, from: player.host.outside)
    }
    world.run(for: .milliseconds(100))
    #expect(world.server.statistics.retriesSent == before + UInt64(places.count))
    #expect(world.server.halfOpen.count == 0)
    game.play(1)
    game.expectUnharmed()
  }

  /// What the cookie does not cover gives a new handshake each time: a thief makes the server do as much work as
  /// handshakes from one address may ever cost, and for as long as the cookie is valid. Who is elsewhere gets in.
  @Test func itBuysNoMoreThanTheLimitOfAnAddress() throws {
    let (game, hello) = try game(seed: 3)
    let (world, player) = (game.world, game.players[0])
    for i in 0..<1000 {
      var other = hello
      other[Self.mac.lowerBound] = UInt8(truncatingIfNeeded: i)
      other[Self.mac.lowerBound + 1] = UInt8(i >> 8)
      world.inject(other, from: player.host.outside, after: .microseconds(100 * i))
    }
    world.run(for: .milliseconds(200))
    #expect(world.server.halfOpen.count == 4 * 32)
    #expect(world.server.statistics[.tooManyHandshakes] >= 1000 - 128 - 1)
    let elsewhere = world.addPlayer(conditions: .local)
    world.connect(elsewhere)
    world.run(for: .seconds(1))
    #expect(elsewhere.hasJoined)
    world.run(for: .seconds(61))
    #expect(world.server.halfOpen.count == 0)
    var late = hello
    late[Self.mac.lowerBound] ^= 0x55
    world.inject(late, from: player.host.outside)
    world.run(for: .seconds(1))
    #expect(world.server.halfOpen.count == 0, "a minute later it is worth nothing")
    game.expectUnharmed()
  }
}
