import Testing

@testable import RoamkeyBenchmarks

@Suite struct DeliveryLogTests {
  private let start = Monotonic(nanoseconds: 5_000_000_000)

  private func bytes(_ sequence: UInt64) -> [UInt8] { TimedMessage(sequence: sequence, sentAt: start).bytes }

  private func accepts(_ sequences: [UInt64], _ promise: DeliveryLog.Promise) -> Bool {
    var log = DeliveryLog(promise)
    return (try? sequences.forEach { try log.receive(bytes($0), at: start) }) != nil
  }

  @Test func aMessageSaysWhatItIs() throws {
    let message = TimedMessage(sequence: 0x0102_0304_0506_0708, sentAt: Monotonic(nanoseconds: .max))
    #expect(message.bytes.count == 64)
    #expect(Array(message.bytes[..<8]) == [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(try TimedMessage(message.bytes) == message)
  }

  @Test func changedMessagesAreNoticed() {
    for index in 16..<64 {
      var changed = bytes(3)
      changed[index] ^= 1
      #expect(throws: BenchmarkFailure.self) { try TimedMessage(changed) }
    }
    #expect(throws: BenchmarkFailure.self) { try TimedMessage([]) }
    #expect(throws: BenchmarkFailure.self) { try TimedMessage(Array(bytes(3).dropLast())) }
    #expect(throws: BenchmarkFailure.self) { try TimedMessage(bytes(3) + [0]) }
  }

  @Test func reliableMeansEachOnceInOrder() {
    #expect(accepts([0, 1, 2, 3], .reliableOrdered))
    #expect(!accepts([1], .reliableOrdered))
    #expect(!accepts([0, 2], .reliableOrdered))
    #expect(!accepts([0, 0], .reliableOrdered))
    #expect(!accepts([0, 1, 0], .reliableOrdered))
  }

  @Test func newerOnlyMayHaveGaps() {
    #expect(accepts([1, 2, 5], .newerOnly))
    #expect(!accepts([1, 1], .newerOnly))
    #expect(!accepts([2, 1], .newerOnly))
    #expect(!accepts([.max], .newerOnly))
  }

  @Test func agesCountFromSend() throws {
    var log = DeliveryLog(.reliableOrdered)
    try log.receive(bytes(0), at: start + .milliseconds(51))
    #expect(log.ages == [.milliseconds(51)])
  }

  @Test func whatIsMissingIsAFailure() throws {
    var log = DeliveryLog(.reliableOrdered)
    try log.receive(bytes(0), at: start)
    func outcome(sent: Int, _ promise: DeliveryLog.Promise, overruns: Int = 0) -> LossyOutcome {
      LossyOutcome(sent: sent, log: log, relay: Relay.Report(overruns: overruns), promise: promise)
    }
    #expect(outcome(sent: 1, .reliableOrdered).failure == nil)
    #expect(outcome(sent: 2, .reliableOrdered).failure != nil)
    #expect(outcome(sent: 2, .newerOnly).failure == nil)
    #expect(outcome(sent: 1, .reliableOrdered, overruns: 1).failure != nil)
  }
}
