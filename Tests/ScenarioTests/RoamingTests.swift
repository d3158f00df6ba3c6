import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Players who change networks, knowingly or not (PROTOCOL §5): one session, nothing lost.
@Suite struct RoamingTests {
  private static let conditions = NetworkConditions(
    loss: 0.02, delay: .milliseconds(20), jitter: .milliseconds(10))

  /// Sends both ways every 20 ms for so many seconds, while `events` happen.
  private func play(
    _ world: SimulatedWorld, _ player: SimulatedPlayer, seconds: Int, _ events: (SimulatedWorld) -> Void
  ) {
    let up = numbered(seconds * 50)
    let down = numbered(seconds * 50, salt: 1)
    for tick in 0..<seconds * 50 {
      world.after(.milliseconds(20 * tick)) { world in
        world.send(up[tick], from: player)
        world.send([down[tick]], to: player)
      }
    }
    events(world)
    world.run(for: .seconds(seconds))
    world.expectDelivery(up: up, down: down, of: player)
    #expect(player.host.joinedCount == 1 && world.serverHost.joinedCount == 1)
    #expect(player.host.ends.isEmpty && world.serverHost.ends.isEmpty)
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func natRebinding(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.conditions)
    let before = player.host.outside
    play(world, player, seconds: 4) { $0.after(.seconds(2)) { $0.rebind(player) } }
    let after = player.host.outside
    #expect(before.ip == after.ip && before != after)
    #expect(world.serverHost.moves == [Move(.peer, before, after)])
    #expect(player.host.moves == [Move(.own, before, after)])
    world.expectQuiet(player)
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func clientMoves(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.conditions)
    let before = player.host.outside
    play(world, player, seconds: 4) { $0.after(.seconds(2)) { $0.move(player) } }
    let after = player.host.outside
    #expect(before.ip != after.ip)
    #expect(world.serverHost.moves == [Move(.peer, before, after)])
    #expect(player.host.moves == [Move(.own, before, after)])
    world.expectQuiet(player)
  }

  /// It has nothing to say, and moves all the same: who has something to say to it can do so at once.
  @Test func aSilentClientMoves() {
    let (world, player) = SimulatedWorld.joined(seed: 5, conditions: .local)
    world.run(for: .seconds(1))
    world.move(player)
    world.run(for: .milliseconds(500))
    #expect(world.serverHost.moves.count == 1 && player.host.moves.count == 1)
    world.send(numbered(3), to: player)
    world.expectDelivery(down: numbered(3), of: player, within: .milliseconds(100))
  }

  /// A silent client whose NAT rebinds is found by its own keep-alive.
  @Test func aSilentClientIsRebound() {
    let (world, player) = SimulatedWorld.joined(seed: 6, conditions: .local)
    world.run(for: .seconds(1))
    world.rebind(player)
    world.send(numbered(3), to: player)
    world.expectDelivery(down: numbered(3), of: player, within: .seconds(10))
    #expect(world.serverHost.moves.count == 1 && player.host.moves.count == 1)
    #expect(world.strayDatagrams > 0 && world.serverHost.offlineCount == 0)
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func fiftyMovesInFiftySeconds(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: Self.conditions)
    play(world, player, seconds: 51) { world in
      for move in 0..<50 {
        world.after(.milliseconds(500 + 1000 * move)) { world in
          switch move % 3 {
          case 0: world.move(player)
          case 1: world.rebind(player)
          default: world.move(player, isNoticed: false)
          }
        }
      }
    }
    // A second is enough for each to be validated, though a move may be overtaken by the next.
    #expect((40...50).contains(world.serverHost.moves.count), "\(world.serverHost.moves.count) moves")
    #expect(player.host.moves.count <= world.serverHost.moves.count)
    #expect(player.host.moves.last?.to == player.host.outside)
    #expect(world.serverHost.moves.last?.to == player.host.outside)
    world.expectQuiet(player)
  }

  /// Faster than a round trip: no place is ever validated before it is left.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func movesFasterThanARoundTrip(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(
      seed: seed, conditions: NetworkConditions(loss: 0.05, delay: .milliseconds(50)))
    play(world, player, seconds: 10) { world in
      for move in 0..<80 { world.after(.milliseconds(1000 + 60 * move)) { $0.move(player) } }
    }
    #expect(world.serverHost.moves.last?.to == player.host.outside)
    #expect(player.host.moves.last?.to == player.host.outside)
  }

  /// A move in the middle of a large message, and a new network that begins by losing much.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func movesToABadNetwork(seed: UInt64) {
    let (world, player) = SimulatedWorld.joined(seed: seed, conditions: .local)
    let messages = numbered(4, size: 200_000)
    world.send(messages, to: player)
    world.send(messages, from: player)
    world.after(.milliseconds(20)) { world in
      world.setConditions(NetworkConditions(loss: 0.5, delay: .milliseconds(80)), of: player.host)
      world.move(player, isNoticed: false)
    }
    world.after(.seconds(20)) { $0.setConditions(.local, of: player.host) }
    world.expectDelivery(up: messages, down: messages, of: player, within: .seconds(120))
  }

  /// Two places that take turns, as with two networks that come and go.
  @Test func thereAndBack() {
    let (world, player) = SimulatedWorld.joined(seed: 9, conditions: Self.conditions)
    play(world, player, seconds: 20) { world in
      for move in 0..<18 {
        world.after(.milliseconds(1000 * move + 500)) { $0.move(player, toPlace: move % 2) }
      }
    }
    #expect(world.serverHost.moves.last?.to == player.host.outside)
  }
}
