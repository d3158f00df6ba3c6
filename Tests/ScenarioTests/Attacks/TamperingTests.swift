import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Somebody on the way who cuts and alters what passes, and is faster than the original.
@Suite struct TamperingTests {
  /// Datagrams that the attacker damages: the handshake and the first packets, of each side.
  private static let limit = 12

  /// Watches from the first Hello on, and sends damaged copies of the first datagrams of each side ahead of them.
  private func game(
    seed: UInt64, policy: SigningPolicy, copies: @escaping ([UInt8]) -> [[UInt8]]
  ) -> (game: HonestGame, damaged: Int) {
    var counts = [true: 0, false: 0]
    var damaged = 0
    let game = HonestGame(seed: seed, policy: policy) { world in
      world.tap { datagram in
        counts[datagram.isServers, default: 0] += 1
        guard counts[datagram.isServers, default: 0] <= Self.limit else { return .pass }
        for bytes in copies(datagram.bytes) {
          damaged += 1
          world.forward(datagram, as: bytes, after: .milliseconds(1))
        }
        return .pass
      }
    }
    game.play(2)
    return (game, damaged)
  }

  /// PROTOCOL §1.7, §3.5: what is cut off anywhere is dropped, and the whole that follows is not held against it.
  @Test(arguments: [1, 2] as [UInt64], [SigningPolicy.everyPacket, .sealedOnly])
  func truncation(seed: UInt64, policy: SigningPolicy) {
    let (game, damaged) = game(seed: seed, policy: policy) { bytes in
      // Of the long ones, which are mostly padding, both ends and some places between.
      let places = bytes.count <= 300 ? Array(0..<bytes.count) : Array(0..<120) + Array(bytes.count - 80..<bytes.count)
      return places.map { Array(bytes[..<$0]) }
    }
    #expect(damaged > 1000, "seed \(seed)")
    let dropped = game.world.server.statistics.dropped + game.players[0].client.statistics.dropped
    #expect(dropped == UInt64(damaged), "seed \(seed): each of them is dropped and counted")
    game.expectUnharmed()
  }

  /// Every bit of each packet and of the Welcome and the Finish. Of the Hello, which anybody may alter, so many that
  /// the server does not yet ask for cookies.
  @Test(arguments: [3, 4] as [UInt64], [SigningPolicy.everyPacket, .sealedOnly])
  func bitFlips(seed: UInt64, policy: SigningPolicy) {
    var hellos = 0
    let (game, damaged) = game(seed: seed, policy: policy) { bytes in
      let isHello = bytes[0] == HandshakeKind.hello.rawValue && bytes.count == HelloDatagram.size
      if isHello { hellos += 1 }
      let bits =
        isHello
        ? Array(stride(from: 7, to: 8 * 84, by: 31)) + Array(stride(from: 8 * 84, to: 8 * 1200, by: 1500))
        : Array(0..<8 * min(bytes.count, 400))
      return bits.map { bit in
        var copy = bytes
        copy[bit / 8] ^= 1 << UInt8(bit % 8)
        return copy
      }
    }
    #expect(damaged > 5000, "seed \(seed)")
    #expect(hellos == 1, "seed \(seed): the first Hello is answered, whatever came before it")
    let statistics = game.world.server.statistics
    #expect(statistics[.authenticationFailed] > 1000 && statistics[.badHandshake] > 1000, "seed \(seed)")
    #expect(statistics[.badSignature] == 0 && game.players[0].client.statistics[.badSignature] == 0, "nothing opens")
    game.expectUnharmed()
  }

  /// PROTOCOL §3.1: the bits that are always zero make it no packet at all; nobody is asked about it.
  @Test func otherKindsOfDatagrams() {
    let game = HonestGame(seed: 5)
    let world = game.world
    world.tap { datagram in
      for first in stride(from: UInt8(0x20), through: 0xe0, by: 0x20) {
        world.forward(datagram, as: [datagram.bytes[0] | first] + datagram.bytes.dropFirst(), after: .milliseconds(1))
      }
      return .pass
    }
    game.play(2)
    #expect(world.server.statistics[.authenticationFailed] == 0)
    #expect(world.server.statistics[.malformed] > 100)
    game.expectUnharmed()
  }
}
