import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Getting in: what is lost on the way, and what a server asks of a crowd (PROTOCOL §1, §7).
@Suite struct HandshakeTests {
  /// The first datagrams of a session, either way: Hello, Welcome, Finish, the packet behind it, the server's first.
  @Test(arguments: 0..<8)
  func anyDatagramMayBeLost(number: Int) {
    let world = SimulatedWorld(seed: UInt64(number))
    let player = world.addPlayer(conditions: .local)
    var count = 0
    world.tap { _ in
      count += 1
      return count == number + 1 ? .drop : .pass
    }
    world.connect(player)
    world.run(within: .seconds(8)) { _ in player.hasJoined && world.session(of: player) != nil }
    #expect(player.hasJoined && world.session(of: player) != nil, "datagram \(number) was lost")
    world.send(numbered(10), from: player)
    world.send(numbered(10), to: player)
    world.expectDelivery(up: numbered(10), down: numbered(10), of: player, within: .seconds(5))
    #expect(player.host.joinedCount == 1 && world.serverHost.joinedCount == 1)
  }

  /// All datagrams of a kind are lost for two seconds.
  @Test(arguments: [HandshakeKind.hello, .welcome, .finish])
  func everyDatagramOfAKindIsLostForAWhile(kind: HandshakeKind) {
    let world = SimulatedWorld(seed: 20)
    let player = world.addPlayer(conditions: .local)
    world.tap { $0.bytes[0] == kind.rawValue && world.elapsed < .seconds(2) ? .drop : .pass }
    world.connect(player)
    world.run(within: .seconds(8)) { _ in player.hasJoined && world.session(of: player) != nil }
    #expect(player.hasJoined, "no \(kind) for two seconds: \(player.host.events)")
    world.send(numbered(10), from: player)
    world.expectDelivery(up: numbered(10), of: player)
    #expect(player.host.joinedCount == 1 && world.serverHost.joinedCount == 1)
  }

  @Test func nobodyThere() {
    let world = SimulatedWorld(seed: 30)
    let player = world.addPlayer(conditions: .local)
    world.serverHost.isUp = false
    world.connect(player)
    world.run(within: .seconds(60)) { _ in !player.host.connectErrors.isEmpty }
    #expect(player.host.connectErrors == [.noAnswer])
    #expect(world.elapsed == .seconds(10))
    #expect(player.client.isIdle)
    world.expectSound()
  }

  /// The server vanishes between Welcome and Finish: the client must be told within the time it was promised.
  @Test func nobodyThereAfterTheWelcome() {
    let world = SimulatedWorld(seed: 31)
    let player = world.addPlayer(conditions: .local)
    world.tap { $0.source == player.host.outside && $0.bytes[0] != HandshakeKind.hello.rawValue ? .drop : .pass }
    world.connect(player)
    world.run(within: .seconds(600)) { _ in !player.host.connectErrors.isEmpty }
    #expect(player.host.connectErrors == [.noAnswer])
    #expect(world.elapsed <= .seconds(11), "\(world.elapsed)")
    #expect(player.client.isIdle && !player.hasJoined)
    world.run(for: .seconds(30))
    #expect(world.server.isIdle)
    world.expectSound()
  }

  @Test(arguments: [0, 0.3])
  func underLoadAddressesAreProvenFirst(loss: Double) {
    var configuration = RoamkeyConfiguration()
    configuration.retryThreshold = 0
    let (world, player) = SimulatedWorld.joined(
      seed: 40, conditions: NetworkConditions(loss: loss, delay: .milliseconds(10)), configuration: configuration)
    #expect(world.server.statistics.retriesSent > 0)
    world.send(numbered(10), from: player)
    world.expectDelivery(up: numbered(10), of: player)
  }

  /// Two addresses to try, and a cookie that only one of them knows.
  @Test func aCookieGoesBackToWhomItCameFrom() {
    var configuration = RoamkeyConfiguration()
    configuration.retryThreshold = 0
    let world = SimulatedWorld(seed: 41, configuration: configuration)
    let player = world.addPlayer(conditions: .local)
    world.connect(player, to: [SimulatedWorld.serverAddress, NetworkAddress(ipv4: 192, 0, 2, 99, port: 7447)])
    world.run(within: .milliseconds(200)) { _ in player.hasJoined }
    #expect(player.hasJoined, "\(world.elapsed)")
  }

  @Test func theSecondAddressWorks() {
    let world = SimulatedWorld(seed: 42)
    let player = world.addPlayer(conditions: .local)
    world.connect(player, to: [NetworkAddress(ipv4: 192, 0, 2, 99, port: 7447), SimulatedWorld.serverAddress])
    world.run(within: .seconds(2)) { _ in player.hasJoined }
    #expect(player.hasJoined)
    world.expectSound()
  }

  /// A mapping that dies between Hello and Finish: the session begins at an address that is not proven.
  @Test(arguments: 0..<5)
  func reboundDuringTheHandshake(lost: Int) {
    let world = SimulatedWorld(seed: 50 + UInt64(lost))
    let player = world.addPlayer(conditions: .local)
    var hasRebound = false
    var dropped = 0
    world.tap { datagram in
      if datagram.bytes[0] == HandshakeKind.finish.rawValue, !hasRebound {
        hasRebound = true
        world.rebind(player)
        return .drop
      }
      guard hasRebound, datagram.source == SimulatedWorld.serverAddress, dropped < lost else { return .pass }
      dropped += 1
      return .drop
    }
    world.connect(player)
    world.run(within: .seconds(30)) { _ in player.hasJoined }
    #expect(player.hasJoined, "\(lost) lost: \(player.host.events)")
    let messages = numbered(500, size: 200)
    world.send(messages, to: player)
    world.expectDelivery(down: messages, of: player, within: .seconds(3))
  }
}
