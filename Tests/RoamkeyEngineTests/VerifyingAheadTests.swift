import RoamkeyCrypto
import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// A server that looks ahead does what one does that does not (docs/decisions/0024).
struct VerifyingAheadTests {
  /// A conversation in which packets are lost, doubled, forged by outsiders, and signed badly by players: both servers
  /// send and tell the same to the last byte.
  @Test(arguments: [0, 1, 3], [1, 2, 3] as [UInt64])
  func nothingElseHappens(helpers: Int, seed: UInt64) throws {
    try Self.converse(helpers: helpers, seed: seed)
  }

  static func converse(helpers: Int, seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var configuration = RoamkeyConfiguration()
    configuration.maximumSessionsPerPrefix = 16
    configuration.keyUpdatePacketCount = 20
    let board = LoneBoard(helpers: helpers, seed: seed)
    let world = AheadWorld(players: 16, board: board, configuration: configuration)
    #expect(world.helped.players.count == 16)
    for round in 0..<80 {
      for i in world.clients.indices where world.session(i) != nil && random.chance(0.6) {
        let isBurst = random.chance(0.1)
        let text = String(repeating: "\(round) ", count: isBurst ? 3000 : 10)
        try? world.send(text, from: i, isBurst || random.chance(0.5) ? .reliableOrdered : .unreliable)
      }
      world.pass(.milliseconds(20)) { batch in
        var result: [(bytes: [UInt8], from: Int)] = []
        for var datagram in batch {
          if random.chance(0.03) { continue }
          if random.chance(0.005), let forged = world.withBadSignature(datagram) { datagram.bytes = forged }
          if random.chance(0.05) {
            var copy = datagram
            copy.bytes[Int.random(in: copy.bytes.indices, using: &random)] ^= 0x10
            result.append(copy)
          }
          result.append(datagram)
          if random.chance(0.1) { result.append(datagram) }
        }
        for i in result.indices where random.chance(0.1) {
          result.swapAt(i, Int.random(in: result.indices, using: &random))
        }
        return result
      }
    }
    #expect(world.differences == 0, "seed \(seed)")
    #expect(world.plainEvents.map { "\($0)" } == world.helpedEvents.map { "\($0)" }, "seed \(seed)")
    let (plain, helped) = (world.plain.statistics, world.helped.statistics)
    for reason in DropReason.allCases { #expect(plain[reason] == helped[reason], "\(reason), seed \(seed)") }
    #expect(plain.messagesReceived == helped.messagesReceived && plain.messagesReceived > 200, "seed \(seed)")
    #expect(plain.signaturesVerifiedElsewhere == 0)
    #expect(world.helped.sessions.values.contains { $0.phases.number > 0 }, "keys were renewed, seed \(seed)")
    if helpers == 0 {
      #expect(board.tasks == 0 && helped.signaturesVerifiedElsewhere == 0)
    } else {
      #expect(board.tasks > 200 && helped.signaturesVerifiedElsewhere > 100, "seed \(seed)")
      #expect(board.bad > 0 && helped[.badSignature] > 0, "seed \(seed)")
    }
  }

  // MARK: Verdicts

  private static func task(_ key: borrowing PlayerKey, _ root: Digest, depth: Int = 1) -> Verification {
    let signature = SignatureTrailer.withSignedBytes(depth: depth, root: root) { key.sign($0) }
    return Verification(signer: key.id, depth: depth, root: root, signature: signature)
  }

  /// Altered in one bit.
  private static func altered(_ bytes: [UInt8], _ bit: Int) -> [UInt8] {
    var bytes = bytes
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    return bytes
  }

  @Test func aVerdictIsForNothingElse() throws {
    let key = PlayerKey.generate()
    let roots = (0..<5).map { SignatureTreeTests.leaf([$0]) }
    let good = Self.task(key, roots[0])
    let bad = Verification(signer: key.id, depth: 1, root: roots[1], signature: good.signature)
    var ahead = VerificationsAhead()
    for task in [good, bad, Self.task(key, roots[2]), Self.task(key, roots[3]), good] { ahead.add(task) }
    #expect(ahead.count == 4, "one that is there already is not added")
    #expect(ahead.verdict(on: good) == nil, "nothing has been verified yet")
    #expect(ahead.verify(on: LoneBoard(helpers: 3)) == 3)
    // In any order, and again and again.
    for _ in 0..<3 {
      #expect(ahead.verdict(on: bad) == false)
      #expect(ahead.verdict(on: good) == true)
      #expect(ahead.verdict(on: Self.task(key, roots[4])) == nil)
    }
    let other = PlayerKey.generate().id
    #expect(
      ahead.verdict(on: Verification(signer: other, depth: 1, root: roots[0], signature: good.signature)) == nil)
    for depth in [0, 2, 3, 4] {
      let deeper = Verification(signer: key.id, depth: depth, root: roots[0], signature: good.signature)
      #expect(ahead.verdict(on: deeper) == nil)
    }
    for bit in 0..<256 {
      let root = Digest(Self.altered(roots[0].bytes, bit))
      #expect(
        ahead.verdict(on: Verification(signer: key.id, depth: 1, root: root, signature: good.signature)) == nil)
      let signer = PlayerID(publicKey: Digest(Self.altered(key.id.publicKey.bytes, bit)))
      #expect(
        ahead.verdict(on: Verification(signer: signer, depth: 1, root: roots[0], signature: good.signature)) == nil)
    }
    for bit in 0..<512 {
      let signature = Signature(Self.altered(good.signature.bytes, bit).span.bytes)
      #expect(
        ahead.verdict(on: Verification(signer: key.id, depth: 1, root: roots[0], signature: signature)) == nil)
    }
    ahead.removeAll()
    #expect(ahead.verdict(on: good) == nil && ahead.isEmpty)
  }

  /// What is good of one player is not good of another who sends the very same, nor under another leaf.
  @Test func aVerifierAsksForItsOwnPlayer() throws {
    let key = PlayerKey.generate()
    let other = PlayerKey.generate()
    let leaves = (0..<4).map { SignatureTreeTests.leaf([$0]) }
    let plaintexts = leaves.enumerated().map { [UInt8($0)] + SignatureTreeTests.trailers([$1], key: key)[0] }
    var ahead = VerificationsAhead()
    var (verifier, others) = (SignatureVerifier(peer: key.id), SignatureVerifier(peer: other.id))
    for (leaf, plaintext) in zip(leaves, plaintexts) {
      let trailer = try SignatureTrailer(plaintext.span.bytes)
      guard let task = verifier.task(trailer, leaf: leaf, plaintext.span.bytes) else {
        Issue.record("no root is known yet")
        continue
      }
      ahead.add(task)
    }
    #expect(ahead.verify(on: LoneBoard(helpers: 1)) == 2)
    for (i, plaintext) in plaintexts.enumerated() {
      let trailer = try SignatureTrailer(plaintext.span.bytes)
      #expect(verifier.verify(trailer, leaf: leaves[i], plaintext.span.bytes, ahead: &ahead))
      #expect(!verifier.verify(trailer, leaf: leaves[(i + 1) % 4], plaintext.span.bytes, ahead: &ahead))
      #expect(!others.verify(trailer, leaf: leaves[i], plaintext.span.bytes, ahead: &ahead))
    }
  }

  // MARK: Looking

  /// Whoever looks changes nothing, however often; what was looked at is then received as ever.
  @Test func lookingChangesNothing() throws {
    let world = AheadWorld(players: 6, board: LoneBoard(helpers: 1))
    for i in 0..<6 { try world.send("from \(i)", from: i) }
    var batch = world.takeFromClients()
    let forged = batch.map { datagram in
      var copy = datagram
      copy.bytes[copy.bytes.count - 1] ^= 1
      return copy
    }
    batch += forged + [(bytes: [], from: 0), (bytes: [0], from: 0), (bytes: [UInt8](repeating: 0, count: 9), from: 0)]
    batch.append((bytes: [UInt8](repeating: 0, count: 2000), from: 0))
    let windows = (0..<6).map { world.session($0)?.window.highest }
    for _ in 0..<3 {
      for datagram in batch { world.helped.lookAhead(at: datagram.bytes.span.bytes) }
      world.helped.endBatch()
    }
    #expect((0..<6).allSatisfy { world.session($0)?.failedTags == 0 })
    #expect((0..<6).map { world.session($0)?.window.highest } == windows)
    #expect(world.helped.statistics.dropped == 0 && world.helped.eventCount == 0)
    world.deliver(batch)
    world.pass(.milliseconds(20))
    #expect(Pair.texts(world.helpedEvents) == (0..<6).map { "from \($0)" })
    #expect(world.differences == 0 && world.board.tasks >= 6)
  }

  /// A board that verifies nothing has everything refused: so it is asked. Once the batch is over, its word is worth
  /// nothing any more.
  @Test func verdictsAreUsedAndForgotten() throws {
    let board = LoneBoard(helpers: 1)
    let world = AheadWorld(players: 8, board: board)
    for i in 0..<8 { try world.send("before", from: i) }
    // Until the clocks have been compared, as they are from the first message on.
    for _ in 0..<60 { world.pass(.milliseconds(20)) }
    for i in 0..<6 { try world.send("refused", from: i) }
    let (first, before) = (world.takeFromClients(), board.tasks)
    board.isLazy = true
    world.deliver(first)
    #expect(board.tasks == before + 6)
    #expect(world.helped.statistics[.badSignature] == 6 && world.plain.statistics.dropped == 0)
    // Too few to look ahead: verified as ever.
    for i in 6..<8 { try world.send("after", from: i) }
    world.deliver(world.takeFromClients())
    world.answer()
    #expect(board.tasks == before + 6)
    #expect(Pair.texts(world.helpedEvents) == (0..<8).map { _ in "before" } + ["after", "after"])
  }

  /// A flood of forged packets is not opened twice to its end; one of honest players is looked at to the last.
  @Test func forgedPacketsAreOpenedTwiceOnlyAFewTimes() throws {
    let board = LoneBoard(helpers: 1)
    let world = AheadWorld(players: 4, board: board)
    for i in 0..<4 { try world.send("one", from: i) }
    let batch = world.takeFromClients()
    var forged = batch[0].bytes
    forged[forged.count - 1] ^= 1
    for _ in 0..<17 {
      #expect(world.helped.context.ahead.takesMore)
      world.helped.lookAhead(at: forged.span.bytes)
    }
    #expect(!world.helped.context.ahead.takesMore)
    for datagram in batch { world.helped.lookAhead(at: datagram.bytes.span.bytes) }
    #expect(world.helped.context.ahead.isEmpty)
    world.helped.endBatch()
    #expect(world.helped.context.ahead.takesMore)
    for datagram in batch { world.helped.lookAhead(at: datagram.bytes.span.bytes) }
    #expect(world.helped.context.ahead.count == batch.count)
  }

  /// Packets that share a signature are one task, however many come; of one that eight or more share none is made.
  @Test func treesAreLittleToShare() throws {
    let world = AheadWorld(players: 4, board: LoneBoard(helpers: 1))
    let session = try #require(world.session(0))
    try world.send(String(repeating: "x", count: 15_000), from: 0)
    let burst = world.takeFromClients()
    #expect(burst.count > 8 && session.trailer(of: burst[0].bytes)?.depth ?? 0 > 2 && session.verifier.lastDepth == 0)
    for datagram in burst { world.helped.lookAhead(at: datagram.bytes.span.bytes) }
    #expect((1...4).contains(world.helped.context.ahead.count))
    world.helped.endBatch()
    world.deliver([burst[0]])
    #expect(session.verifier.lastDepth > 2)
    for i in 1..<4 { try world.send("short", from: i) }
    let next = Array(burst.dropFirst()) + world.takeFromClients()
    for datagram in next { world.helped.lookAhead(at: datagram.bytes.span.bytes) }
    #expect(world.helped.context.ahead.count == 3)
  }

  /// What is only sealed has nothing to verify, and a server that is a whole has nobody to ask.
  @Test func whoDoesNotLook() {
    let pair = Pair()
    pair.connect()
    #expect(!pair.server.looksAhead && !pair.client.looksAhead)
    var settings = ServerSettings(application: "test/1")
    settings.signingPolicy = .sealedOnly
    let sealed = ServerEndpoint(
      key: .generate(), settings: settings, configuration: .init(), entropy: .seeded(1),
      shard: ServerShard(
        index: 0, map: ShardMap(key: (1, 2), count: 2), clock: LocalClock(random: 5),
        registry: Crew.Registry(limit: 1), board: LoneBoard(helpers: 3), handOver: { _, _, _ in }))
    #expect(!sealed.looksAhead)
    let world = AheadWorld(players: 1, board: LoneBoard(helpers: 0))
    #expect(!world.helped.looksAhead && !world.plain.looksAhead)
  }
}
