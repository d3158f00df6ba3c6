import RoamkeyEngine
import RoamkeySimulator
import Testing

@Suite("Packet numbers, RFC 9000 A.2 and A.3")
struct PacketNumberTests {
  @Test("RFC 9000 A.2: the examples")
  func encodingExamples() {
    #expect(PacketNumber.encodedLength(0xac5c02, largestAcknowledged: 0xabe8b3) == 2)
    #expect(PacketNumber.encodedLength(0xace8fe, largestAcknowledged: 0xabe8b3) == 3)
  }

  @Test("RFC 9000 A.3: the example")
  func decodingExample() {
    #expect(PacketNumber.decode(truncated: 0x9b32, length: 2, expected: 0xa82f30ea + 1) == 0xa82f9b32)
  }

  @Test("RFC 9000 A.2: lengths change where the span no longer fits twice")
  func encodingBoundaries() {
    #expect(PacketNumber.encodedLength(0, largestAcknowledged: nil) == 1)
    #expect(PacketNumber.encodedLength(127, largestAcknowledged: nil) == 1)
    #expect(PacketNumber.encodedLength(128, largestAcknowledged: nil) == 2)
    #expect(PacketNumber.encodedLength(128, largestAcknowledged: 0) == 1)
    #expect(PacketNumber.encodedLength(0x8000, largestAcknowledged: 0) == 2)
    #expect(PacketNumber.encodedLength(0x8001, largestAcknowledged: 0) == 3)
    #expect(PacketNumber.encodedLength(0x80_0000, largestAcknowledged: 0) == 3)
    #expect(PacketNumber.encodedLength(0x80_0001, largestAcknowledged: 0) == 4)
    #expect(PacketNumber.encodedLength(PacketNumber.maximum, largestAcknowledged: 0) == 4)
    #expect(PacketNumber.encodedLength(3, largestAcknowledged: 9) == 1)
  }

  @Test(
    "RFC 9000 A.3: what is sent comes back, for any receiver between the acknowledged and the sent",
    arguments: ReliabilityRandom.seeds)
  func roundTrip(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for _ in 0..<2000 {
      let acknowledged = UInt64.random(in: 0...PacketNumber.maximum >> UInt64.random(in: 0...61), using: &random)
      let span = min(UInt64(1) << UInt64.random(in: 0...30, using: &random), PacketNumber.maximum - acknowledged)
      let sent = acknowledged + UInt64.random(in: 0...span, using: &random)
      let expected = UInt64.random(in: acknowledged...sent, using: &random) + 1
      let length = PacketNumber.encodedLength(sent, largestAcknowledged: acknowledged)
      let truncated = UInt32(truncatingIfNeeded: sent & (1 << UInt64(8 * length) - 1))
      #expect(PacketNumber.decode(truncated: truncated, length: length, expected: expected) == sent)
    }
  }

  @Test("Hostile bytes at both ends of the range do not trap", arguments: 1...4)
  func extremes(length: Int) {
    for expected in [0, 1, 255, PacketNumber.maximum - 1, PacketNumber.maximum, PacketNumber.maximum + 1] {
      for truncated in [UInt32(0), 1, 0x7f, 0x80, 0xff, 0xffff, .max] {
        let decoded = PacketNumber.decode(truncated: truncated, length: length, expected: expected)
        let mask: UInt64 = (1 << UInt64(8 * length)) - 1
        #expect(decoded & mask == UInt64(truncated) & mask)
      }
    }
  }
}

@Suite("Replay window, PROTOCOL §3")
struct ReplayWindowTests {
  @Test("Each number once")
  func once() {
    var window = ReplayWindow()
    #expect(window.highest == nil)
    #expect(window.accepts(0))
    window.commit(0)
    #expect(window.highest == 0)
    #expect(!window.accepts(0))
    #expect(window.accepts(1))
  }

  @Test("Exactly 4096 numbers are told apart; older ones are refused")
  func width() {
    var window = ReplayWindow()
    window.commit(10_000)
    #expect(window.accepts(10_000 - 4095))
    #expect(!window.accepts(10_000 - 4096))
    window.commit(10_001)
    #expect(!window.accepts(10_000 - 4095))
  }

  @Test("Testing changes nothing: only the commit of an authenticated packet moves the window")
  func forgedJump() {
    var window = ReplayWindow()
    window.commit(5)
    _ = window.accepts(PacketNumber.maximum)
    #expect(window.highest == 5)
    #expect(window.accepts(4))
  }

  @Test("RFC 9000 §12.3: nothing above 2^62 - 1, and the end of the range does not trap")
  func end() {
    var window = ReplayWindow()
    for number in [PacketNumber.maximum + 1, .max] {
      #expect(!window.accepts(number))
      window.commit(number)
    }
    #expect(window.highest == nil)
    window.commit(PacketNumber.maximum)
    #expect(!window.accepts(PacketNumber.maximum))
    #expect(window.accepts(PacketNumber.maximum - 4095))
  }

  @Test("What is missing for a while, or never comes, is remembered all the same", arguments: ReliabilityRandom.seeds)
  func fewGaps(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var window = ReplayWindow()
    var missing: Set<UInt64> = []
    for number in UInt64(0)..<20_000 {
      if random.next() % 500 == 0 {
        missing.insert(number)
      } else {
        window.commit(number)
      }
      if number % 100 == 0 { window.releaseMemory() }
      if random.next() % 700 == 0, let late = missing.min() {
        missing.remove(late)
        window.commit(late)
      }
      let asked = number - min(number, random.next() % 5000)
      guard let highest = window.highest, asked <= highest else { continue }
      let isNew = missing.contains(asked) && highest - asked < 4096
      #expect(window.accepts(asked) == isNew, "seed \(seed), number \(asked)")
    }
  }

  @Test("Agrees with a set of numbers", arguments: ReliabilityRandom.seeds)
  func model(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var window = ReplayWindow()
    var committed: Set<UInt64> = []
    var highest: UInt64?
    for _ in 0..<20_000 {
      let base = highest ?? 0
      let number: UInt64 =
        switch random.next() % 16 {
        case 0: base + UInt64.random(in: 0...9000, using: &random)
        case 1...6: base + UInt64.random(in: 0...70, using: &random)
        default: base - min(base, UInt64.random(in: 0...4200, using: &random))
        }
      let isNew = highest.map { number > $0 || ($0 - number < 4096 && !committed.contains(number)) } ?? true
      #expect(window.accepts(number) == isNew, "number \(number), highest \(base)")
      window.commit(number)
      if isNew {
        committed.insert(number)
        highest = max(base, number)
      }
      #expect(window.highest == highest)
    }
  }
}
