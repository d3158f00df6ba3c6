import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// A process that ends without a word when all is over, and begins anew: who was in is in again by itself, and what is
/// said from then on arrives.
extension RandomStory {
  mutating func restart() {
    let downtime = random.duration(below: .seconds(3))
    if random.chance(0.5) {
      log.append("the server begins anew after \(downtime)")
      restartServer(downtime)
    } else {
      log.append("player 0 begins anew after \(downtime)")
      restartPlayer(downtime, keepsPort: random.chance(0.5))
    }
    for player in players { talkAgain(player) }
    #expect(world.violations == [], "seed \(seed); \(log)")
  }

  private func restartPlayer(_ downtime: Duration, keepsPort: Bool) {
    let (world, player) = (world, players[0])
    let joined = world.serverHost.joinedCount
    world.restart(player, after: downtime, keepsPort: keepsPort)
    let isIn = world.run(within: downtime + .seconds(10)) { world in
      player.hasJoined && world.serverHost.joinedCount == joined + 1
    }
    #expect(isIn && world.serverHost.ends == [.replaced], "seed \(seed), player 0 is not in again; \(log)")
  }

  private func restartServer(_ downtime: Duration) {
    let (world, players) = (world, players)
    world.restartServer(after: downtime)
    // Nobody would notice a server that nobody talks to.
    for player in players { world.send([1], from: player) }
    let areIn = world.run(within: downtime + .seconds(10)) { world in
      players.allSatisfy { $0.host.joinedCount == 2 } && world.serverHost.joinedCount == players.count
    }
    #expect(areIn, "seed \(seed): not all are in again; \(log)")
    for player in players {
      #expect(player.host.undelivered == [[1]] && player.host.ends.isEmpty, "seed \(seed); \(log)")
    }
  }

  private func talkAgain(_ player: SimulatedPlayer) {
    let (up, down) = (numbered(10, size: 2000, salt: 50), numbered(10, size: 2000, salt: 51))
    let (before, own) = (world.inbox(from: player).count, player.inbox.count)
    world.send(up, from: player)
    world.send(down, to: player)
    world.run(for: .seconds(10))
    let upward = difference(Array(world.inbox(from: player).dropFirst(before)), up)
    let downward = difference(Array(player.inbox.dropFirst(own)), down)
    #expect(upward == nil, "seed \(seed), player \(player.index) to server, after a restart; \(log)")
    #expect(downward == nil, "seed \(seed), server to player \(player.index), after a restart; \(log)")
  }
}
