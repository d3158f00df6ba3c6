import Testing

@testable import RoamkeyBenchmarks

@Suite(.serialized) struct BulkTests {
  @Test func largeMessagesShareNothing() {
    let pattern = BulkPattern(seed: 9)
    #expect(pattern.message(4) == pattern.message(4))
    #expect(pattern.message(4).count == BulkPattern.size)
    let starts = (0..<100).map { Array(pattern.message($0)[..<16]) }
    #expect(Set(starts).count == 100)
    #expect(BulkPattern(seed: 10).message(4) != pattern.message(4))
  }

  @Test func aTransferArrivesWhole() async throws {
    var transfer = BulkTransfer(seed: 1)
    transfer.messages = 16
    transfer.conditions = LinkConditions(delay: .milliseconds(1), loss: 0.005)
    transfer.limit = .seconds(120)
    let outcome = try await transfer.run()
    #expect(outcome.failure == nil)
    #expect(outcome.messages == 16)
    #expect(outcome.stateReceived > 0)
    #expect(outcome.relay.down.bytes > 16 * BulkPattern.size)
  }

  @Test func aTransferThatTakesTooLongIsAFailure() async throws {
    var transfer = BulkTransfer(seed: 1)
    transfer.messages = 64
    transfer.conditions = LinkConditions(bandwidth: 100_000)
    transfer.limit = .seconds(1)
    let outcome = try await transfer.run()
    #expect(outcome.messages < 64)
    #expect(outcome.failure != nil)
  }
}
