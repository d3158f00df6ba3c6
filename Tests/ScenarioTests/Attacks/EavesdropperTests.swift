import RoamkeyCrypto
import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// What somebody who hears everything does not find in it, and what somebody who answers first is not told.
@Suite struct EavesdropperTests {
  private static func holds(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard bytes.count >= part.count else { return false }
    return (0...bytes.count - part.count).contains { bytes[$0..<$0 + part.count].elementsEqual(part) }
  }

  /// Neither public key, nor a word, nor a part of a word, in any datagram; the signing policy makes no difference.
  @Test(arguments: [SigningPolicy.everyPacket, .sealedOnly])
  func nothingIsReadable(policy: SigningPolicy) {
    var heard: [[UInt8]] = []
    let game = HonestGame(seed: 1, policy: policy) { world in
      world.tap { datagram in
        heard.append(datagram.bytes)
        return .pass
      }
    }
    let (world, player) = (game.world, game.players[0])
    let word = Array("the fleet leaves for Vega at dawn".utf8)
    game.play(1)
    #expect(heard.count > 40)
    let secrets = [world.server.id.publicKey.bytes, player.id.publicKey.bytes, Array(SimulatedWorld.application.utf8)]
    for secret in secrets { #expect(!heard.contains { Self.holds($0, Array(secret.prefix(8))) }) }
    heard = []
    // Small enough for one packet, and long enough to be recognised.
    world.send(word, from: player, MessageOptions(delivery: .unreliable))
    world.run(for: .milliseconds(200))
    #expect(heard.contains { $0.count > word.count })
    for place in stride(from: 0, to: word.count - 8, by: 4) {
      #expect(!heard.contains { Self.holds($0, Array(word[place..<place + 8])) })
    }
    // The search finds what is there.
    #expect(Self.holds([1, 2] + word, Array(word[4..<12])))
    game.expectUnharmed()
  }

  /// PROTOCOL §1.7: a client that pins its server tells whoever else answers nothing of itself: it sends Hellos, and no
  /// Finish.
  @Test func aWrongServerIsNotToldWhoPlays() {
    let world = SimulatedWorld(seed: 2)
    var settings = ClientSettings(application: SimulatedWorld.application)
    settings.pin = world.addPlayer(identity: 99).id
    let player = world.addPlayer(settings: settings, conditions: .local)
    let honest = world.addPlayer(conditions: .local)
    var kinds: [Set<UInt8>] = [[], []]
    world.tap { datagram in
      if datagram.isFrom(player) { kinds[0].insert(datagram.bytes[0] & 0xf0) }
      if datagram.isFrom(honest) { kinds[1].insert(datagram.bytes[0] & 0xf0) }
      return .pass
    }
    world.connect(player)
    world.connect(honest)
    world.run(for: .seconds(15))
    #expect(kinds[0] == [HandshakeKind.hello.rawValue] && !player.hasJoined)
    #expect(kinds[1].contains(HandshakeKind.finish.rawValue) && honest.hasJoined)
    world.expectSound()
  }

  /// PROTOCOL §1.7: a list of versions that somebody makes up comes first. One that names the version that was offered
  /// is ignored, another one is a doubt; the server's own answer counts all the same.
  @Test(arguments: [[1], [9], [1, 9], []] as [[UInt8]])
  func forgedListsOfVersions(versions: [UInt8]) throws {
    var forged = 0
    let game = HonestGame(seed: 3) { world in
      world.tap { datagram in
        guard datagram.bytes[0] == HandshakeKind.hello.rawValue, let header = try? LongHeader(datagram.bytes.span.bytes)
        else { return .pass }
        let list = versions.map { ProtocolVersion(rawValue: 0x524b_0000 | UInt32($0)) }
        let bytes = VersionNegotiation.write(answering: header, versions: list)
        world.inject(bytes, from: datagram.destination, to: datagram.source, after: .milliseconds(1))
        forged += 1
        return .pass
      }
    }
    #expect(forged == 1 && game.players[0].client.statistics[.badHandshake] == 1)
    game.play(1)
    game.expectUnharmed()
  }

  /// The same, with a server that answers late: who believed the list would have given up after two seconds.
  @Test(arguments: [[1], [1, 9], [9]] as [[UInt8]])
  func aForgedListAndALateServer(versions: [UInt8]) {
    let world = SimulatedWorld(seed: 5)
    let player = world.addPlayer(conditions: .local)
    let list = versions.map { ProtocolVersion(rawValue: 0x524b_0000 | UInt32($0)) }
    world.tap { datagram in
      guard world.elapsed < .seconds(4), let header = try? LongHeader(datagram.bytes.span.bytes) else { return .pass }
      let bytes = VersionNegotiation.write(answering: header, versions: list)
      world.inject(bytes, from: datagram.destination, to: datagram.source, after: .milliseconds(1))
      return .drop
    }
    world.connect(player)
    world.run(for: .seconds(12))
    let isOurs = versions.contains(1)
    #expect(player.hasJoined == isOurs && player.host.connectErrors == (isOurs ? [] : [.unsupportedVersion]))
    world.expectSound()
  }

  /// A world in which somebody answers each Hello with Retries of its own, before the server can, and a player of it.
  private func meddling(
    seed: UInt64, forged count: Int, asksForCookies: Bool = true
  ) -> (SimulatedWorld, SimulatedPlayer) {
    var configuration = RoamkeyConfiguration()
    if asksForCookies { configuration.retryThreshold = 0 }
    let world = SimulatedWorld(seed: seed, configuration: configuration)
    let player = world.addPlayer(conditions: NetworkConditions(delay: .milliseconds(20)))
    world.tap { datagram in
      let bytes = datagram.bytes
      guard bytes[0] == HandshakeKind.hello.rawValue, let header = try? LongHeader(bytes.span.bytes),
        let hello = try? HelloDatagram(bytes.span.bytes, header)
      else { return .pass }
      for i in 0..<count {
        let retry = RetryDatagram.write(answering: hello, cookie: world.random.bytes(HelloDatagram.cookieSize))
        world.inject(retry, from: datagram.destination, to: datagram.source, after: .microseconds(1000 + 10 * i))
      }
      return .pass
    }
    world.connect(player)
    world.run(for: .seconds(12))
    return (world, player)
  }

  /// Two Retries for each Hello, as many as a client answers at once: it gets in all the same, for it tries the
  /// server's own cookies as well. Where the server asks for none they are not even noticed.
  @Test func forgedRetries() {
    var joined = 0
    for seed in 1...24 as ClosedRange<UInt64> {
      let (world, player) = meddling(seed: seed, forged: 2)
      guard player.hasJoined else { continue }
      joined += 1
      world.send(numbered(5), from: player)
      world.expectDelivery(up: numbered(5), of: player)
    }
    // Forged are four of the first seven to choose from, then two of three, six times: one in twenty is unlucky.
    #expect(joined >= 20, "\(joined) of 24")
    let (world, player) = meddling(seed: 4, forged: 2, asksForCookies: false)
    #expect(player.hasJoined)
    world.send(numbered(5), from: player)
    world.expectDelivery(up: numbered(5), of: player)
  }

  /// Hundreds for each Hello keep a client out for as long as they come: it sends no more Hellos for them than ever.
  @Test func aFloodOfForgedRetries() {
    let (world, player) = meddling(seed: 3, forged: 400)
    #expect(!player.hasJoined && player.host.connectErrors == [.noAnswer])
    #expect(player.client.statistics.datagramsSent <= 8 + 2, "the timer's, and two at once")
    world.expectSound()
  }

  /// Who does not see the Hello cannot answer it: it would have to guess the 64 bits that a Retry repeats.
  @Test func retriesByGuessing() throws {
    var configuration = RoamkeyConfiguration()
    configuration.retryThreshold = 0
    let world = SimulatedWorld(seed: 6, configuration: configuration)
    let player = world.addPlayer(conditions: NetworkConditions(delay: .milliseconds(20)))
    let count = 4000
    for i in 0..<count {
      var retry: [UInt8] = [HandshakeKind.retry.rawValue, 0x52, 0x4b, 0, 1, 0, 8]
      retry += world.random.bytes(8 + HelloDatagram.cookieSize)
      world.inject(
        retry, from: SimulatedWorld.serverAddress, to: player.host.outside, after: .microseconds(1000 + 5 * i))
    }
    world.connect(player)
    world.run(for: .milliseconds(200))
    #expect(player.hasJoined && player.client.statistics[.badHandshake] > 3000)
    #expect(player.client.statistics.datagramsSent < 12)
    world.send(numbered(5), from: player)
    world.expectDelivery(up: numbered(5), of: player)
    world.expectSound()
  }
}
