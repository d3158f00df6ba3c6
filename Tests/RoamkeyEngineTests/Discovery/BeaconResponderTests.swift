import RoamkeyCrypto
import RoamkeySimulator
import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// PROTOCOL §15.2: whom a server answers, and what.
struct BeaconResponderTests {
  private let now = Instant(nanoseconds: 1_000_000_000)
  private func seek(_ nonce: UInt128 = 1, _ application: String? = "galaxy/1") -> [UInt8] {
    SeekDatagram(nonce: nonce, application: application).encoded()
  }

  @Test func anAnswerSaysWhoAndWhat() throws {
    let server = NeighbourServer("Anna's room", seed: 7)
    let answer = try #require(server.answer(seek(99), now: now))
    let beacon = try BeaconDatagram(answer.span.bytes)
    #expect(beacon.nonce == 99)
    #expect(beacon.publicKey == server.id.publicKey.bytes)
    #expect(beacon.name == "Anna's room")
    #expect(beacon.application == "galaxy/1")
    #expect(beacon.address == Neighbourhood.address(20, port: 7447))
    #expect((beacon.players, beacon.capacity) == (3, 64))
    #expect(!beacon.isFarewell)
    #expect(answer.count <= SeekDatagram.size)
    #expect(server.responder.statistics.sent == 1)
    #expect(server.responder.statistics.drops.isEmpty)
  }

  @Test func theLongestAnswerIsShorterThanItsQuestion() throws {
    let application = String(repeating: "ä", count: 127) + "1"
    let server = NeighbourServer(String(repeating: "n", count: 64), seed: 7, application: application)
    let answer = try #require(server.answer(seek(1, application), now: now))
    #expect(answer.count == 483)
    #expect(try BeaconDatagram(answer.span.bytes).application == application)
  }

  @Test func playersAreCountedWhenItAnswers() throws {
    let server = NeighbourServer(nil, seed: 7)
    _ = server.answer(seek(1), now: now)
    server.population = ServerPopulation(players: 5, capacity: .max)
    let answer = try #require(server.answer(seek(2), now: now + .seconds(1)))
    let later = try BeaconDatagram(answer.span.bytes)
    #expect(later.players == 5)
    #expect(later.capacity == .max)
    #expect(later.sequence == 2)
  }

  @Test func strangersAreNotAnswered() {
    let server = NeighbourServer("a", seed: 7)
    let far = NetworkAddress(ipv4: 198, 51, 100, 1, port: 40_000)
    #expect(server.answer(seek(), from: far, now: now) == nil)
    // Nor who sends to this machine alone, as whoever is further away must.
    #expect(server.answer(seek(), to: Neighbourhood.address(20), now: now) == nil)
    #expect(server.answer(seek(), from: Neighbourhood.address(10), now: now) == nil, "port 0")
    #expect(server.answer(seek(), interface: 9, now: now) == nil)
    #expect(server.responder.statistics.drops == ["notLocal": 4])
    #expect(server.answer(seek(), now: now) != nil)
  }

  @Test func otherApplications() {
    let server = NeighbourServer("a", seed: 7)
    #expect(server.answer(seek(1, "galaxy/2"), now: now) == nil)
    #expect(server.answer(seek(2, nil), now: now) != nil)
    #expect(server.responder.statistics.drops == ["otherApplication": 1])
  }

  @Test(arguments: [
    ("192.0.2.20:7447", true, false, false), ("192.0.2.2:7447", false, false, false),
    ("127.0.0.1:7447", false, false, true), ("0.0.0.0:7447", true, false, true), ("[::]:7447", true, true, true),
    ("[fe80::14%2]:7447", false, true, false),
    ("[fe80::14%3]:7447", false, false, false),
  ])
  func itAnswersWhereItListens(listen: String, ipv4: Bool, ipv6: Bool, loopback: Bool) throws {
    let server = NeighbourServer("a", seed: 7, listen: try NetworkAddress(listen))
    #expect((server.answer(seek(1), now: now) != nil) == ipv4)
    let other = Neighbourhood.linkLocal(9, port: 40_000)
    #expect((server.answer(seek(2), from: other, to: LocalLinks.group6, now: now) != nil) == ipv6)
    let here = NetworkAddress(ipv4: 127, 0, 0, 1, port: 40_000)
    let all = NetworkAddress(ipv4: 127, 255, 255, 255, port: 0)
    #expect((server.answer(seek(3), from: here, to: all, interface: 1, now: now) != nil) == loopback)
  }

  /// A question comes by group and broadcast, and from two addresses of one browser: signed once.
  @Test func copiesOfAQuestion() throws {
    let server = NeighbourServer("a", seed: 7)
    let first = try #require(server.answer(seek(), now: now))
    #expect(server.answer(seek(), to: LocalLinks.everybody, now: now) == nil)
    #expect(server.responder.statistics.drops == ["repeated": 1])
    #expect(server.answer(seek(), from: Neighbourhood.address(11, port: 9), now: now) == first)
  }

  /// Each address is signed for itself, so that nobody can hand a beacon on as their own.
  @Test func eachFamilyHasABeaconOfItsOwn() throws {
    let server = NeighbourServer("a", seed: 7)
    let first = try #require(server.answer(seek(), now: now))
    let other = Neighbourhood.linkLocal(9, port: 41_000)
    let second = try #require(server.answer(seek(), from: other, to: LocalLinks.group6, now: now))
    let (one, two) = (try BeaconDatagram(first.span.bytes), try BeaconDatagram(second.span.bytes))
    #expect(one.address == Neighbourhood.address(20, port: 7447))
    #expect(two.address == NetworkAddress(ip: Neighbourhood.linkLocal(20).ip, port: 7447))
    #expect((one.sequence, two.sequence) == (1, 2))
  }

  @Test func oneSourceHasItsLimit() {
    let server = NeighbourServer("a", seed: 7)
    func answers(from number: UInt8, _ nonces: Range<UInt128>) -> Int {
      nonces.filter { nonce in
        // Ports do not help.
        let source = Neighbourhood.address(number, port: UInt16(1000 + nonce))
        return server.answer(seek(nonce), from: source, now: now) != nil
      }.count
    }
    #expect(answers(from: 10, 0..<500) == 48)
    #expect(answers(from: 11, 500..<510) == 10)
    #expect(server.responder.statistics.drops == ["limited": 452])
  }

  @Test func allTogetherHaveTheirLimit() {
    let server = NeighbourServer("a", seed: 7)
    let answers = (0..<500).filter { index in
      let source = Neighbourhood.address(UInt8(2 + index % 250), port: 5000)
      return server.answer(seek(UInt128(index)), from: source, now: now) != nil
    }
    #expect(answers.count == 128)
    let later = Neighbourhood.address(9, port: 6000)
    #expect(server.answer(seek(1000), from: later, now: now + .seconds(1)) != nil)
  }

  @Test func aFarewellGoesToThoseWhoAskedLately() throws {
    let server = NeighbourServer("a", seed: 7)
    let early = Neighbourhood.address(10, port: 1)
    let late = Neighbourhood.address(11, port: 2)
    _ = server.answer(seek(1), from: early, now: now)
    _ = server.answer(seek(2), from: late, now: now + .seconds(3))
    let farewells = server.responder.farewells(now: now + .milliseconds(4000))
    #expect(farewells.map(\.to) == [late])
    let bytes = try #require(farewells.first).bytes
    let farewell = try BeaconDatagram(bytes.span.bytes)
    #expect(farewell.isFarewell)
    #expect(farewell.nonce == 2)
    #expect(farewell.sequence == 3)
    #expect(server.responder.farewells(now: now + .milliseconds(4000)).isEmpty)
  }

  @Test func garbageIsCountedAndNeverAnswered() {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    let server = NeighbourServer("a", seed: 7)
    var answered = 0
    for _ in 0..<5000 {
      var bytes = seek(UInt128(random.next()), random.chance(0.5) ? "galaxy/1" : nil)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        bytes[Int.random(in: 0..<40, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if random.chance(0.2) { bytes.removeLast(Int.random(in: 1...512, using: &random)) }
      if random.chance(0.1) { bytes += random.bytes(3) }
      let source = Neighbourhood.address(UInt8.random(in: 2...250, using: &random), port: 9)
      guard let answer = server.answer(bytes, from: source, now: now) else { continue }
      answered += 1
      #expect(answer.count <= bytes.count, "seed \(seed)")
      #expect((try? SeekDatagram(bytes.span.bytes)) != nil, "seed \(seed)")
    }
    #expect(answered > 0 && answered <= 128, "seed \(seed)")
    #expect(server.responder.statistics.drops["malformed", default: 0] > 1000, "seed \(seed)")
  }
}
