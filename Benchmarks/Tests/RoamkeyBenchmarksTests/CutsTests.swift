import Roamkey
import Testing

@testable import RoamkeyBenchmarks

/// What holds a run with cuts against its promises.
@Suite struct CutsTests {
  private let start = Monotonic(nanoseconds: 1_000_000_000)

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func cutsFitAndLeaveAPause(seed: UInt64) throws {
    let schedule = try #require(CutSchedule(cuts: 4, length: .seconds(60), in: .seconds(600), seed: seed))
    #expect(schedule == CutSchedule(cuts: 4, length: .seconds(60), in: .seconds(600), seed: seed))
    #expect(schedule != CutSchedule(cuts: 4, length: .seconds(60), in: .seconds(600), seed: seed + 1))
    var end = Duration.zero
    for cut in schedule.cuts {
      #expect(cut.start - end >= CutSchedule.pause, "seed \(seed)")
      #expect(cut.length >= .seconds(60) && cut.length <= .seconds(65), "seed \(seed)")
      end = cut.start + cut.length
    }
    #expect(.seconds(600) - end >= CutSchedule.pause, "seed \(seed)")
    // Not all of one length: their ends fall between two probes at random.
    #expect(Set(schedule.cuts.map(\.length)).count == 4, "seed \(seed)")
  }

  @Test func aShortRunHasNoRoom() {
    #expect(CutSchedule(cuts: 1, length: .seconds(60), in: .seconds(95), seed: 1)?.cuts.first?.start == .seconds(15))
    #expect(CutSchedule(cuts: 1, length: .seconds(60), in: .seconds(94), seed: 1) == nil)
  }

  @Test func aCutStopsEverything() {
    var link = Link(LinkConditions(), seed: 1)
    #expect(link.admit(size: 10, at: start) == .leaves(start))
    link.isCut = true
    #expect(link.admit(size: 100, at: start) == .dropped)
    link.isCut = false
    #expect(link.admit(size: 10, at: start) == .leaves(start))
    #expect(link.counts.cut == 1 && link.counts.cutBytes == 100 && link.counts.datagrams == 3)
  }

  /// The datagrams that are lost are those that would have been lost without the cut.
  @Test func aCutLeavesTheOthersTheirFate() {
    var whole = Link(LinkConditions(loss: 0.3), seed: 1)
    var cut = whole
    let expected = (0..<300).map { _ in whole.admit(size: 1, at: start) }
    let found = (0..<300).map { index in
      cut.isCut = (100..<200).contains(index)
      return cut.admit(size: 1, at: start)
    }
    #expect(found[..<100] == expected[..<100] && found[200...] == expected[200...])
    #expect(found[100..<200].allSatisfy { $0 == .dropped } && expected[100..<200].contains(.leaves(start)))
  }

  /// Through sockets: what is under way when the cut comes is lost as well.
  @Test func theRelayIsCutBothWays() throws {
    let server = try DatagramSocket()
    let relay = try Relay(to: server.port, conditions: LinkConditions(delay: .milliseconds(200)), seed: 1)
    defer { relay.stop() }
    let client = try DatagramSocket(connectedTo: relay.port)
    var buffer = [UInt8](repeating: 0, count: DatagramSocket.maximumSize)
    func next(_ socket: DatagramSocket) throws -> DatagramSocket.Arrival {
      let end = Monotonic.now + .seconds(30)
      while Monotonic.now < end {
        if let arrival = socket.receive(into: &buffer) { return arrival }
        DatagramSocket.wait(for: socket.descriptor, atMost: .milliseconds(10))
      }
      throw BenchmarkFailure("nothing came")
    }
    client.send([1])
    let address = try next(server).from
    // Under way in both directions, then cut, then more.
    client.send([2])
    server.send([3], to: address)
    while relay.report.up.datagrams < 2 || relay.report.down.datagrams < 1 {
      (Monotonic.now + .milliseconds(1)).sleep()
    }
    relay.setCut(true)
    client.send([4])
    server.send([5], to: address)
    (Monotonic.now + .milliseconds(400)).sleep()
    relay.setCut(false)
    client.send([6])
    server.send([7], to: address)
    _ = try next(server)
    #expect(buffer[0] == 6)
    _ = try next(client)
    #expect(buffer[0] == 7)
    #expect(relay.report.up.cut == 2 && relay.report.down.cut == 2)
  }

  // MARK: What is told

  @Test func offlineAndOnlineComeInPairs() {
    var inbox = CutsInbox()
    inbox.noteOffline(at: start)
    inbox.noteOnline(at: start)
    inbox.noteOffline(at: start)
    #expect(inbox.failure == nil)
    var twice = inbox
    twice.noteOffline(at: start)
    #expect(twice.failure != nil)
    inbox.noteOnline(at: start)
    #expect(inbox.failure == nil)
    inbox.noteOnline(at: start)
    #expect(inbox.failure != nil)
  }

  @Test func aSecondSessionIsNotTheSame() {
    var inbox = CutsInbox()
    inbox.noteJoin()
    #expect(inbox.failure == nil)
    inbox.noteJoin()
    #expect(inbox.failure != nil)
    var ended = CutsInbox()
    ended.noteEnd(.timedOut)
    #expect(ended.failure != nil)
  }

  @Test func everyStreamIsHeldAgainstItsPromise() {
    func failure(_ stream: CutsStream, _ sequences: [UInt64]) -> BenchmarkFailure? {
      var inbox = CutsInbox()
      for sequence in sequences {
        let message = Message(TimedMessage(sequence: sequence, sentAt: start).bytes, as: stream.rawValue)
        inbox.receive(message, at: start)
      }
      return inbox.failure
    }
    for stream in CutsStream.allCases {
      #expect(failure(stream, [0, 1, 2]) == nil)
      #expect(failure(stream, [0, 1, 1]) != nil)
    }
    #expect(failure(.moves, [0, 2]) != nil && failure(.chat, [1, 0]) != nil)
    #expect(failure(.state, [0, 2]) == nil && failure(.state, [2, 1]) != nil)
    for stream in [CutsStream.loot, .effects] {
      #expect(failure(stream, [5, 0, 2]) == nil && failure(stream, [5, 0, 1, 5]) != nil)
      #expect(failure(stream, [1, 0, 2, 0]) != nil)
    }
  }

  @Test func whatIsReliableMustBeThere() {
    var inbox = CutsInbox()
    inbox.receive(Message(TimedMessage(sequence: 0, sentAt: start).bytes, as: "loot"), at: start)
    #expect(inbox.isComplete([.loot: 1, .state: 7, .effects: 7]))
    #expect(!inbox.isComplete([.loot: 2]))
    #expect(!inbox.isComplete([.loot: 1, .moves: 1]))
  }

  @Test func recoveryIsCountedFromTheEndOfTheCut() {
    var inbox = CutsInbox()
    func arrive(_ stream: CutsStream, _ number: UInt64, sent: Duration, at: Duration) {
      inbox.receive(
        Message(TimedMessage(sequence: number, sentAt: start + sent).bytes, as: stream.rawValue), at: start + at)
    }
    arrive(.moves, 0, sent: .zero, at: .seconds(1))
    arrive(.moves, 1, sent: .seconds(2), at: .seconds(12))
    arrive(.state, 0, sent: .seconds(11), at: .seconds(13))
    arrive(.moves, 2, sent: .seconds(11), at: .seconds(14))
    #expect(inbox.firstArrival(after: start + .seconds(10)) == .seconds(2))
    #expect(inbox.caughtUp(after: start + .seconds(10)) == .seconds(4))
    #expect(inbox.caughtUp(after: start + .seconds(20)) == nil)
  }
}
