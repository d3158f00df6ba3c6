import RoamkeyCrypto
import RoamkeyWire
import Testing

@testable import RoamkeyEngine
@testable import RoamkeySimulator

/// A game that goes on while somebody attacks it: the honest half of what each test of this folder shows.
///
/// Each player says something 20 times a second and hears something as often. At the end nothing of it may be missing,
/// nobody has left or joined again, and nobody has moved.
final class HonestGame {
  static let attacker = NetworkAddress(ipv4: 203, 0, 113, 66, port: 6666)

  let world: SimulatedWorld
  let players: [SimulatedPlayer]
  private var rounds = 0

  /// - Parameter conditions: of the players' access. An attacker's datagrams take 1 ms, so they are the faster ones.
  init(
    seed: UInt64, players count: Int = 1, conditions: NetworkConditions = NetworkConditions(delay: .milliseconds(20)),
    configuration: RoamkeyConfiguration = .init(), policy: SigningPolicy = .everyPacket,
    before attack: (SimulatedWorld) -> Void = { _ in }
  ) {
    var settings = ServerSettings(application: SimulatedWorld.application)
    settings.signingPolicy = policy
    let world = SimulatedWorld(seed: seed, settings: settings, configuration: configuration)
    self.world = world
    attack(world)
    let players = (0..<count).map { _ in world.addPlayer(conditions: conditions) }
    self.players = players
    for player in players { world.connect(player) }
    world.run(within: .seconds(10)) { world in
      players.allSatisfy { $0.hasJoined && world.session(of: $0) != nil }
    }
    #expect(players.allSatisfy { $0.hasJoined }, "seed \(seed): an honest player was kept out")
  }

  /// Goes on for a while.
  func play(_ seconds: Int) { play(ticks: 20 * seconds) }

  /// The same, in ticks of 50 ms.
  func play(ticks: Int) {
    for _ in 0..<ticks {
      for player in players {
        world.send(numberedMessage(rounds, size: 40), from: player)
        world.send([numberedMessage(rounds, size: 200, salt: 1)], to: player)
      }
      rounds += 1
      world.run(for: .milliseconds(50))
    }
  }

  /// What every attack has to leave as it is.
  func expectUnharmed(sourceLocation: SourceLocation = #_sourceLocation) {
    let (up, down) = (numbered(rounds, size: 40), numbered(rounds, size: 200, salt: 1))
    for player in players {
      world.expectDelivery(up: up, down: down, of: player, sourceLocation: sourceLocation)
      #expect(player.host.joinedCount == 1 && player.host.ends.isEmpty, sourceLocation: sourceLocation)
      #expect(player.host.moves.isEmpty && player.host.offlineCount == 0, sourceLocation: sourceLocation)
      let joined = world.serverHost.events.count { if case .joined(_, player.id, _) = $0 { true } else { false } }
      #expect(joined == 1, "one session each", sourceLocation: sourceLocation)
      #expect(end(of: player) == nil, sourceLocation: sourceLocation)
    }
    #expect(world.serverHost.moves.isEmpty, "nobody has moved", sourceLocation: sourceLocation)
  }

  /// Why the server has ended a player's session; nil where it has not.
  func end(of player: SimulatedPlayer) -> EndReason? {
    guard let session = world.session(of: player) else { return nil }
    for case .left(session, let reason) in world.serverHost.events { return reason }
    return nil
  }
}

extension Session {
  /// A packet of this session with whatever frames a test likes: what somebody can send who has good keys.
  func forge(now: Instant, _ frames: (inout OutputRawSpan) -> Void) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1400)
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      let packet = beginPacket(into: &output, size: 1200)
      frames(&output)
      finishPacket(
        packet, into: &output, isAckEliciting: false, isPadded: false, remote: peerAddress, now: now)
      return output.finalize(for: bytes)
    }
    return Array(buffer[..<count])
  }

  /// A packet with this plaintext, frames and trailer, sealed by this session and signed by nobody.
  func seal(plaintext: [UInt8], now: Instant) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1400)
    let count = buffer.withUnsafeMutableBytes { bytes in
      var output = OutputRawSpan(buffer: bytes, initializedCount: 0)
      let packet = beginPacket(into: &output, size: 1400)
      output.append(contentsOf: plaintext.span.bytes)
      output.append(repeating: 0, count: ChaChaPoly.tagSize, as: UInt8.self)
      output.withUnsafeMutableBytes { buffer, count in
        var datagram = MutableRawSpan(_unsafeBytes: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        keys.protect(
          &datagram, headerSize: packet.headerSize, numberSize: packet.numberSize, number: packet.number)
      }
      _ = sent.takePacketNumber()
      return output.finalize(for: bytes)
    }
    return Array(buffer[..<count])
  }

  /// What a packet for this session says: its frames and its trailer. It is not received.
  func read(_ packet: [UInt8]) -> [UInt8]? {
    var packet = packet
    return packet.withUnsafeMutableBytes { bytes in
      var span = MutableRawSpan(_unsafeBytes: bytes)
      let opened = try? keys.open(&span, connectionIDSize: issuedIDs.size, window: window, receiving: phases)
      return opened.map { span.bytes.array($0.plaintext) }
    }
  }
}
