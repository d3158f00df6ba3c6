import RoamkeyCrypto
import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §15.3: when a browser asks, and whom it lists.
struct ServerSeekerTests {
  private let anna = NeighbourServer("Anna", seed: 7)
  private let ben = NeighbourServer("Ben", seed: 8, at: Neighbourhood.address(21, port: 7446))

  @Test func itAsksThriceAtFirstAndThenEachSecond() {
    var seeker = ServerSeeker(application: nil, entropy: .seeded(3), now: Instant(nanoseconds: 0))
    var times: [Duration] = []
    var nonces: Set<UInt128> = []
    while times.count < 20 {
      let now = seeker.next
      guard let question = seeker.ask(now: now), let seek = try? SeekDatagram(question.span.bytes) else { break }
      times.append(now - Instant(nanoseconds: 0))
      nonces.insert(seek.nonce)
    }
    #expect(times.prefix(3) == [.zero, .milliseconds(100), .milliseconds(300)])
    let pauses = zip(times.dropFirst(3), times.dropFirst(2)).map { $0 - $1 }
    #expect(pauses.allSatisfy { $0 >= .milliseconds(900) && $0 < .milliseconds(1100) })
    #expect(Set(pauses).count > 10, "browsers that began together must not ask together")
    #expect(nonces.count == 20)
  }

  @Test func itCanEnd() {
    let here = Neighbourhood(questions: 3)
    here.pass(.milliseconds(1199))
    #expect(!here.seeker.isDone)
    here.pass(.milliseconds(300))
    #expect(here.seeker.isDone)
    #expect(here.seeker.statistics.sent == 3)
    #expect(here.seeker.next == .distantFuture)
  }

  @Test func serversAreListed() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50), [anna, ben])
    #expect(here.names == ["Anna", "Ben"])
    let found = try #require(here.seeker.servers.first { $0.name == "Anna" })
    #expect(found.server == anna.id)
    #expect(found.address == Neighbourhood.address(20, port: 7447))
    #expect(found.roundTrip == .milliseconds(2))
    #expect((found.players, found.capacity) == (3, 64))
  }

  @Test func onlyWhatIsLookedFor() {
    let chess = NeighbourServer("Chess", seed: 9, application: "chess/1")
    let here = Neighbourhood(application: nil)
    here.pass(.milliseconds(50), [anna, chess])
    #expect(here.names == ["Anna", "Chess"])
    let galaxy = Neighbourhood(seed: 2)
    galaxy.pass(.milliseconds(50))
    let any = SeekDatagram(nonce: (try? SeekDatagram(galaxy.question.span.bytes))?.nonce ?? 0, application: nil)
    let answer = chess.answer(any.encoded(), now: galaxy.now) ?? []
    #expect(!galaxy.receive(answer, from: chess.address))
    #expect(galaxy.seeker.statistics.drops == ["otherApplication": 1])
    let only = Neighbourhood(application: nil, only: ben.id, seed: 4)
    only.pass(.milliseconds(50), [anna, ben, chess])
    #expect(only.names == ["Ben"])
    #expect(only.seeker.statistics.drops == ["otherServer": 2])
  }

  // MARK: What is not believed

  /// Every single bit of a beacon is checked by something.
  @Test func alteredBeaconsAreNotListed() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    let beacon = try #require(anna.answer(here.question, now: here.now))
    for index in beacon.indices {
      var altered = beacon
      altered[index] ^= 1 << UInt8(index % 8)
      // Less than the limit of signatures a second.
      here.pass(.milliseconds(10))
      here.receive(altered, from: anna.address)
    }
    #expect(here.seeker.servers.isEmpty)
    let drops = here.seeker.statistics.drops
    #expect(drops["forged", default: 0] > 100)
    #expect(drops.values.reduce(0, +) == UInt64(beacon.count))
    #expect(drops["limited"] == nil)
    // The honest one, within its time.
    let other = Neighbourhood(seed: 5)
    other.pass(.milliseconds(50), [anna])
    #expect(other.names == ["Anna"])
  }

  @Test func anotherKeyCannotSignForIt() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    var bytes = try #require(ben.answer(here.question, now: here.now))
    // Anna's key in Ben's beacon.
    bytes.replaceSubrange(23..<55, with: anna.id.publicKey.bytes)
    #expect(!here.receive(bytes, from: ben.address))
    #expect(here.seeker.statistics.drops == ["forged": 1])
  }

  @Test func replaysAreNotListed() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    let beacon = try #require(anna.answer(here.question, now: here.now))
    here.pass(.seconds(4))
    #expect(!here.receive(beacon, from: anna.address))
    #expect(here.seeker.statistics.drops == ["unasked": 1])
    // Nor to another browser, whose question it does not answer.
    let other = Neighbourhood(seed: 99)
    other.pass(.milliseconds(50))
    #expect(!other.receive(beacon, from: anna.address))
    // With the new nonce put in, the signature is wrong.
    var changed = beacon
    changed.replaceSubrange(7..<23, with: other.question[7..<23])
    #expect(!other.receive(changed, from: anna.address))
    #expect(other.seeker.statistics.drops == ["unasked": 1, "forged": 1])
    #expect(other.seeker.servers.isEmpty)
  }

  @Test func whatComesFromAnotherLinkIsNotListed() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    let beacon = try #require(anna.answer(here.question, now: here.now))
    #expect(!here.receive(beacon, from: NetworkAddress(ipv4: 198, 51, 100, 1, port: 7446)))
    #expect(!here.receive(beacon, from: anna.address, interface: 1))
    #expect(here.seeker.statistics.drops == ["notLocal": 2])
    // A neighbour who hands it on would be taken for the server, and its players would go there in vain.
    #expect(!here.receive(beacon, from: Neighbourhood.address(66, port: 7446)))
    #expect(here.seeker.statistics.drops == ["notLocal": 2, "elsewhere": 1])
    #expect(here.receive(beacon, from: anna.address))
  }

  @Test func anOlderWordChangesNothing() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    let old = try #require(anna.answer(here.question, now: here.now))
    anna.population.players = 9
    here.pass(.milliseconds(100), [anna])
    #expect(here.seeker.servers.map(\.players) == [9])
    #expect(!here.receive(old, from: anna.address))
    #expect(here.seeker.statistics.drops == ["stale": 1])
    #expect(here.seeker.servers.map(\.players) == [9])
  }

  /// Two answers to one question, made after each other and turned around on the way.
  @Test func anOlderWordByTheSameWay() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    let first = try #require(anna.answer(here.question, now: here.now))
    let other = Neighbourhood.address(10, port: 40_001)
    let second = try #require(anna.answer(here.question, from: other, now: here.now + .seconds(1)))
    #expect(here.receive(second, from: anna.address))
    #expect(!here.receive(first, from: anna.address))
    #expect(here.seeker.statistics.drops == ["stale": 1])
  }

  /// An answer to an older question by a way that is not known: it says nothing that is not known better.
  @Test func anOlderWordByAnotherWay() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    let (moved, source) = (Neighbourhood.linkLocal(20, port: 7446), Neighbourhood.linkLocal(10, port: 4))
    let old = try #require(anna.answer(here.question, from: source, to: LocalLinks.group6, now: here.now))
    here.passToQuestion()
    here.receive(try #require(anna.answer(here.question, now: here.now)), from: anna.address)
    #expect(!here.receive(old, from: moved))
    #expect(here.seeker.statistics.drops == ["stale": 1])
  }

  /// Two ways answer one question; what the server said last counts, whichever arrives last.
  @Test func theLastWordCounts() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    let first = try #require(anna.answer(here.question, now: here.now))
    anna.population.players = 9
    let source = Neighbourhood.linkLocal(10, port: 4)
    let second = try #require(anna.answer(here.question, from: source, to: LocalLinks.group6, now: here.now))
    here.receive(second, from: Neighbourhood.linkLocal(20, port: 7446))
    here.receive(first, from: anna.address)
    #expect(here.seeker.servers.map(\.players) == [9])
    #expect(here.seeker.statistics.drops.isEmpty)
  }

  @Test func wrongSignaturesCostNoMoreThanTheirLimit() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    var forged = try #require(anna.answer(here.question, now: here.now))
    forged[forged.count - 1] ^= 1
    for _ in 0..<2000 { here.receive(forged, from: anna.address) }
    #expect(here.seeker.statistics.drops == ["forged": 512, "limited": 1488])
    here.pass(.seconds(1), [anna])
    #expect(here.names == ["Anna"], "a second later there is room for honest ones")
  }

  @Test func aFloodOfServersFillsNoMemory() {
    let here = Neighbourhood()
    for index in 0..<300 {
      here.pass(.milliseconds(5))
      let server = NeighbourServer("s\(index)", seed: UInt16(index))
      here.receive(server.answer(here.question, now: here.now) ?? [], from: server.address)
    }
    #expect(here.seeker.servers.count == 256)
    #expect(here.seeker.statistics.drops == ["limited": 44])
  }

  // MARK: Coming and going

  @Test func whoIsSilentIsForgotten() {
    let here = Neighbourhood()
    here.pass(.seconds(3), [anna, ben])
    #expect(here.names == ["Anna", "Ben"])
    here.pass(.milliseconds(2300), [ben])
    #expect(here.names == ["Anna", "Ben"])
    here.pass(.milliseconds(1300), [ben])
    #expect(here.names == ["Ben"])
  }

  /// A browser that stood still, as a machine that slept, has not asked: nobody has failed to answer.
  @Test func whoWasNotAskedIsNotForgotten() {
    let here = Neighbourhood()
    here.pass(.seconds(2), [anna])
    here.now = here.now + .seconds(60)
    let hasForgotten = here.seeker.expire(now: here.now)
    #expect(!hasForgotten)
    here.pass(.milliseconds(10), [anna])
    #expect(here.names == ["Anna"])
  }

  @Test func aFarewellIsAnEnd() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50), [anna])
    here.pass(.milliseconds(60))
    let late = try #require(anna.answer(here.question, now: here.now))
    let farewells = anna.responder.farewells(now: here.now)
    #expect(farewells.count == 2)
    var forged = farewells[0].bytes
    forged[70] ^= 4
    #expect(!here.receive(forged, from: anna.address))
    #expect(here.names == ["Anna"])
    #expect(here.receive(farewells[0].bytes, from: anna.address))
    #expect(here.names == [])
    // What was under way does not bring it back; the server, begun anew, does so itself.
    #expect(!here.receive(late, from: anna.address))
    #expect(here.names == [])
    here.pass(.milliseconds(400), [NeighbourServer("Anna", seed: 7, instance: 2)])
    #expect(here.names == ["Anna"])
  }

  @Test func aServerBegunAnewTakesItsOwnPlace() throws {
    let here = Neighbourhood()
    here.pass(.milliseconds(50), [anna])
    let again = NeighbourServer("Anna again", seed: 7, listen: .any(port: 9999), instance: 2)
    here.pass(.milliseconds(100), [again])
    #expect(here.names == ["Anna"], "not before the old one has missed a question")
    here.pass(.milliseconds(1000), [again])
    #expect(here.names == ["Anna again"])
    #expect(here.seeker.servers.map(\.address.port) == [9999])
    // The old one's farewell, late, is not the new one's.
    for farewell in anna.responder.farewells(now: here.now) { here.receive(farewell.bytes, from: anna.address) }
    #expect(here.names == ["Anna again"])
  }

  // MARK: Addresses

  @Test(arguments: [false, true]) func oneServerIsOneLine(isIPv4Later: Bool) {
    let here = Neighbourhood()
    let ipv6 = Neighbourhood.linkLocal(20, port: 7446)
    for _ in 0..<5 {
      here.pass(.milliseconds(1000))
      let source6 = Neighbourhood.linkLocal(10, port: 4)
      let second = anna.answer(here.question, from: source6, to: LocalLinks.group6, now: here.now) ?? []
      let first = anna.answer(here.question, now: here.now) ?? []
      // In either order.
      if isIPv4Later { here.receive(second, from: ipv6) }
      here.receive(first, from: anna.address)
      if !isIPv4Later { here.receive(second, from: ipv6) }
      // The same again is no news.
      #expect(!here.receive(first, from: anna.address))
    }
    #expect(here.seeker.servers.count == 1)
    // An address without a scope is the better one where both are as near.
    #expect(here.seeker.servers.map(\.address) == [Neighbourhood.address(20, port: 7447)])
    #expect(here.seeker.statistics.drops == ["repeated": 5])
  }

  /// A server with two addresses: the far one is heard of first, and is 40 ms away; the near one takes its place and
  /// keeps it.
  @Test func theNearestAddressIsTakenAndStays() {
    let here = Neighbourhood()
    let (far, near) = (Neighbourhood.address(30, port: 7446), anna.address)
    var shown: [NetworkAddress] = []
    for round in 0..<8 {
      here.passToQuestion()
      let first = anna.answer(here.question, now: here.now, at: far) ?? []
      here.receive(first, from: far, at: here.now + .milliseconds(40))
      let other = Neighbourhood.address(11, port: 5)
      let second = anna.answer(here.question, from: other, now: here.now) ?? []
      if round >= 2 { here.receive(second, from: near, at: here.now + .milliseconds(1)) }
      shown += here.seeker.servers.map(\.address)
    }
    let (before, after) = (Neighbourhood.address(30, port: 7447), Neighbourhood.address(20, port: 7447))
    #expect(shown == [before, before, after, after, after, after, after, after])
  }

  @Test func aWayThatIsGoneIsLeft() {
    let here = Neighbourhood()
    here.pass(.seconds(2), [anna])
    let moved = Neighbourhood.address(40, port: 7446)
    for _ in 0..<4 {
      here.pass(.milliseconds(1000))
      here.receive(anna.answer(here.question, now: here.now, at: moved) ?? [], from: moved)
    }
    #expect(here.seeker.servers.map(\.address) == [Neighbourhood.address(40, port: 7447)])
  }

  @Test func garbageListsNobody() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    let here = Neighbourhood()
    here.pass(.milliseconds(50))
    let beacon = anna.answer(here.question, now: here.now) ?? []
    for _ in 0..<5000 {
      var bytes = random.chance(0.7) ? beacon : random.bytes(Int.random(in: 0...600, using: &random))
      for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      }
      if random.chance(0.2) { bytes.removeLast(min(bytes.count, Int.random(in: 1...60, using: &random))) }
      guard bytes != beacon else { continue }
      here.now = here.now + .microseconds(100)
      here.receive(bytes, from: Neighbourhood.address(UInt8.random(in: 2...250, using: &random), port: 7446))
    }
    #expect(here.seeker.servers.isEmpty, "seed \(seed)")
    #expect(here.receive(beacon, from: anna.address) || here.seeker.statistics.drops["limited"] != nil, "seed \(seed)")
  }
}
