import RoamkeyWire
import Testing

@testable import RoamkeyEngine

/// A network that holds everything back for minutes, and then delivers it.
@Suite struct HeldPacketsTests {
  /// A pair 20 ms apart; while `isHolding` nothing arrives.
  private final class HeldPair {
    let pair = Pair()
    var isHolding = false
    private var flights: [(arrival: Instant, bytes: [UInt8], isToServer: Bool)] = []
    private var held: [(bytes: [UInt8], isToServer: Bool)] = []

    init() {
      pair.connect()
      pair.run(for: .seconds(1))
    }

    var session: Session? { pair.client.session }

    func run(for duration: Duration, until isDone: () -> Bool = { false }) {
      let end = pair.now + duration
      while pair.now < end, !isDone() {
        send(pair.flush(pair.client), isToServer: true)
        send(pair.flush(pair.server), isToServer: false)
        let next = [pair.server.nextTimeout, pair.client.nextTimeout, flights.first?.arrival, end].compactMap { $0 }
        pair.now = max(pair.now, min(next.min() ?? end, end))
        pair.server.handleTimeout(now: pair.now)
        pair.client.handleTimeout(now: pair.now)
        while let flight = flights.first, flight.arrival <= pair.now {
          flights.removeFirst()
          deliver(flight.bytes, isToServer: flight.isToServer)
        }
      }
    }

    /// All that was held arrives, in the order in which it was sent, a millisecond apart.
    func release() {
      isHolding = false
      for (bytes, isToServer) in held {
        deliver(bytes, isToServer: isToServer)
        run(for: .milliseconds(1))
      }
      held = []
    }

    private func send(_ datagrams: [[UInt8]], isToServer: Bool) {
      for bytes in datagrams {
        if isHolding {
          held.append((bytes, isToServer))
        } else {
          flights.append((pair.now + .milliseconds(20), bytes, isToServer))
        }
      }
    }

    private func deliver(_ bytes: [UInt8], isToServer: Bool) {
      if isToServer {
        pair.deliver(bytes, to: pair.server, local: pair.serverAddress, remote: pair.clientAddress)
      } else {
        pair.deliver(bytes, to: pair.client, local: pair.clientAddress, remote: pair.serverAddress)
      }
      pair.server.drainEvents(into: &pair.serverEvents)
      pair.client.drainEvents(into: &pair.clientEvents)
    }
  }

  /// Four minutes later everything that was held arrives, and a game's messages and half a megabyte behind it within
  /// seconds, not at the pace of round trips of minutes.
  @Test(arguments: [30, 120, 240]) func aSessionGoesOnAtItsOwnPace(seconds: Int) throws {
    let world = HeldPair()
    let pair = world.pair
    let session = try #require(world.session)
    var count = 0
    func say(_ size: Int) throws {
      let content = MessageContent(format: .bytes, action: "", body: [UInt8](repeating: 1, count: size)).encoded()
      try pair.client.send(content, now: pair.now)
      count += 1
    }
    func arrived() -> Int { pair.serverEvents.count { if case .message = $0 { true } else { false } } }
    for _ in 0..<20 {
      try say(200)
      world.run(for: .milliseconds(50))
    }
    #expect(session.rtt.smoothed < .milliseconds(70))
    world.isHolding = true
    for _ in 0..<seconds {
      try say(200)
      world.run(for: .seconds(1))
    }
    world.release()
    #expect(session.rtt.smoothed <= RTTEstimator.longest)
    let released = pair.now
    for _ in 0..<500 { try say(1000) }
    world.run(for: .seconds(60)) { arrived() == count }
    #expect(arrived() == count)
    #expect(pair.now - released < .seconds(8), "\(pair.now - released)")
    world.run(for: .seconds(1))
    #expect(session.rtt.smoothed < .milliseconds(100), "and it has forgotten them: \(session.rtt.smoothed)")
  }

  /// A path that is slow is believed to be: two seconds there and back are what is measured.
  @Test func aSlowPathIsMeasured() {
    var rtt = RTTEstimator()
    for _ in 0..<100 { rtt.update(latest: .seconds(2), ackDelay: .zero, maximumAckDelay: .milliseconds(25)) }
    #expect(rtt.smoothed == .seconds(2) && rtt.minimum == .seconds(2) && rtt.lossDelay == .milliseconds(2250))
    for _ in 0..<100 { rtt.update(latest: .seconds(240), ackDelay: .zero, maximumAckDelay: .milliseconds(25)) }
    #expect(rtt.smoothed <= RTTEstimator.longest && rtt.smoothed > .milliseconds(4900))
  }
}
