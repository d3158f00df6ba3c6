import RoamkeyEngine
import RoamkeySimulator
import RoamkeyWire
import Testing

/// A server that is killed and started again with its key: it tells the clients of the process before that it knows
/// them no more, and they are back by themselves (PROTOCOL §6).
@Suite struct ResetTests {
  private static let conditions = NetworkConditions(delay: .milliseconds(50))

  private static func joined(
    seed: UInt64, loss: Double = 0, behindNAT: Bool = false
  ) -> (SimulatedWorld, SimulatedPlayer) {
    let world = SimulatedWorld(seed: seed)
    let player = world.addPlayer(
      conditions: NetworkConditions(loss: loss, delay: .milliseconds(50)), behind: behindNAT ? world.addNAT() : nil)
    world.connect(player)
    world.run(within: .seconds(10)) { _ in player.hasJoined && world.session(of: player) != nil }
    return (world, player)
  }

  /// Back within a second of its listening; what was not acknowledged is handed to the app.
  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64], [Duration.milliseconds(10), .seconds(2), .seconds(30)])
  func killedAndStarted(seed: UInt64, downtime: Duration) {
    let (world, player) = Self.joined(seed: seed)
    var sent = 0
    var isTalking = true
    func talk(_ world: SimulatedWorld) {
      guard isTalking else { return }
      world.send(numberedMessage(sent, size: 40), from: player)
      sent += 1
      world.after(.milliseconds(50), talk)
    }
    talk(world)
    world.run(for: .seconds(2) + .milliseconds(Int64(seed) * 13))
    world.restartServer(after: downtime)
    let old = world.serverHost.formerProcesses[0]
    world.run(for: downtime)
    let saidByThen = sent
    let isBack = world.run(within: .seconds(1)) { _ in player.host.joinedCount == 2 }
    #expect(isBack, "seed \(seed): not back a second after it listens; \(player.host.events)")
    world.run(for: .seconds(1))
    isTalking = false
    world.run(for: .seconds(3))

    // The old process got the first ones, the app was handed back the rest of those, and the new one got what came
    // after. Nothing is missing; what is in both was got without our knowing.
    let got = (old.inbox[SessionHandle(rawValue: 1)] ?? []).map(number)
    let back = player.host.undelivered.map(number)
    let new = world.inbox(from: player).map(number)
    #expect(player.host.resets == [SessionHandle(rawValue: 1)], "seed \(seed)")
    #expect(got == Array(0..<got.count) && back == Array(back.sorted()), "seed \(seed)")
    #expect(Set(got).union(back).union(new) == Set(0..<sent), "seed \(seed): \(got), \(back), \(new) of \(sent)")
    #expect(Set(back).isDisjoint(with: new) && new == new.sorted() && Set(new).count == new.count, "seed \(seed)")
    #expect((back.last ?? 0) >= saidByThen - 1 && (new.first ?? 0) == (back.last ?? 0) + 1, "seed \(seed)")
    #expect(player.host.ends.isEmpty && player.client.queuedBytes == 0)
    #expect(player.session == SessionHandle(rawValue: 2) && world.serverHost.joinedCount == 1)
    // And down again, by the new session.
    world.send(numbered(5, salt: 3), to: player)
    world.run(for: .seconds(1))
    #expect(player.inbox == numbered(5, salt: 3), "seed \(seed)")
    world.expectSound()
  }

  private func number(_ body: [UInt8]) -> Int { body.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) } }

  /// Through losses, and behind a router.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func underLoss(seed: UInt64) {
    let (world, player) = Self.joined(seed: seed, loss: 0.2, behindNAT: true)
    for round in 1...3 {
      world.send(numbered(20), from: player)
      world.run(for: .milliseconds(Int64(seed) * 31))
      world.restartServer(after: .milliseconds(500))
      let isBack = world.run(within: .seconds(10)) { _ in player.host.joinedCount == round + 1 }
      #expect(isBack, "seed \(seed), round \(round)")
      world.run(for: .seconds(2))
    }
    world.send(numbered(10, salt: 7), from: player)
    world.run(for: .seconds(5))
    #expect(world.inbox(from: player).suffix(10) == numbered(10, salt: 7)[...], "seed \(seed)")
    #expect(player.host.resets.count == 3 && player.host.ends.isEmpty)
    world.expectSound()
  }

  /// The server comes back somewhere else: its name tells where, and there it is told that it is not known.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func elsewhere(seed: UInt64) {
    let (world, player) = Self.joined(seed: seed, behindNAT: true)
    world.nameServer = NameServer { $0.serverAddresses }
    world.send(numbered(5), from: player)
    world.run(for: .seconds(1))
    world.restartServer(after: .seconds(5))
    world.moveServer()
    world.run(for: .seconds(5))
    let isBack = world.run(within: .seconds(2)) { _ in player.host.joinedCount == 2 }
    #expect(isBack, "seed \(seed)")
    world.send(numbered(5, salt: 1), from: player)
    world.run(for: .seconds(1))
    #expect(world.inbox(from: player) == numbered(5, salt: 1))
    #expect(player.host.resets.count == 1 && player.host.ends.isEmpty)
    world.expectSound()
  }

  /// A class of thirty is back within a second.
  @Test func everybodyComesBack() {
    let world = SimulatedWorld(seed: 9)
    let nat = world.addNAT()
    let players = (0..<30).map { _ in world.addPlayer(conditions: .broadband, behind: nat) }
    for player in players { world.connect(player) }
    world.run(for: .seconds(2))
    func talk(for seconds: Int) {
      for _ in 0..<seconds * 20 {
        for player in players { world.send([1], from: player) }
        world.run(for: .milliseconds(50))
      }
    }
    talk(for: 1)
    world.restartServer(after: .seconds(3))
    talk(for: 4)
    #expect(players.allSatisfy { $0.host.joinedCount == 2 && $0.host.ends.isEmpty })
    #expect(world.serverHost.joinedCount == 30)
    world.expectSound()
  }

  // MARK: Nobody else's word

  /// Resets of an attacker who has seen everything end nothing, and neither does an old one of the server's own.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func forgedResets(seed: UInt64) {
    let (world, player) = Self.joined(seed: seed)
    var resets: [[UInt8]] = []
    world.tap { datagram in
      if datagram.isServers, datagram.bytes.count == ResetDatagram.size { resets.append(datagram.bytes) }
      return .pass
    }
    world.restartServer()
    world.send([1], from: player)
    world.run(for: .seconds(2))
    #expect(player.host.joinedCount == 2 && !resets.isEmpty, "seed \(seed)")
    let forged =
      resets
      + (0..<50).map { _ in world.random.bytes(ResetDatagram.size).enumerated().map { $0 == 0 ? $1 & 0x1f : $1 } }
    for bytes in forged {
      world.inject(bytes, from: SimulatedWorld.serverAddress, to: player.host.outside)
      world.inject(bytes, from: NetworkAddress(ipv4: 203, 0, 113, 66, port: 6666), to: player.host.outside)
    }
    world.run(for: .seconds(1))
    #expect(player.host.joinedCount == 2 && player.host.resets.count == 1, "seed \(seed)")
    #expect(player.client.statistics.dropped >= UInt64(2 * forged.count))
    world.send(numbered(3), from: player)
    world.expectDelivery(up: numbered(3), of: player)
  }

  private static func likeAPacket(_ bytes: [UInt8]) -> [UInt8] { [bytes[0] & 0x1f] + bytes.dropFirst() }

  /// Packets of unknown sessions from addresses that somebody claims: what goes there is less than what came.
  @Test func resetsDoNotAmplify() {
    let world = SimulatedWorld(seed: 4)
    let victim = NetworkAddress(ipv4: 198, 51, 100, 1, port: 53)
    for i in 0..<5000 {
      let bytes = world.random.bytes(Int.random(in: 1...100, using: &world.random))
      world.inject(Self.likeAPacket(bytes), from: victim, after: .microseconds(100 * i))
    }
    world.run(for: .seconds(2))
    let traffic = world.serverTraffic(with: victim)
    #expect(traffic.sent < traffic.received && world.server.statistics.resetsSent > 100)
    #expect(world.server.statistics.resetsSent <= 1000 + 500 + 1)
    world.expectSound()
  }

  /// Two servers that take each other's resets for packets of theirs have soon said all they can.
  @Test func resetsEndByThemselves() {
    let world = SimulatedWorld(seed: 5)
    var said = 0
    let other = NetworkAddress(ipv4: 203, 0, 113, 7, port: 7447)
    world.hear(other) { datagram in
      // The other one answers each packet as ours does, with a byte less.
      said += 1
      guard datagram.bytes.count >= ResetDatagram.minimumCause else { return }
      world.inject(Self.likeAPacket(world.random.bytes(datagram.bytes.count - 1)), from: other)
    }
    world.inject(Self.likeAPacket(world.random.bytes(1200)), from: other)
    world.run(for: .seconds(10))
    #expect(said == 1)
    world.expectSound()
  }

  /// A player who was put out, and goes on sending since it has not heard, is not told to come back.
  @Test func whoWasPutOutIsNotReset() {
    let (world, player) = Self.joined(seed: 6)
    world.run(for: .seconds(1))
    guard let session = world.session(of: player) else { return }
    // Nothing of the farewell arrives.
    world.partition([player.host], .inbound, for: .seconds(3))
    world.close(session, code: .kicked, reason: "out")
    for i in 0..<50 { world.after(.milliseconds(100 * i)) { $0.send([1], from: player) } }
    world.run(for: .seconds(10))
    #expect(player.host.resets.isEmpty && player.host.joinedCount == 1)
    #expect(world.server.statistics.resetsSent == 0)
    world.expectSound()
  }
}

extension SimulatedHost {
  /// Sessions that the server did not know any more.
  var resets: [SessionHandle] {
    events.compactMap { if case .reset(let session, _) = $0 { session } else { nil } }
  }

  /// The bodies of messages that were handed back to the app, in order.
  var undelivered: [[UInt8]] {
    var bodies: [[UInt8]] = []
    for case .reset(_, let messages) in events { bodies += messages.map(\.content.body) }
    return bodies
  }
}
