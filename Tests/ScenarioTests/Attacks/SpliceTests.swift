import RoamkeyCrypto
import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Packets, and the frames of packets, of one session in another one.
@Suite struct SpliceTests {
  /// Packets of each player with the connection id of the other, and the server's packets for one at the other's
  /// address: ahead of the originals, from both addresses.
  @Test(arguments: [1, 2] as [UInt64], [SigningPolicy.everyPacket, .sealedOnly])
  func packetsOfAnotherSession(seed: UInt64, policy: SigningPolicy) {
    let game = HonestGame(seed: seed, players: 2, policy: policy)
    let (world, players) = (game.world, game.players)
    var ids: [Int: [UInt8]] = [:]
    var spliced = 0
    world.tap { datagram in
      guard datagram.bytes[0] & 0x80 == 0 else { return .pass }
      for (i, player) in players.enumerated() {
        let other = players[1 - i]
        if datagram.isFrom(player) {
          ids[i] = Array(datagram.bytes[1..<9])
          guard let id = ids[1 - i] else { continue }
          let bytes = [datagram.bytes[0]] + id + datagram.bytes.dropFirst(9)
          world.forward(datagram, as: bytes, after: .milliseconds(1))
          world.forward(datagram, as: bytes, from: other.host.outside, after: .milliseconds(1))
          spliced += 2
        } else if datagram.destination == player.host.outside {
          world.inject(datagram.bytes, from: datagram.source, to: other.host.outside, after: .milliseconds(1))
          spliced += 1
        }
      }
      return .pass
    }
    game.play(5)
    game.expectUnharmed()
    let failed =
      world.server.statistics[.authenticationFailed] + players[0].client.statistics[.authenticationFailed]
      + players[1].client.statistics[.authenticationFailed]
    // Some have a number that the other session has seen, and are dropped unopened.
    let seen = world.server.statistics[.replayed] + players.reduce(0) { $0 + $1.client.statistics[.replayed] }
    #expect(spliced > 400 && failed > 100 && failed + seen >= UInt64(spliced) - 10, "\(failed), \(seen) of \(spliced)")
  }

  /// PROTOCOL §4: what a player signed in one session, frames and trailer as they were, in another session of the same
  /// two keys, under the same packet number. Only who has the keys of both sessions can even try: here the player's own
  /// client, made to say what it said before. The signature names the session.
  @Test func signedFramesOfAnotherSession() throws {
    let world = SimulatedWorld(seed: 3)
    let player = world.addPlayer(identity: 7, conditions: .local)
    var packets: [[UInt8]] = []
    world.tap { datagram in
      guard datagram.isFrom(player), datagram.bytes[0] & 0x80 == 0 else { return .pass }
      packets.append(datagram.bytes)
      return .pass
    }
    world.connect(player)
    world.run(for: .seconds(1))
    packets = []
    // What the server opens, it can keep.
    var said: [UInt8]?
    let first = try #require(world.server.players[player.id])
    world.send(numbered(20), from: player)
    world.run(for: .seconds(1))
    packets = []
    world.send(numbered(1, from: 20), from: player)
    world.run(for: .nanoseconds(1))
    said = try first.read(#require(packets.first))
    let number = try #require(first.window.highest) + 1
    world.run(for: .seconds(1))
    #expect(world.inbox(from: player) == numbered(21))

    world.restart(player)
    world.run(for: .seconds(2))
    let second = try #require(world.server.players[player.id])
    #expect(second !== first && player.hasJoined)
    let client = try #require(player.client.session)
    #expect(client.sent.nextPacketNumber <= number)
    while client.sent.nextPacketNumber < number { _ = client.sent.takePacketNumber() }
    let forged = client.seal(plaintext: try #require(said), now: world.now)
    world.inject(forged, from: player.host.outside)
    world.run(for: .seconds(1))
    #expect(world.server.statistics[.badSignature] == 1)
    #expect(world.inbox(from: player).isEmpty)
    #expect(world.serverHost.ends.last == .violation(code: CloseCode.badSignature.rawValue))
    world.expectSound()
  }

  /// A host that has a player's signed packet alters it, and shows it as the player's word: the signature is of other
  /// frames. Unaltered it is good.
  @Test func aPacketThatTheHostHasAltered() throws {
    let world = SimulatedWorld(seed: 4)
    let player = world.addPlayer(conditions: .local)
    var packets: [[UInt8]] = []
    world.tap { datagram in
      if datagram.isFrom(player), datagram.bytes[0] & 0x80 == 0 { packets.append(datagram.bytes) }
      return .pass
    }
    world.connect(player)
    world.run(for: .seconds(1))
    packets = []
    let session = try #require(world.server.players[player.id])
    world.send([Array("I take Vega".utf8)], from: player)
    world.run(for: .nanoseconds(1))
    let packet = try #require(packets.first)
    let plaintext = try #require(session.read(packet))
    let number = try #require(session.window.highest) + 1

    func isGood(_ plaintext: [UInt8], by signer: PlayerID, number: UInt64) -> Bool {
      guard let trailer = try? SignatureTrailer(plaintext.span.bytes) else { return false }
      let direction = session.keys.sending.opposite
      let leaf = session.keys.leaf(
        direction, number: number, frames: plaintext.span.bytes.extracting(0..<trailer.frameCount),
        blinder: session.keys.blinder(direction, .current, number: number))
      var verifier = SignatureVerifier(peer: signer)
      return verifier.verify(trailer, leaf: leaf, plaintext.span.bytes)
    }
    #expect(isGood(plaintext, by: player.id, number: number), "the player has said this")
    for place in plaintext.indices {
      var altered = plaintext
      altered[place] ^= 1
      #expect(!isGood(altered, by: player.id, number: number), "byte \(place)")
    }
    #expect(!isGood(plaintext, by: player.id, number: number + 1), "it was that packet and no other")
    #expect(!isGood(plaintext, by: world.server.id, number: number), "nor is it somebody else's")
  }
}
