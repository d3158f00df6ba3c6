import Glibc
import Roamkey
import Testing

@testable import RoamkeyBenchmarks

/// What a run with a reader that stands still rests on.
@Suite struct StalledTests {
  /// Memory that is touched shows; memory that is only reserved does not.
  @Test func residentMemoryIsMeasured() throws {
    let size = 64 << 20
    let before = try #require(residentBytes(of: getpid()))
    let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    let block = try #require(memory != MAP_FAILED ? memory : nil)
    defer { munmap(block, size) }
    // Other tests allocate beside this one.
    let reserved = try #require(residentBytes(of: getpid()))
    #expect(abs(reserved - before) < size / 2)
    memset(block, 1, size)
    let touched = try #require(residentBytes(of: getpid()))
    #expect(touched - reserved > size / 2)
    #expect(residentBytes(of: pid_t.max) == nil)
  }

  @Test func growthIsHeldAgainstTheLimit() {
    var memory = StalledMemory(limit: 1000, before: 5000)
    memory.note(5000 + 1000 + StalledMemory.allowance, isStalled: true)
    memory.note(5500, isStalled: true)
    memory.note(5200, isStalled: false)
    #expect(memory.isKept && memory.growth == 1000 + StalledMemory.allowance)
    #expect(memory.stalledEnd == 5500 && memory.finalPeak == 5200)
    memory.note(5001 + 1000 + StalledMemory.allowance, isStalled: false)
    #expect(!memory.isKept)
  }

  @Test func arrivalsAreToldInALine() throws {
    var arrived = StalledArrivals(messages: 1024, state: 7)
    arrived.stateDropped = 3
    #expect(try StalledArrivals(line: arrived.line) == arrived)
    #expect(throws: BenchmarkFailure.self) { try StalledArrivals(line: "FAILED: the session has ended") }
    #expect(throws: BenchmarkFailure.self) { try StalledArrivals(line: "1 2") }
    #expect(throws: BenchmarkFailure.self) { try StalledArrivals(line: "1 2 x 3") }
  }

  @Test func brokenPromisesAreTold() {
    let configuration = RoamkeyConfiguration()
    func failures(
      arrived: Int = 1024, whileStalled: Int = 80, serverGrowth: Int = 0, clientGrowth: Int = 0
    ) -> Int {
      var server = StalledMemory(limit: StalledMemory.serverLimit(configuration), before: 1)
      var client = StalledMemory(limit: StalledMemory.clientLimit(configuration), before: 1)
      server.note(1 + serverGrowth, isStalled: true)
      client.note(1 + clientGrowth, isStalled: true)
      let outcome = StalledOutcome(
        expected: 1024, takenWhileStalled: whileStalled, queued: 0, state: .init(),
        arrived: StalledArrivals(messages: arrived, state: 1), time: .zero,
        memory: .init(server: server, client: client))
      return outcome.failures.count
    }
    #expect(failures() == 0)
    #expect(failures(arrived: 1023) == 1)
    #expect(failures(serverGrowth: 64 << 20) == 1 && failures(clientGrowth: 64 << 20) == 1)
    // Somebody kept all of it, or next to nothing.
    #expect(failures(whileStalled: 1024) == 1 && failures(whileStalled: 10) == 1)
  }
}
