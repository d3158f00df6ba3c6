import RoamkeyEngine
import RoamkeySimulator
import Testing

@Suite("Suspects: packets whose acknowledgement is overdue")
struct SuspectTests {
  private static let patience = Duration.milliseconds(110)

  /// The numbers of the packets that are suspected now; their second frames must have come along.
  private func take(_ sender: inout SenderUnderTest, at now: Instant) -> [Int] {
    var frames: [Int] = []
    let count = sender.sent.takeSuspects(now: now, patience: Self.patience, into: &frames)
    #expect(frames.count == 2 * count)
    let numbers = frames.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
    #expect(frames == numbers.flatMap { [$0, $0 + 1000] })
    return numbers
  }

  @Test("A packet is suspected when its patience is over, once, and stays in flight")
  func once() throws {
    var sender = SenderUnderTest()
    #expect(sender.sent.suspectTime(patience: Self.patience) == nil)
    sender.send(at: at(0))
    sender.send(at: at(33))
    #expect(sender.sent.suspectTime(patience: Self.patience) == at(110))
    #expect(take(&sender, at: at(110) + .nanoseconds(-1)) == [])
    #expect(take(&sender, at: at(110)) == [0])
    #expect(sender.sent.suspectTime(patience: Self.patience) == at(143))
    #expect(take(&sender, at: at(142)) == [])
    #expect(sender.sent.bytesInFlight == 2400)
    #expect(take(&sender, at: at(1000)) == [1])
    #expect(sender.sent.suspectTime(patience: Self.patience) == nil)
    #expect(take(&sender, at: at(9000)) == [])
    // Late, not lost: the RTT sample and the frames are those of the original.
    let outcome = try sender.receiveAck(0...1, at: at(1010))
    #expect(sender.acked == [0, 1000, 1, 1001] && outcome.rttSample == .milliseconds(977))
  }

  @Test("Acknowledged in time: no suspect")
  func acknowledged() throws {
    var sender = SenderUnderTest()
    for i in 0..<3 as Range<Int64> { sender.send(at: at(10 * i)) }
    _ = try sender.receiveAck(0...1, at: at(50))
    #expect(sender.sent.suspectTime(patience: Self.patience) == at(130))
    #expect(take(&sender, at: at(125)) == [])
    _ = try sender.receiveAck(0...2, at: at(126))
    #expect(sender.sent.suspectTime(patience: Self.patience) == nil)
    #expect(take(&sender, at: at(500)) == [])
  }

  @Test("One missing between acknowledged ones")
  func between() throws {
    var sender = SenderUnderTest()
    for i in 0..<3 as Range<Int64> { sender.send(at: at(10 * i)) }
    _ = try sender.receiveAck(2...2, 0...0, at: at(100))
    #expect(sender.sent.suspectTime(patience: Self.patience) == at(120))
    #expect(take(&sender, at: at(120)) == [1])
  }

  @Test("What is deemed lost first is no suspect; what is suspected first is still reported lost")
  func lost() throws {
    var sender = try SenderUnderTest.warm()
    for _ in 1...5 { sender.send(at: at(200)) }
    _ = try sender.receiveAck(4...4, at: at(300))
    #expect(sender.detectLosses(at: at(300)).lostPackets == 1)
    #expect(take(&sender, at: at(310)) == [2, 3, 5])
    #expect(sender.sent.suspectTime(patience: Self.patience) == nil)
    let outcome = sender.detectLosses(at: at(400))
    #expect(outcome.lostPackets == 2 && outcome.lostBytes == 2400)
    #expect(sender.lost == [1, 1001, 2, 1002, 3, 1003])
  }

  @Test("Bare acknowledgements and numbers left out are never suspected")
  func quiet() throws {
    var sender = SenderUnderTest()
    sender.sendQuiet(at: at(0))
    sender.sent.skipPacketNumber(now: at(0))
    #expect(sender.sent.suspectTime(patience: Self.patience) == nil)
    sender.send(at: at(50))
    sender.sendQuiet(at: at(51))
    #expect(sender.sent.suspectTime(patience: Self.patience) == at(160))
    #expect(take(&sender, at: at(200)) == [2])
    // One that is sent after all were suspected is the next.
    sender.send(at: at(300))
    #expect(sender.sent.suspectTime(patience: Self.patience) == at(410))
  }

  @Test("PROTOCOL §5: a new path begins without suspects")
  func abandoned() throws {
    var sender = SenderUnderTest()
    sender.send(at: at(0))
    sender.sent.abandonAll(now: at(10), into: &sender.lost)
    #expect(sender.sent.suspectTime(patience: Self.patience) == nil)
    #expect(take(&sender, at: at(500)) == [])
    sender.send(at: at(20))
    #expect(sender.sent.suspectTime(patience: Self.patience) == at(130))
  }

  @Test("Extreme patience does not trap")
  func extremes() {
    var sender = SenderUnderTest()
    sender.send(at: at(5))
    var frames: [Int] = []
    #expect(sender.sent.takeSuspects(now: at(1_000_000), patience: .seconds(Int64.max), into: &frames) == 0)
    #expect(sender.sent.suspectTime(patience: .seconds(Int64.max)) == .distantFuture)
    #expect(sender.sent.takeSuspects(now: at(0), patience: .seconds(Int64.min), into: &frames) == 1)
  }

  @Test("Agrees with a list of packets, whatever happens to them", arguments: ReliabilityRandom.seeds)
  func model(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var sender = SenderUnderTest()
    var open: [(number: UInt64, sentAt: Instant)] = []
    var now = at(0)
    for _ in 0..<4000 {
      now = now + random.duration(below: .milliseconds(20))
      switch random.next() % 10 {
      case 0: sender.sendQuiet(at: now)
      case 1 where random.next() % 40 == 0:
        sender.sent.abandonAll(now: now, into: &sender.lost)
        open = []
      case 1, 2, 3:
        let highest = sender.sent.nextPacketNumber
        guard highest > 0 else { continue }
        let upper = highest - 1 - min(highest - 1, random.next() % 8)
        let lower = upper - min(upper, random.next() % 6)
        _ = try sender.receiveAck(lower...upper, at: now)
        open.removeAll { $0.number >= lower && $0.number <= upper }
        let before = sender.lost.count
        _ = sender.detectLosses(at: now)
        let lost = Set(sender.lost[before...])
        open.removeAll { lost.contains(Int($0.number)) }
      case 4:
        let due = open.filter { $0.sentAt + Self.patience <= now }
        open.removeFirst(due.count)
        #expect(take(&sender, at: now) == due.map { Int($0.number) }, "seed \(seed)")
      default: open.append((sender.send(at: now), now))
      }
      let expected = open.first.map { $0.sentAt + Self.patience }
      #expect(sender.sent.suspectTime(patience: Self.patience) == expected, "seed \(seed)")
    }
  }
}
