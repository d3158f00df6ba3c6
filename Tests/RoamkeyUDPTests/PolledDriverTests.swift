import Glibc
import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

/// Drivers without a thread.
@Suite(.realTime, .timeLimit(.minutes(40))) struct PolledDriverTests {
  private func makePolled(
    _ address: NetworkAddress = .loopback(1), echoes: Bool = true, name: String = "polled test"
  ) throws -> (driver: EchoDriver, log: EchoHandler.Log) {
    let log = EchoHandler.Log()
    let driver = try EchoDriver(
      bind: address, name: name, isPolled: true, handler: EchoHandler(log: log, echoes: echoes), onTurn: { _, _ in })
    return (driver, log)
  }

  /// The names of this process's threads.
  private var threadNames: [String] {
    var names: [String] = []
    guard let folder = opendir("/proc/self/task") else { return [] }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let number = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard let file = fopen("/proc/self/task/\(number)/comm", "r") else { continue }
      defer { fclose(file) }
      var line = [UInt8](repeating: 0, count: 64)
      let count = fread(&line, 1, line.count, file)
      names.append(String(decoding: line.prefix(count).filter { $0 != 10 }, as: UTF8.self))
    }
    return names
  }

  @Test func noThreadIsStarted() throws {
    let (polled, _) = try makePolled(name: "rk-no-thread")
    polled.perform { _, _ in }
    polled.attend()
    let log = EchoHandler.Log()
    let own = try EchoDriver(
      bind: .loopback(1), name: "rk-one-thread", handler: EchoHandler(log: log, echoes: true), onTurn: { _, _ in })
    let hasRun = Gate()
    own.perform { _, _ in hasRun.open() }
    hasRun.wait()
    #expect(threadNames.contains("rk-one-thread"))
    #expect(!threadNames.contains("rk-no-thread"))
    #expect(polled.isPolled && !own.isPolled)
  }

  @Test func nothingHappensUntilSomebodyPolls() async throws {
    let (server, _) = try makePolled()
    let (client, log) = try makePolled(echoes: false)
    let target = server.localAddress
    client.perform { handler, _ in handler.send("ping", to: target) }
    #expect(client.statistics.turns == 0)
    client.attend()
    #expect(client.statistics.datagramsSent == 1)
    #expect(server.statistics.datagramsReceived == 0)
    server.poll(until: .current + .seconds(60)) { server.statistics.datagramsSent == 1 }
    client.poll(until: .current + .seconds(60)) { !log.texts.isEmpty }
    #expect(log.texts == ["ping"])
  }

  @Test func aPollEndsAtItsLimit() throws {
    let (driver, _) = try makePolled()
    let start = Instant.current
    driver.poll(until: start + .milliseconds(30)) { false }
    #expect(Instant.current - start >= .milliseconds(30))
    // Asleep all the time, but for the first turn.
    #expect(driver.statistics.turns <= 4)
    let again = Instant.current
    for _ in 0..<100 { driver.poll(until: again) { false } }
    for _ in 0..<100 { driver.look() }
    #expect(Instant.current - again < .seconds(20))
  }

  @Test func timersFireInsideOfAPoll() throws {
    let (driver, log) = try makePolled()
    driver.perform { handler, now in handler.deadlines = [now + .milliseconds(20), now + .milliseconds(5)] }
    driver.poll(until: .current + .seconds(60)) { log.fired.withLock { $0.count } == 2 }
    let fired = log.fired.withLock { $0 }
    #expect(fired.count == 2 && fired.allSatisfy { $0.at >= $0.due })
  }

  /// What has arrived is known before a timer fires that is due: none does where work is all that was asked for.
  @Test func arrivalsComeBeforeTimers() throws {
    let (server, _) = try makePolled()
    let (client, log) = try makePolled(echoes: false)
    let target = server.localAddress
    client.perform { handler, now in
      handler.send("x", to: target)
      handler.deadlines = [now + .milliseconds(1)]
    }
    client.attend()
    server.poll(until: .current + .seconds(60)) { server.statistics.datagramsSent == 1 }
    let end = Instant.current + .milliseconds(5)
    while Instant.current < end {}
    client.perform { _, _ in }
    client.attend()
    #expect(log.texts == [] && log.fired.withLock { $0.count } == 0)
    client.look()
    #expect(log.texts == ["x"] && log.fired.withLock { $0.count } == 1)
  }

  /// A poll that sleeps is woken by work of other threads; work of threads while nobody sleeps rings no bell.
  @Test func theBellRingsForSleepersOnly() throws {
    let mailbox = try Mailbox<EchoHandler>(socket: UDPSocket(bind: .loopback(1)))
    var rings: UInt64 {
      var text = [UInt8](repeating: 0, count: 512)
      guard let file = fopen("/proc/self/fdinfo/\(mailbox.bell.number)", "r") else { return .max }
      defer { fclose(file) }
      let count = fread(&text, 1, text.count, file)
      for line in String(decoding: text.prefix(count), as: UTF8.self).split(separator: "\n")
      where line.hasPrefix("eventfd-count:") {
        let digits = line.drop { $0 != " " }.filter { $0 != " " }
        return UInt64(digits, radix: 16) ?? .max
      }
      return .max
    }
    var work: [Mailbox<EchoHandler>.Work] = []
    #expect(mailbox.post { _, _ in })
    #expect(rings == 0 && !mailbox.mayRest() && mailbox.hasNews)
    #expect(!mailbox.take(&work) && work.count == 1)
    work.removeAll()
    #expect(mailbox.mayRest())
    for _ in 0..<3 { #expect(mailbox.post { _, _ in }) }
    #expect(rings == 1)
    #expect(!mailbox.take(&work) && work.count == 3)
    #expect(mailbox.post { _, _ in })
    #expect(rings == 1)
    mailbox.stop()
    #expect(!mailbox.mayRest() && !mailbox.post { _, _ in })
  }

  @Test(arguments: [true, false]) func aWaitEndsByItselfOrByTheBell(_ takesLimits: Bool) throws {
    let bell = try Bell()
    var poller = try Poller(bell: bell.number, takesLimits: takesLimits)
    let start = Instant.current
    // Nothing rings: a look that found nothing.
    _ = poller.wait(until: start + .milliseconds(20))
    let end = Instant.current
    #expect(end - start >= .milliseconds(20) && end - start < .seconds(20))
    _ = poller.wait(until: start)
    bell.ring()
    _ = poller.wait(until: .current + .seconds(3600))
    bell.ring()
    _ = poller.wait(until: .distantFuture)
    #expect(Instant.current - end < .seconds(60))
  }

  // MARK: Several threads

  @Test func workOfOtherThreadsWakesAPoll() async throws {
    let (driver, _) = try makePolled()
    let seen = Locked<[Int]>([])
    let poller = try LoopThread(name: "poller") {
      driver.poll(until: .current + .seconds(3600)) { seen.withLock { $0.count } == 100 }
    }
    for number in 0..<100 {
      driver.perform { _, _ in seen.withLock { $0.append(number) } }
      if number % 10 == 0 { try await Task.sleep(for: .milliseconds(1)) }
    }
    poller.join()
    #expect(seen.withLock { $0 } == Array(0..<100))
  }

  /// Several threads poll, post and wait for what they have posted: all of it runs, in order, and never two at once.
  @Test func threadsTakeTurns() throws {
    let (driver, _) = try makePolled()
    let numbers = Locked<[[Int]]>(Array(repeating: [], count: 4))
    let isInside = Locked(false)
    let overlaps = Locked(0)
    var threads: [LoopThread] = []
    for thread in 0..<4 {
      threads.append(
        try LoopThread(name: "poller \(thread)") {
          for number in 0..<1000 {
            let done = Gate()
            driver.perform { _, _ in
              if isInside.withLock({ inside in
                let was = inside; inside = true; return was
              }) {
                overlaps.withLock { $0 += 1 }
              }
              numbers.withLock { $0[thread].append(number) }
              isInside.withLock { $0 = false }
              done.open()
            }
            switch (number + thread) % 3 {
            case 0: driver.poll(until: .current + .microseconds(50)) { false }
            case 1: driver.look()
            default: break
            }
            driver.attend()
            done.wait()
          }
        })
    }
    for thread in threads { thread.join() }
    #expect(numbers.withLock { $0 } == Array(repeating: Array(0..<1000), count: 4))
    #expect(overlaps.withLock { $0 } == 0)
  }

  /// One sleeps in a poll; a second one waits for its turn, and no longer than it said.
  @Test func aSecondPollWaitsForItsTurn() throws {
    let (driver, _) = try makePolled()
    let isOver = Locked(false)
    let first = try LoopThread(name: "first") {
      driver.poll(until: .current + .seconds(3600)) { isOver.withLock { $0 } }
    }
    let start = Instant.current
    while driver.statistics.turns == 0 { usleep(100) }
    driver.poll(until: .current + .milliseconds(20)) { false }
    #expect(Instant.current - start < .seconds(30))
    let asked = Gate()
    driver.perform { _, _ in asked.open() }
    driver.attend()
    asked.wait()
    isOver.withLock { $0 = true }
    driver.perform { _, _ in }
    first.join()
    driver.poll(until: .current) { false }
  }

  // MARK: Moving, stopping

  @Test(arguments: [false, true]) func movesWithoutAThread(_ isPolledMeanwhile: Bool) throws {
    let (server, serverLog) = try makePolled()
    let (client, _) = try makePolled(.loopback(2), echoes: false)
    let target = server.localAddress
    let poller = try LoopThread(name: "poller") {
      if isPolledMeanwhile { client.poll(until: .current + .seconds(3600)) { false } }
    }
    try client.rebind(to: .loopback(3)) { handler, _, _, _ in handler.send("moved", to: target) }
    #expect(client.localAddress.ip == NetworkAddress.loopback(3).ip)
    server.poll(until: .current + .seconds(60)) { !serverLog.texts.isEmpty }
    #expect(serverLog.received.withLock { $0.first?.path.remote } == client.localAddress)
    client.stop()
    poller.join()
  }

  @Test func stopSendsAndMayBeCalledAgain() throws {
    let (server, serverLog) = try makePolled()
    let (client, _) = try makePolled(echoes: false)
    let target = server.localAddress
    client.perform { handler, _ in for i in 0..<100 { handler.send("bye \(i)", to: target) } }
    client.stop()
    client.stop()
    #expect(client.statistics.datagramsSent == 100)
    #expect(!client.perform { _, _ in })
    #expect(throws: UDPError(.stopped, .loopback(1))) { try client.rebind(to: .loopback(1)) }
    client.attend()
    client.look()
    client.poll(until: .current + .seconds(3600)) { false }
    server.poll(until: .current + .seconds(60)) { serverLog.texts.count == 100 }
    #expect(serverLog.texts.count == 100)
  }

  /// Asked for in the midst of a turn, the end comes with the next one; the handler is let go then.
  @Test func stopInTheMidstOfATurn() throws {
    let (driver, _) = try makePolled()
    let handler = Locked<WeakHandler>(WeakHandler())
    driver.perform { [weak driver] echo, _ in
      handler.withLock { $0.echo = echo }
      driver?.stop()
      driver?.poll(until: .current + .seconds(3600)) { false }
      try? driver?.rebind(to: .loopback(4))
    }
    driver.attend()
    #expect(!driver.perform { _, _ in })
    driver.stop()
    #expect(handler.withLock { $0.echo == nil })
  }

  private struct WeakHandler: @unchecked Sendable {
    weak var echo: EchoHandler?
  }

  @Test func oneWhoIsLetGoEndsThePollsOfOthers() throws {
    for _ in 0..<20 {
      let (driver, _) = try makePolled()
      let threads = try (0..<3).map { number in
        try LoopThread(name: "poller \(number)") { driver.poll(until: .current + .seconds(3600)) { false } }
      }
      driver.stop()
      for thread in threads { thread.join() }
      #expect(!driver.perform { _, _ in })
    }
  }
}
