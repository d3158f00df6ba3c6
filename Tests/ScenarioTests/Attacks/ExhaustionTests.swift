import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// Those who want to use up what a server has for newcomers and for players (PROTOCOL §1.7, §7).
@Suite struct ExhaustionTests {
  /// A Hello of nobody: any 32 bytes are a public key, and the rest is padding.
  private static func hello(_ world: SimulatedWorld) -> [UInt8] {
    let source = ConnectionID()
    return HelloDatagram.prefix(
      destination: ConnectionID(world.random.next()), source: source, cookie: nil, mac: nil)
      + world.random.bytes(32) + [UInt8](repeating: 0, count: HelloDatagram.noisePayloadSize(source: source))
  }

  /// 2000 Hellos from as many addresses, none of which answers: 256 cost public-key work, the others a hash each, and
  /// whoever answers gets in meanwhile.
  @Test(arguments: [1, 2] as [UInt64]) func forgedAddresses(seed: UInt64) {
    let game = HonestGame(seed: seed)
    let world = game.world
    for i in 0..<2000 {
      let source = NetworkAddress(ipv4: 198, 51, UInt8(i >> 8), UInt8(i & 255), port: 5000)
      world.inject(Self.hello(world), from: source, after: .milliseconds(i))
    }
    world.run(for: .seconds(1))
    let newcomer = world.addPlayer(conditions: NetworkConditions(delay: .milliseconds(20)))
    world.connect(newcomer)
    game.play(1)
    #expect(newcomer.hasJoined, "seed \(seed)")
    #expect(world.server.halfOpen.count <= 256, "seed \(seed): \(world.server.halfOpen.count)")
    #expect(world.server.statistics.retriesSent >= 2000 - 256, "seed \(seed)")
    world.run(for: .seconds(11))
    #expect(world.server.halfOpen.count == 0, "seed \(seed)")
    game.expectUnharmed()
  }

  /// 1000 Hellos at one moment: 64 cost public-key work at once, and the places are filled little by little.
  @Test func aBurstCostsLittle() {
    let game = HonestGame(seed: 9)
    let world = game.world
    world.run(for: .seconds(2))
    for i in 0..<1000 {
      let source = NetworkAddress(ipv4: 198, 51, UInt8(i >> 8), UInt8(i & 255), port: 5000)
      world.inject(Self.hello(world), from: source, after: .milliseconds(10))
    }
    let newcomer = world.addPlayer(conditions: NetworkConditions(delay: .milliseconds(20)))
    world.connect(newcomer)
    world.run(for: .milliseconds(30))
    #expect((64...70).contains(world.server.halfOpen.count), "\(world.server.halfOpen.count)")
    game.play(1)
    #expect(newcomer.hasJoined)
    game.expectUnharmed()
  }

  /// 40,000 Hellos a second: most of them get no answer, and whoever asks again gets in.
  @Test func retriesAreBounded() {
    var configuration = RoamkeyConfiguration()
    configuration.retryThreshold = 4
    let game = HonestGame(seed: 8, configuration: configuration)
    let world = game.world
    for i in 0..<20_000 {
      let source = NetworkAddress(ipv4: 198, 51, UInt8(i >> 8), UInt8(i & 255), port: 5000)
      world.inject(Self.hello(world), from: source, after: .microseconds(25 * i))
    }
    world.run(for: .milliseconds(100))
    let newcomer = world.addPlayer(conditions: NetworkConditions(delay: .milliseconds(20)))
    world.connect(newcomer)
    game.play(2)
    #expect(newcomer.hasJoined)
    let statistics = world.server.statistics
    #expect((8900...9100).contains(statistics.retriesSent), "1000, and 16,000 a second for half a second")
    #expect(statistics[.tooManyHandshakes] > 10_000)
    game.expectUnharmed()
  }

  /// The same in the name of a household, whose players then have to show a cookie, and get in with it.
  @Test(arguments: [3, 4] as [UInt64]) func aHouseholdIsNotLockedOut(seed: UInt64) {
    let game = HonestGame(seed: seed)
    let world = game.world
    let newcomer = world.addPlayer(conditions: NetworkConditions(delay: .milliseconds(20)))
    var source = newcomer.host.outside
    for i in 0..<1000 {
      source.port = UInt16(10_000 + i)
      world.inject(Self.hello(world), from: source, after: .milliseconds(i))
    }
    world.run(for: .milliseconds(500))
    #expect(world.server.halfOpen.count == 32, "seed \(seed)")
    world.connect(newcomer)
    game.play(1)
    #expect(newcomer.hasJoined, "seed \(seed)")
    world.send(numbered(5), from: newcomer)
    world.expectDelivery(up: numbered(5), of: newcomer)
    game.expectUnharmed()
  }

  /// Where all places are taken, by those who prove their addresses, newcomers wait. Who is in does not notice.
  @Test func aFullTableHarmsNobodyWhoIsIn() {
    var configuration = RoamkeyConfiguration()
    configuration.halfOpenLimit = 20
    let game = HonestGame(seed: 5, configuration: configuration)
    let world = game.world
    for i in 0..<500 {
      let source = NetworkAddress(ipv4: 198, 51, 100, UInt8(i % 250), port: UInt16(5000 + i))
      world.inject(Self.hello(world), from: source, after: .milliseconds(2 * i))
    }
    game.play(2)
    let statistics = world.server.statistics
    #expect(world.server.halfOpen.count == 20 && statistics[.tooManyHandshakes] + statistics.retriesSent == 480)
    game.expectUnharmed()
  }

  /// A household with ever new keys takes its own places and no other's, and of those who are turned away nothing is
  /// left a while later. Who is in stays, and may come back.
  @Test func sessionsOfOneHousehold() {
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = 4
    let game = HonestGame(seed: 6, configuration: configuration)
    let world = game.world
    let nat = world.addNAT()
    let crowd = (0..<12).map { _ in world.addPlayer(conditions: .local, behind: nat) }
    for player in crowd {
      world.connect(player)
      world.run(for: .milliseconds(100))
    }
    game.play(1)
    #expect(crowd.count { $0.hasJoined } == 4)
    #expect(crowd.count { $0.host.connectErrors == [.refused(.full)] } == 8)
    let elsewhere = world.addPlayer(conditions: .local)
    world.connect(elsewhere)
    world.restart(crowd[0])
    game.play(1)
    #expect(elsewhere.hasJoined && crowd[0].hasJoined, "who comes back takes the own place")
    world.run(for: .seconds(20))
    #expect(world.server.sessions.count == 6 && world.server.players.count == 6)
    game.expectUnharmed()
  }

  /// One key that comes again and again replaces itself and nobody else.
  @Test func onePlayerAgainAndAgain() {
    let game = HonestGame(seed: 7)
    let world = game.world
    let restless = world.addPlayer(conditions: .local)
    world.connect(restless)
    for _ in 0..<40 {
      world.run(for: .milliseconds(50))
      world.restart(restless)
    }
    game.play(2)
    world.run(for: .seconds(20))
    #expect(world.server.players.count == 2 && world.server.sessions.count == 2)
    #expect(world.server.halfOpen.count == 0)
    game.expectUnharmed()
  }
}
