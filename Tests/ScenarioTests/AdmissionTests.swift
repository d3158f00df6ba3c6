import RoamkeyCrypto
import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// Who gets in and who does not, and that each is told why.
@Suite struct AdmissionTests {
  /// Connects a player who is not to get in, and waits for what it is told.
  private func verdict(_ world: SimulatedWorld, _ player: SimulatedPlayer) -> [ConnectError] {
    world.connect(player)
    world.run(within: .seconds(20)) { _ in !player.host.connectErrors.isEmpty || player.hasJoined }
    world.run(for: .seconds(15))
    #expect(!player.hasJoined && player.host.connectErrors.count == 1)
    #expect(player.client.isIdle && world.server.isIdle == world.serverHost.events.isEmpty)
    world.expectSound()
    return player.host.connectErrors
  }

  @Test func anotherServerThanThePinnedOne() {
    let world = SimulatedWorld(seed: 1)
    var settings = ClientSettings(application: SimulatedWorld.application)
    let stranger = world.addPlayer(identity: 99).id
    settings.pin = stranger
    let player = world.addPlayer(settings: settings, conditions: .local)
    #expect(verdict(world, player) == [.wrongServer(expected: stranger, found: world.server.id)])
  }

  /// A forger's Welcome first, the right one within the client's patience: the client gets in.
  @Test func theRightServerBehindAForger() {
    let world = SimulatedWorld(seed: 2)
    let forger = SimulatedWorld(seed: 3)
    let player = world.addPlayer(conditions: .local)
    let mirror = NetworkAddress(ipv4: 203, 0, 113, 1, port: 1)
    // The forger answers the same Hello: its Welcome is genuine, under another key.
    forger.hear(mirror) { world.inject($0.bytes, from: SimulatedWorld.serverAddress, to: player.host.outside) }
    var hellos = 0
    world.tap { datagram in
      guard datagram.bytes[0] == HandshakeKind.hello.rawValue else { return .pass }
      hellos += 1
      guard hellos == 1 else { return .pass }
      forger.inject(datagram.bytes, from: mirror)
      forger.run(for: .milliseconds(10))
      return .drop
    }
    world.connect(player)
    world.run(within: .seconds(5)) { _ in player.hasJoined }
    #expect(player.hasJoined && player.host.connectErrors.isEmpty)
    #expect(player.client.statistics[.badHandshake] == 1)
    world.expectSound()
  }

  @Test func anotherApplication() {
    let world = SimulatedWorld(seed: 4)
    let player = world.addPlayer(settings: ClientSettings(application: "other/1"), conditions: .local)
    #expect(verdict(world, player) == [.wrongApplication(server: SimulatedWorld.application)])
  }

  @Test func anotherSigningPolicy() {
    let world = SimulatedWorld(seed: 5)
    var settings = ClientSettings(application: SimulatedWorld.application)
    settings.requiredPolicy = .sealedOnly
    let player = world.addPlayer(settings: settings, conditions: .local)
    #expect(verdict(world, player) == [.wrongSigningPolicy(server: .everyPacket)])
  }

  @Test(arguments: [0, 0.3])
  func notOnTheList(loss: Double) {
    var settings = ServerSettings(application: SimulatedWorld.application)
    settings.access.allowed = []
    let world = SimulatedWorld(seed: 6, settings: settings)
    let player = world.addPlayer(conditions: NetworkConditions(loss: loss, delay: .milliseconds(5)))
    #expect(verdict(world, player) == [.refused(.notAllowed)])
    #expect(world.server.statistics.refusals == 1 && world.serverHost.events.isEmpty)
  }

  @Test func banned() {
    let id = SimulatedWorld(seed: 0).addPlayer(identity: 7).id
    var settings = ServerSettings(application: SimulatedWorld.application)
    settings.access.denied = [id]
    let world = SimulatedWorld(seed: 7, settings: settings)
    let player = world.addPlayer(identity: 7, conditions: .local)
    #expect(verdict(world, player) == [.refused(.banned)])
  }

  @Test func full() {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessions = 1
    let (world, first) = SimulatedWorld.joined(seed: 8, conditions: .local, configuration: configuration)
    let second = world.addPlayer(conditions: .local)
    #expect(verdict(world, second) == [.refused(.full)])
    // The one who is in stays in, and its place is free once it leaves.
    world.send(numbered(10), from: first)
    world.expectDelivery(up: numbered(10), of: first)
    world.close(first, afterDelivery: true)
    world.run(for: .seconds(5))
    let third = world.addPlayer(conditions: .local)
    world.connect(third)
    world.run(for: .seconds(1))
    #expect(third.hasJoined)
    world.expectSound()
  }

  @Test func theNewestSessionOfAPlayerWins() {
    let world = SimulatedWorld(seed: 9)
    let first = world.addPlayer(identity: 5, conditions: .local)
    let second = world.addPlayer(identity: 5, conditions: .local)
    world.connect(first)
    world.run(for: .seconds(1))
    world.connect(second)
    world.run(for: .seconds(10))
    #expect(first.host.ends == [.replaced] && first.client.isIdle)
    #expect(second.hasJoined && second.host.ends.isEmpty)
    #expect(world.serverHost.joinedCount == 2 && world.serverHost.ends == [.replaced])
    world.send(numbered(10), from: second)
    world.expectDelivery(up: numbered(10), of: second)
  }

  @Test func handshakesUnderWayAreBoundedAndExpire() {
    var configuration = RoamkeyConfiguration()
    configuration.halfOpenLimit = 10
    let world = SimulatedWorld(seed: 10, configuration: configuration)
    for (i, hello) in Self.hellos(30, to: world).enumerated() {
      world.inject(hello, from: NetworkAddress(ipv4: 198, 51, 100, UInt8(i), port: 5))
    }
    world.run(for: .seconds(1))
    #expect(world.server.statistics[.tooManyHandshakes] == 20)
    let player = world.addPlayer(conditions: .local)
    world.connect(player)
    world.run(for: .seconds(5))
    #expect(!player.hasJoined)
    world.run(within: .seconds(8)) { _ in player.hasJoined }
    #expect(player.hasJoined, "a place is free after ten seconds")
    world.expectSound()
  }

  /// One household may not fill the table; with a proven address its limit is a larger one.
  @Test func handshakesOfOneAddressAreBounded() {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = 4
    let world = SimulatedWorld(seed: 11, configuration: configuration)
    for (i, hello) in Self.hellos(30, to: world).enumerated() {
      world.inject(hello, from: NetworkAddress(ipv4: 198, 51, 100, 1, port: UInt16(1000 + i)))
    }
    world.run(for: .seconds(1))
    #expect(world.server.statistics.retriesSent == 26)
    world.expectSound()
  }

  @Test func aQuietServerAnswersOnlyWhoKnowsIt() {
    var configuration = RoamkeyConfiguration()
    configuration.isQuiet = true
    let (world, player) = SimulatedWorld.joined(seed: 12, conditions: .local, configuration: configuration)
    let scanner = NetworkAddress(ipv4: 198, 51, 100, 1, port: 5)
    for hello in Self.hellos(3, to: SimulatedWorld(seed: 13)) { world.inject(hello, from: scanner) }
    world.run(for: .seconds(1))
    #expect(world.server.statistics[.quiet] == 3)
    #expect(world.serverTraffic(with: scanner) == (0, 3600))
    world.send(numbered(1), from: player)
    world.expectDelivery(up: numbered(1), of: player)
  }

  /// Hellos of as many strangers, for the server of a world.
  private static func hellos(_ count: Int, to target: SimulatedWorld) -> [[UInt8]] {
    let world = SimulatedWorld(seed: 77)
    var hellos: [[UInt8]] = []
    world.tap {
      hellos.append($0.bytes)
      return .drop
    }
    var settings = ClientSettings(application: SimulatedWorld.application)
    settings.pin = target.server.id
    for _ in 0..<count { world.connect(world.addPlayer(settings: settings)) }
    world.run(for: .milliseconds(1))
    return hellos
  }
}
