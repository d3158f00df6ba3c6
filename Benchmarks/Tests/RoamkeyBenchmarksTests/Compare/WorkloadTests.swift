import Testing

@testable import RoamkeyBenchmarks

/// What passes between the processes of a comparison, and workloads with both ends in one process.
@Suite(.serialized) struct WorkloadTests {
  @Test func measuresPassThroughALine() throws {
    let measures = Measures(["rate": 1234.5, "small": 1e-9])
    #expect(try Measures(line: measures.line) == measures)
    #expect(throws: BenchmarkFailure.self) { try Measures(line: "rate=fast") }
    #expect(throws: BenchmarkFailure.self) { try Measures(line: "it fell over") }
  }

  @Test(arguments: ["", "flood", "flood:1:2:3", "flood:1:2:3:x", "dance:1"])
  func otherWordsAreNoWorkload(_ word: String) { #expect(WorkloadChoice(word: word) == nil) }

  @Test func aStampIsReadBack() {
    var bytes = [UInt8](repeating: 0, count: Stamp.size)
    Stamp.write(0x0102_0304_0506_0708, peer: 77, into: &bytes)
    bytes.withUnsafeBytes {
      #expect(Stamp.number(of: $0) == 0x0102_0304_0506_0708)
      #expect(Stamp.peer(of: $0) == 77)
    }
    [1, 2].withUnsafeBytes { #expect(Stamp.number(of: UnsafeRawBufferPointer(rebasing: $0[..<4])) == 0) }
  }

  @Test func theLongestGapIsBetweenNeighbours() {
    var log = EchoLog()
    #expect(log.longest == .zero)
    for moment in [10, 20, 55, 60] { log.note(Monotonic(nanoseconds: Int64(moment))) }
    #expect(log.longest == .nanoseconds(35))
    #expect(log.last == Monotonic(nanoseconds: 60))
  }

  @Test(arguments: Competitor.allCases)
  func allThatIsSentArrives(_ competitor: Competitor) async throws {
    let outcome = try await Duet(competitor, .flood(Flood(size: 200, promise: .reliable, seconds: 20, limit: 500)))
      .run()
    #expect(outcome.client["sent"] == 500)
    #expect(outcome.server["received"] == 500)
    #expect(outcome.server["bytes"] == 100_000)
    #expect(outcome.missing(competitor) == nil)
  }

  /// Longer ones are cut where nobody puts them together again. DTLS takes none.
  @Test(arguments: Competitor.allCases.filter { $0 != .dtls })
  func largeMessagesArriveWhole(_ competitor: Competitor) async throws {
    let outcome = try await Duet(competitor, .flood(Flood(size: 5000, promise: .reliable, seconds: 20, limit: 40)))
      .run()
    #expect(outcome.server["bytes"] == 200_000)
    #expect(outcome.server["received"] == (competitor == .raw || competitor == .gso ? 200 : 40))
  }

  @Test(arguments: Competitor.allCases.filter { $0 != .gso })
  func eachIsAnswered(_ competitor: Competitor) async throws {
    let outcome = try await Duet(competitor, .pingPong(PingPong(size: 64, seconds: 3))).run()
    #expect(try #require(outcome.client["count"]) > 0)
    #expect(try #require(outcome.server["answers"]) > 0)
  }

  @Test(arguments: Competitor.allCases.filter { $0 != .gso })
  func aCrowdPlays(_ competitor: Competitor) async throws {
    let crowd = Crowd(
      peers: 5, rateIn: 50, rateOut: 20, sizeIn: 64, sizeOut: 200, seconds: 0.5)
    let outcome = try await Duet(competitor, .crowd(crowd)).run()
    #expect(try #require(outcome.server["received"]) > 0)
    #expect(try #require(outcome.client["received"]) > 0)
  }

  /// 4 a second to each of 5, in five parts a second.
  @Test(arguments: [Competitor.raw, .enet, .sealed])
  func whoIsToldRarelyIsToldInTurns(_ competitor: Competitor) async throws {
    let crowd = Crowd(peers: 5, rateIn: 20, rateOut: 4, sizeIn: 64, sizeOut: 200, seconds: 0.5)
    let outcome = try await Duet(competitor, .crowd(crowd)).run()
    #expect((4...40).contains(try #require(outcome.server["sent"])))
    #expect(try #require(outcome.client["received"]) > 0)
  }

  /// Those who only come in have a thread each, those who play are polled: messages are asked of both.
  @Test(arguments: [true, false])
  func aCrowdOfOursIsHeard(_ rests: Bool) async throws {
    let server = try await RoamkeyServerParty(.sealedOnly, PartySettings(peers: 20))
    let settings = PartySettings(
      peers: 20, rests: rests, port: server.server.address.port, serverID: "\(server.server.id)")
    let clients = try await RoamkeyClientParty(.sealedOnly, settings)
    var heard = Set<Int>()
    for peer in 0..<clients.peers { #expect(try clients.send([UInt8(peer)], to: peer, .reliable)) }
    clients.flush()
    let end = Monotonic.now + .seconds(10)
    while heard.count < 20 && Monotonic.now < end {
      try await clients.receive(until: .now + .milliseconds(1)) { _, _ in }
      try await server.receive(until: .now) { _, bytes in heard.insert(Int(bytes[0])) }
    }
    #expect(heard == Set(0..<20))
  }

  @Test func aVeryLargeCrowdIsInSeveralProcesses() {
    #expect(Competitor.sealed.shares(of: 2000) == [2000])
    #expect(Competitor.sealed.shares(of: 10_000) == [2000, 2000, 2000, 2000, 2000])
    #expect(Competitor.signed.shares(of: 4001) == [1333, 1334, 1334])
    #expect(Competitor.raw.shares(of: 10_000) == [10_000])
  }

  @Test func onlyCountsOfSeveralProcessesAreAdded() {
    let first = Measures(["sent": 1, "connecting": 10])
    let sum = first.adding(Measures(["sent": 2, "received": 3, "connecting": 40]), of: ["sent", "received"])
    #expect(sum == Measures(["sent": 3, "received": 3, "connecting": 10]))
  }

  @Test func whatIsMissingIsSaid() {
    let outcome = Duel.Outcome(
      server: Measures(["received": 9, "misplaced": 1, "expected": 11]), client: Measures(["sent": 10]))
    #expect(outcome.missing(.enet) == "9 of 10 messages arrived, 1 not in order")
    #expect(outcome.missing(.raw) == nil)
    #expect(outcome.lostInPlay != nil)
  }
}
