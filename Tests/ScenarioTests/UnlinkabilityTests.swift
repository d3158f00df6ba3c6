import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Who moves on purpose cannot be recognised by what is on the wire (PROTOCOL §5.5): nothing that an observer of both
/// networks sees is the same before and after. Times and sizes are another matter.
@Suite struct UnlinkabilityTests {
  /// What an observer of all networks has seen of one player, by the player's address and port of the moment.
  private final class Observer {
    /// Eight bytes in a row, and where they stood.
    private struct Window: Hashable {
      let bytes: UInt64
      let offset: Int
      let isUp: Bool
    }

    private var seen: [Window: NetworkAddress] = [:]
    private(set) var addresses: [NetworkAddress] = []
    private(set) var links: [String] = []
    private(set) var datagrams = 0

    init(of player: SimulatedPlayer, in world: SimulatedWorld) {
      world.tap { [unowned self, unowned player] datagram in
        if datagram.isFrom(player) { note(datagram.bytes, of: datagram.source, isUp: true) }
        if datagram.isServers { note(datagram.bytes, of: datagram.destination, isUp: false) }
        return .pass
      }
    }

    private func note(_ bytes: [UInt8], of address: NetworkAddress, isUp: Bool) {
      datagrams += 1
      if addresses.last != address, !addresses.contains(address) { addresses.append(address) }
      var window: UInt64 = 0
      for (index, byte) in bytes.enumerated() {
        window = window << 8 | UInt64(byte)
        guard index >= 7 else { continue }
        let place = Window(bytes: window, offset: index - 7, isUp: isUp)
        guard let other = seen.updateValue(address, forKey: place), other != address else { continue }
        if links.count < 10 { links.append("\(other) and \(address): bytes \(index - 7) to \(index), isUp \(isUp)") }
      }
    }

    /// What is the same at two of the addresses.
    var findings: [String] {
      let ports = addresses.map(\.port)
      return links + (Set(ports).count == ports.count ? [] : ["ports: \(ports)"])
    }
  }

  private static func world(
    seed: UInt64, clientIDSize: Int, loss: Double = 0
  ) -> (SimulatedWorld, SimulatedPlayer, Observer) {
    var configuration = RoamkeyConfiguration()
    configuration.clientConnectionIDSize = clientIDSize
    let world = SimulatedWorld(seed: seed, configuration: configuration)
    let player = world.addPlayer(conditions: NetworkConditions(loss: loss, delay: .milliseconds(50)))
    let observer = Observer(of: player, in: world)
    world.connect(player)
    world.run(within: .seconds(10)) { _ in player.hasJoined && world.session(of: player) != nil }
    return (world, player, observer)
  }

  /// 20 messages a second both ways.
  private func talk(_ world: SimulatedWorld, _ player: SimulatedPlayer, for seconds: Int) {
    for tick in 0..<seconds * 20 {
      world.after(.milliseconds(50 * tick)) { world in
        world.send([UInt8](repeating: 7, count: 30), from: player)
        world.send([[UInt8](repeating: 7, count: 30)], to: player)
      }
    }
    world.run(for: .seconds(seconds))
  }

  @Test(arguments: [1, 2, 3] as [UInt64], [0, 8])
  func oneMove(seed: UInt64, clientIDSize: Int) {
    let (world, player, observer) = Self.world(seed: seed, clientIDSize: clientIDSize)
    talk(world, player, for: 3)
    let before = player.host.outside
    world.move(player)
    talk(world, player, for: 5)
    #expect(observer.addresses == [before, player.host.outside] && observer.datagrams > 100)
    #expect(observer.findings == [], "seed \(seed)")
    #expect(player.host.joinedCount == 1 && world.serverHost.moves.count == 1)
    world.expectSound()
  }

  /// Fifty moves, a second each: ids come as fast as they are used, though some are lost on the way. A client that has
  /// ids of its own is known by these where the announcement is lost: the server asks both addresses then.
  @Test(arguments: 1...10 as ClosedRange<UInt64>, [0, 8])
  func fiftyMoves(seed: UInt64, clientIDSize: Int) {
    let (world, player, observer) = Self.world(
      seed: seed, clientIDSize: clientIDSize, loss: clientIDSize == 0 ? 0.05 : 0)
    talk(world, player, for: 2)
    for _ in 0..<50 {
      world.move(player)
      talk(world, player, for: 1)
    }
    talk(world, player, for: 2)
    #expect(observer.addresses.count == 51, "seed \(seed)")
    #expect(observer.findings == [], "seed \(seed)")
    #expect(player.host.joinedCount == 1)
    world.expectSound()
  }

  /// From one interface to another and back, with doors open on both and a silence that has them asked.
  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func twoInterfaces(seed: UInt64) {
    let (world, player, observer) = Self.world(seed: seed, clientIDSize: 0)
    let first = player.host.interface
    let second = world.addInterface(to: player.host, conditions: NetworkConditions(delay: .milliseconds(50)))
    world.connect(second)
    world.notice(player.host)
    talk(world, player, for: 2)
    for round in 0..<4 {
      let (used, other) = round % 2 == 0 ? (first, second) : (second, first)
      used.state = .silent
      talk(world, player, for: 3)
      world.prefer(other)
      used.state = .up
      talk(world, player, for: 3)
    }
    #expect(observer.addresses.count >= 3)
    #expect(observer.links == [], "seed \(seed): \(observer.addresses)")
    #expect(player.host.joinedCount == 1)
    world.expectSound()
  }

  /// The test can fail: a router that gives another port hides nobody, and nobody tries to.
  @Test func aRebindingIsSeen() {
    let (world, player, observer) = Self.world(seed: 8, clientIDSize: 0)
    talk(world, player, for: 2)
    world.rebind(player)
    talk(world, player, for: 2)
    #expect(!observer.links.isEmpty && observer.addresses.count == 2)
    world.expectSound()
  }

  // MARK: Ids

  /// More moves than there are ids, and nothing gets through that could bring more: better known than gone.
  @Test(arguments: [1, 2, 3] as [UInt64], [0, 8])
  func idsRunOut(seed: UInt64, clientIDSize: Int) {
    let (world, player, observer) = Self.world(seed: seed, clientIDSize: clientIDSize)
    talk(world, player, for: 2)
    world.partitionAll()
    for _ in 0..<20 {
      world.move(player)
      world.send([9], from: player)
      world.run(for: .milliseconds(700))
    }
    world.heal()
    let limit = world.now + .seconds(1)
    world.run(within: .seconds(5)) { $0.serverHost.moves.last?.to == player.host.outside }
    #expect(world.now <= limit, "seed \(seed)")
    talk(world, player, for: 2)
    #expect(!observer.links.isEmpty, "there cannot have been enough")
    #expect(player.host.joinedCount == 1 && world.serverHost.joinedCount == 1 && player.host.ends.isEmpty)
    #expect(world.inbox(from: player).count == 40 + 20 + 40 && player.inbox.count == 80)
    // And then there are fresh ones again.
    let fresh = Observer(of: player, in: world)
    for _ in 0..<3 {
      world.move(player)
      talk(world, player, for: 2)
    }
    #expect(fresh.links == [], "seed \(seed)")
    world.expectSound()
  }
}
