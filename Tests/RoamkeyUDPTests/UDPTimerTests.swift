import RoamkeyEngine
import RoamkeyWire
import TestSupport
import Testing

@testable import RoamkeyUDP

@Suite(.realTime, .timeLimit(.minutes(40)))
struct UDPTimerTests {
  @Test func timersFireInOrderAndNeverEarly() async throws {
    let echo = try makeEcho(.loopback(1))
    let delays = [30, 5, 20, 1, 10, 0, -5, 25, 15]
    echo.driver.perform { handler, now in
      for delay in delays { handler.deadlines.append(now + .milliseconds(delay)) }
    }
    try await eventually("all fire") { echo.log.fired.withLock { $0.count } == delays.count }
    let fired = echo.log.fired.withLock { $0 }
    #expect(fired.map(\.due) == fired.map(\.due).sorted())
    #expect(fired.map(\.at) == fired.map(\.at).sorted())
    #expect(fired.allSatisfy { $0.at >= $0.due })
  }

  /// A deadline that moves on leaves the old timer set; one that moves closer must not wait for it.
  @Test func aDeadlineMayMoveBothWays() async throws {
    let echo = try makeEcho(.loopback(1))
    echo.driver.perform { handler, now in handler.deadlines = [now + .seconds(3600)] }
    echo.driver.perform { handler, now in handler.deadlines = [now + .milliseconds(5)] }
    try await eventually("the closer one fires") { echo.log.fired.withLock { $0.count } == 1 }
    for _ in 0..<20 { echo.driver.perform { handler, now in handler.deadlines = [now + .milliseconds(5)] } }
    try await eventually("the moved one fires once") { echo.log.fired.withLock { $0.count } >= 2 }
    echo.driver.perform { handler, _ in handler.deadlines = [.distantFuture] }
    echo.driver.perform { handler, now in handler.deadlines.append(now) }
    try await eventually("the far one does not stop others") { echo.log.fired.withLock { $0.count } >= 3 }
  }

  /// Idle, the loop sleeps: no turns without a reason.
  @Test func anIdleLoopSleeps() async throws {
    let echo = try makeEcho(.loopback(1))
    echo.driver.perform { _, _ in }
    try await eventually("it has run") { echo.driver.statistics.turns > 0 }
    try await Task.sleep(for: .milliseconds(50))
    #expect(echo.driver.statistics.turns <= 2)
  }
}
