import Testing

@testable import RoamkeyUDP

/// When threads are asked for help again that were of none.
struct HelpRecordTests {
  /// A batch of 32 signatures of 40 us each, half of which others have verified.
  private static func note(_ record: inout HelpRecord, took elapsed: Duration, each cost: Duration = .microseconds(40))
  {
    record.note(32, own: 16, processorTime: cost * 16, elapsed: elapsed)
  }

  /// Batches until the next that may be shared.
  private static func batches(_ record: inout HelpRecord) -> Int {
    var count = 0
    while !record.mayAsk() { count += 1 }
    return count
  }

  @Test func uselessHelpIsAskedForEverMoreSeldom() {
    var record = HelpRecord()
    #expect(Self.batches(&record) == 0 && Self.batches(&record) == 0)
    var pauses: [Int] = []
    for _ in 0..<9 {
      Self.note(&record, took: .microseconds(1400))
      pauses.append(Self.batches(&record))
    }
    #expect(pauses == [1, 2, 4, 8, 16, 32, 64, 64, 64])
    // One that was worth it, and all is as before.
    Self.note(&record, took: .microseconds(700))
    #expect(Self.batches(&record) == 0)
    Self.note(&record, took: .microseconds(1400))
    #expect(Self.batches(&record) == 1)
  }

  @Test func aLittleIsNotEnough() {
    var record = HelpRecord()
    for (elapsed, isWorthIt) in [(1100, true), (1119, true), (1120, false), (1280, false)] {
      Self.note(&record, took: .microseconds(elapsed))
      #expect((Self.batches(&record) == 0) == isWorthIt)
    }
  }

  /// A moment in which the owner had to wait makes verifying look dear; a processor that has become slower is believed
  /// after a while.
  @Test func whatAVerificationCosts() {
    var record = HelpRecord()
    Self.note(&record, took: .microseconds(700))
    Self.note(&record, took: .microseconds(1400), each: .microseconds(200))
    #expect(Self.batches(&record) > 0)
    for _ in 0..<200 { Self.note(&record, took: .microseconds(1400), each: .microseconds(80)) }
    _ = Self.batches(&record)
    Self.note(&record, took: .microseconds(1400), each: .microseconds(80))
    #expect(Self.batches(&record) == 0)
  }

  /// The owner has verified none, or nothing is known yet: no reason to stop; and no number is too odd.
  @Test func oddities() {
    var record = HelpRecord()
    record.note(32, own: 0, processorTime: .zero, elapsed: .seconds(1))
    #expect(Self.batches(&record) == 0)
    record.note(1, own: 1, processorTime: .zero, elapsed: .zero)
    record.note(256, own: 256, processorTime: .seconds(10_000_000), elapsed: .seconds(10_000_000))
    record.note(256, own: 1, processorTime: .seconds(-1), elapsed: .seconds(-1))
    #expect(Self.batches(&record) == 2)
  }
}
