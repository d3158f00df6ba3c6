import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Everybody's own packets, sent back to them. (That a server is no mirror for others stands in `AttackTests`.)
@Suite struct ReflectionTests {
  /// PROTOCOL §2.1: each direction has keys of its own. With the connection id that the other end would expect, from
  /// the other end's address, ahead of the original.
  @Test(arguments: [1, 2] as [UInt64], [0, 8])
  func ownPacketsComeBack(seed: UInt64, idSize: Int) {
    var configuration = RoamkeyConfiguration()
    configuration.clientConnectionIDSize = idSize
    let game = HonestGame(seed: seed, configuration: configuration)
    let (world, player) = (game.world, game.players[0])
    var serversID: [UInt8] = []
    var clientsID: [UInt8] = []
    var reflected = 0
    world.tap { datagram in
      guard datagram.bytes[0] & 0x80 == 0 else { return .pass }
      let size = datagram.isServers ? idSize : 8
      let id = Array(datagram.bytes[1..<1 + size])
      if datagram.isServers { clientsID = id } else { serversID = id }
      guard !serversID.isEmpty, idSize == 0 || !clientsID.isEmpty else { return .pass }
      let rest = datagram.bytes.dropFirst(1 + size)
      for bytes in [datagram.bytes, [datagram.bytes[0]] + (datagram.isServers ? serversID : clientsID) + rest] {
        world.inject(bytes, from: datagram.destination, to: datagram.source, after: .milliseconds(1))
        reflected += 1
      }
      return .pass
    }
    game.play(5)
    game.expectUnharmed()
    let dropped = world.server.statistics.dropped + player.client.statistics.dropped
    #expect(reflected > 400 && dropped >= UInt64(reflected) - 20, "\(dropped) of \(reflected)")
  }

  /// Handshake datagrams come back to whoever wrote them, too: none is answered, and the handshake goes on.
  @Test(arguments: [3, 4] as [UInt64])
  func ownHandshakeComesBack(seed: UInt64) {
    var reflected = 0
    let game = HonestGame(seed: seed) { world in
      world.tap { datagram in
        guard datagram.bytes[0] & 0x80 != 0 else { return .pass }
        reflected += 1
        world.inject(datagram.bytes, from: datagram.destination, to: datagram.source, after: .milliseconds(1))
        return .pass
      }
    }
    game.play(2)
    #expect(reflected >= 3, "seed \(seed)")
    // A Hello at a client, a Welcome at a server, a Finish at a client.
    let dropped = game.world.server.statistics.dropped + game.players[0].client.statistics.dropped
    #expect(dropped == UInt64(reflected), "seed \(seed)")
    game.expectUnharmed()
  }
}
