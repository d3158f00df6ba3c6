import Glibc
import Roamkey
import Testing

@testable import RoamkeyBenchmarks

/// What the figures of a flood rest on.
@Suite struct FloodTests {
  @Test func figuresAreToldInALine() throws {
    let figures = FloodFigures(Percentiles((1...100).map { .microseconds($0) }))
    #expect(figures.count == 100 && figures.p50 == .microseconds(50) && figures.p99 == .microseconds(99))
    #expect(figures.maximum == .microseconds(100))
    #expect(try FloodFigures(line: figures.line) == figures)
    #expect(throws: BenchmarkFailure.self) { try FloodFigures(line: "FAILED: nobody is there") }
    #expect(throws: BenchmarkFailure.self) { try FloodFigures(line: "1 2 3 x") }
  }

  @Test func delaysCountForTheTimeInWhichTheyWereSent() {
    let deliveries = FloodDeliveries(capacity: 10)
    let player = PlayerKey.generate().id
    for sequence in 0..<10 {
      let sent = Monotonic(nanoseconds: Int64(sequence) * 1000)
      deliveries.receive(
        TimedMessage(sequence: UInt64(sequence), sentAt: sent).bytes, of: player, at: sent + .seconds(sequence))
    }
    let figures = deliveries.figures(from: Monotonic(nanoseconds: 2000), to: Monotonic(nanoseconds: 5000))
    #expect(figures.count == 3 && figures.p50 == .seconds(3) && figures.maximum == .seconds(4))
    #expect(deliveries.failures.isEmpty && deliveries.count == 10)
  }

  @Test func whatIsMissingOrRepeatedIsTold() {
    let deliveries = FloodDeliveries(capacity: 4)
    let (one, other) = (PlayerKey.generate().id, PlayerKey.generate().id)
    func receive(_ sequence: UInt64, _ player: PlayerID) {
      deliveries.receive(TimedMessage(sequence: sequence, sentAt: .now).bytes, of: player, at: .now)
    }
    receive(0, one)
    receive(0, other)
    #expect(deliveries.failures.isEmpty)
    receive(2, one)
    #expect(deliveries.failures.count == 1)
    receive(2, one)
    #expect(deliveries.failures.count == 2)
    deliveries.receive([1, 2, 3], of: one, at: .now)
    #expect(deliveries.failures.count == 3)
  }

  @Test func brokenPromisesAreTold() {
    func failures(_ change: (inout FloodOutcome) -> Void) -> Int {
      var outcome = FloodOutcome(memoryBefore: 1000)
      outcome.memoryPeak = 1000 + FloodOutcome.memoryLimit
      (outcome.sentUp, outcome.arrivedUp, outcome.sentDown, outcome.arrivedDown) = (5, 5, 7, 7)
      outcome.refused = 1
      change(&outcome)
      return outcome.failures.count
    }
    #expect(failures { _ in } == 0)
    #expect(failures { $0.arrivedUp = 4 } == 1)
    #expect(failures { $0.arrivedDown = 8 } == 1)
    #expect(failures { $0.memoryPeak += 1 } == 1)
    #expect(failures { $0.refused = 0 } == 1)
    #expect(failures { $0.broken = ["somebody left"] } == 1)
  }

  @Test func aFloodIsWhatItSays() throws {
    let hellos = FloodStock(.hellos, seed: 1)
    var sources: Set<UInt32> = []
    var keys: Set<[UInt8]> = []
    for _ in 0..<2000 {
      let datagram = hellos.next(from: 100)
      let bytes = Array(UnsafeRawBufferPointer(start: datagram.bytes, count: Int(datagram.size)))
      #expect(bytes.count == 1200 && bytes.starts(with: [0x80, 0x52, 0x4b, 0, 1, 8]) && bytes[14] == 0)
      keys.insert(Array(bytes[51..<83]))
      sources.insert(datagram.source)
    }
    #expect(sources.count == 100 && keys.count == 2000)
    let garbage = FloodStock(.garbage, seed: 1)
    for _ in 0..<2000 { #expect((1...1400).contains(garbage.next(from: 1).size)) }
  }

  @Test func aSocketWithoutRoomIsSeen() throws {
    let socket = try DatagramSocket(stamps: false)
    var small: CInt = 4096
    setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<CInt>.size))
    let sender = try DatagramSocket(stamps: false)
    #expect(SocketOverruns.of(port: socket.port) == 0)
    for _ in 0..<100 { sender.send([UInt8](repeating: 1, count: 1000), to: socket.port) }
    #expect(SocketOverruns.of(port: socket.port) > 50)
  }
}
