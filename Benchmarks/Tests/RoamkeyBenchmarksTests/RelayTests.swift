import Synchronization
import Testing

@testable import RoamkeyBenchmarks

/// The relay between real sockets.
@Suite(.serialized) struct RelayTests {
  private struct Passage {
    var arrived: [(message: TimedMessage, at: Monotonic)] = []
    var report = Relay.Report()
  }

  /// Sends `count` datagrams up, `pause` apart, and answers none.
  private func send(
    _ count: Int, _ conditions: LinkConditions, seed: UInt64, pause: Duration, spin: Duration = .zero
  ) throws -> Passage {
    let receiver = try DatagramSocket()
    let relay = try Relay(to: receiver.port, conditions: conditions, seed: seed, spin: spin)
    defer { relay.stop() }
    let sender = try DatagramSocket(connectedTo: relay.port)
    // What comes before the phase is carried, and counts nowhere.
    sender.send(TimedMessage(sequence: 999_999, sentAt: .now).bytes)
    (Monotonic.now + .milliseconds(50)).sleep()
    relay.beginPhase()
    var buffer = [UInt8](repeating: 0, count: DatagramSocket.maximumSize)
    var passage = Passage()
    func drain() throws {
      while let arrival = receiver.receive(into: &buffer) {
        let message = try TimedMessage(Array(buffer[..<arrival.size]))
        if message.sequence != 999_999 { passage.arrived.append((message, arrival.time)) }
      }
    }
    let start = Monotonic.now
    for index in 0..<count {
      (start + pause * index).sleep()
      sender.send(TimedMessage(sequence: UInt64(index), sentAt: .now).bytes)
      try drain()
    }
    // Patience for a busy machine; all that was not dropped comes.
    let end = Monotonic.now + .seconds(30)
    while Monotonic.now < end {
      // One report: the relay goes on between two of them.
      let up = relay.report.up
      if up.datagrams >= count && passage.arrived.count >= up.datagrams - up.lost { break }
      DatagramSocket.wait(for: receiver.descriptor, atMost: .milliseconds(10))
      try drain()
    }
    passage.report = relay.report
    return passage
  }

  @Test func dropsAsItsSeedSays() throws {
    let conditions = LinkConditions(delay: .milliseconds(2), loss: 0.2)
    let first = try send(2000, conditions, seed: 5, pause: .microseconds(50))
    let again = try send(2000, conditions, seed: 5, pause: .microseconds(50))
    let other = try send(2000, conditions, seed: 6, pause: .microseconds(50))
    func numbers(_ passage: Passage) -> [UInt64] { passage.arrived.map(\.message.sequence) }
    #expect(numbers(first) == numbers(again))
    #expect(numbers(first) != numbers(other))
    // Four standard deviations of 2000 draws are 72.
    #expect(abs(first.report.up.lost - 400) <= 72)
    #expect(first.arrived.count == 2000 - first.report.up.lost)
    #expect(first.report.up.bytes == 2000 * TimedMessage.size)
    #expect(first.report.down == Link.Counts())
  }

  @Test func delaysEveryDatagramInOrder() throws {
    let passage = try send(
      100, LinkConditions(delay: .milliseconds(20)), seed: 1, pause: .milliseconds(3), spin: .microseconds(150))
    #expect(passage.arrived.map(\.message.sequence) == Array(0..<100))
    let delays = Percentiles(passage.arrived.map { $0.at - $0.message.sentAt })
    // Never early. How late depends on what else the machine does, so the upper bound is a generous one.
    #expect(try #require(delays[0]) >= .milliseconds(20))
    #expect(try #require(delays[50]) < .milliseconds(25))
    #expect(passage.report.overruns == 0)
    #expect(passage.report.lateness.count == 100)
  }

  @Test func carriesABurst() throws {
    let passage = try send(20_000, LinkConditions(delay: .milliseconds(25)), seed: 1, pause: .microseconds(100))
    #expect(passage.report.overruns == 0)
    #expect(passage.arrived.map(\.message.sequence) == Array(0..<20_000))
  }

  @Test func answersFindTheirClients() throws {
    let server = try DatagramSocket()
    let relay = try Relay(to: server.port, conditions: LinkConditions(delay: .milliseconds(1)), seed: 1)
    defer { relay.stop() }
    let clients = try (0..<3).map { _ in try DatagramSocket(connectedTo: relay.port) }
    var buffer = [UInt8](repeating: 0, count: DatagramSocket.maximumSize)
    func next(_ socket: DatagramSocket) throws -> (bytes: [UInt8], from: UInt16) {
      let end = Monotonic.now + .seconds(30)
      while Monotonic.now < end {
        if let arrival = socket.receive(into: &buffer) { return (Array(buffer[..<arrival.size]), arrival.from) }
        DatagramSocket.wait(for: socket.descriptor, atMost: .milliseconds(10))
      }
      throw BenchmarkFailure("nothing came")
    }
    for (index, client) in clients.enumerated() { client.send([UInt8(index)]) }
    var ports: Set<UInt16> = []
    for _ in clients {
      let (bytes, from) = try next(server)
      ports.insert(from)
      server.send(bytes + [42], to: from)
    }
    #expect(ports.count == 3)
    for (index, client) in clients.enumerated() { #expect(try next(client).bytes == [UInt8(index), 42]) }
    #expect(relay.report.up.bytes == 3)
    #expect(relay.report.down.bytes == 6)
  }

  /// After a move the server sees another address; what it sends to the old one is lost, what it sends to the new one
  /// arrives.
  @Test func clientsThatMoveHaveAnotherAddress() throws {
    let server = try DatagramSocket()
    let relay = try Relay(to: server.port, conditions: LinkConditions(), seed: 1)
    defer { relay.stop() }
    let client = try DatagramSocket(connectedTo: relay.port)
    var buffer = [UInt8](repeating: 0, count: DatagramSocket.maximumSize)
    func next(_ socket: DatagramSocket, until end: Monotonic = .now + .seconds(30)) -> (bytes: [UInt8], from: UInt16)? {
      while Monotonic.now < end {
        if let arrival = socket.receive(into: &buffer) { return (Array(buffer[..<arrival.size]), arrival.from) }
        DatagramSocket.wait(for: socket.descriptor, atMost: .milliseconds(10))
      }
      return nil
    }
    client.send([1])
    let before = try #require(next(server))
    server.send([2], to: before.from)
    #expect(next(client)?.bytes == [2])
    relay.moveClients()
    // The relay notes it within its longest wait.
    (Monotonic.now + .milliseconds(100)).sleep()
    client.send([3])
    let after = try #require(next(server))
    #expect(after.bytes == [3])
    #expect(after.from != before.from)
    server.send([4], to: before.from)
    server.send([5], to: after.from)
    #expect(next(client)?.bytes == [5])
    #expect(next(client, until: .now + .milliseconds(100)) == nil)
  }
}
