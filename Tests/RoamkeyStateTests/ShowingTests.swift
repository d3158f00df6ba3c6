import Roamkey
import RoamkeyEngine
import RoamkeySimulator
import Testing

@testable import RoamkeyState

/// A place on a line, for what lies between two states.
private struct Point: Codable, Equatable, Identifiable, Interpolatable {
  var id: Int
  var x: Double

  func blended(with later: Point, at fraction: Double) -> Point {
    Point(id: id, x: x.blended(with: later.x, at: fraction))
  }
}

@Suite struct InterpolatableTests {
  @Test func numbersAndAngles() {
    #expect(1.0.blended(with: 3, at: 0.25) == 1.5 && 1.0.blended(with: 3, at: 1) == 3)
    #expect(Float(1).blended(with: 3, at: 0.5) == 2)
    let half = 3.0.blendedAngle(with: -3, at: 0.5)
    #expect(abs(abs(half) - .pi) < 1e-9, "the shorter way, past half a turn: \(half)")
    #expect(abs(Float(0.1).blendedAngle(with: Float(0.1 + 4 * Double.pi), at: 0.5) - 0.1) < 1e-5)
    #expect(Optional(1.0).blended(with: 3, at: 0.5) == 2 && Optional<Double>.none.blended(with: 3, at: 0.5) == nil)
    #expect(Optional(1.0).blended(with: nil, at: 0.9) == 1 && Optional(1.0).blended(with: nil, at: 1) == nil)
  }

  @Test func elementsAreKnownByTheirIdAndComeAndGoAtTheEnd() {
    let from = [Point(id: 1, x: 0), Point(id: 2, x: 10), Point(id: 3, x: 5)]
    let to = [Point(id: 2, x: 20), Point(id: 1, x: 4), Point(id: 4, x: 7)]
    #expect(from.blended(with: to, at: 0.5) == [Point(id: 1, x: 2), Point(id: 2, x: 15), Point(id: 3, x: 5)])
    #expect(from.blended(with: to, at: 1) == to)
    #expect(["a": 1.0, "b": 2].blended(with: ["a": 3, "c": 1], at: 0.5) == ["a": 2, "b": 2])
  }
}

@Suite struct PlayoutTests {
  private let start = GameTime(Instant(nanoseconds: 0))

  @Test func itWaitsForTwoIntervalsAndTheAge() {
    var playout = Playout(.automatic)
    for frame in 1...40 {
      let sent = start + .milliseconds(50 * frame)
      playout.arrived(UInt64(frame), sentAt: sent, age: .milliseconds(40 + frame % 3 * 5))
    }
    _ = playout.shown(at: start + .seconds(2))
    #expect((.milliseconds(145)...(.milliseconds(151))).contains(playout.delay), "\(playout.delay)")
  }

  @Test func itChangesSlowlyAndNeverGoesBack() {
    var playout = Playout(.automatic)
    var last: GameTime?
    for tick in 0..<400 {
      let now = start + .milliseconds(10 * tick)
      // After two seconds the network is a second slower.
      if tick % 5 == 0 {
        playout.arrived(UInt64(tick), sentAt: now, age: tick < 200 ? .milliseconds(40) : .milliseconds(1040))
      }
      let before = playout.delay
      let shown = playout.shown(at: now)
      if let last { #expect(shown >= last) }
      last = shown
      if tick > 0 { #expect(abs((playout.delay - before).inSeconds) <= 0.00101) }
    }
    #expect(playout.delay > .milliseconds(200))
  }

  @Test func aFixedDelayStaysAndLostStatesDoNotLengthenTheInterval() {
    var fixed = Playout(.fixed(.milliseconds(100)))
    fixed.arrived(1, sentAt: start, age: .seconds(1))
    #expect(fixed.shown(at: start + .seconds(5)) == start + .milliseconds(4900) && fixed.delay == .milliseconds(100))
    var lossy = Playout(.automatic)
    // Every second one is lost, and then the server begins to count anew.
    for frame in stride(from: 1, to: 40, by: 2) {
      lossy.arrived(UInt64(frame), sentAt: start + .milliseconds(50 * frame), age: .zero)
    }
    lossy.beginAnew()
    lossy.arrived(1, sentAt: start + .seconds(9), age: .zero)
    _ = lossy.shown(at: start + .seconds(3))
    #expect((.milliseconds(98)...(.milliseconds(102))).contains(lossy.delay), "\(lossy.delay)")
  }
}

/// What a player sees between two states, in virtual time.
@Suite struct ShowingTests {
  @Test func whatIsShownIsWhatTheServerHadThatLongAgo() throws {
    for seed in UInt64(1)...3 {
      let simulation = Simulation(seed: seed)
      let client = simulation.addClient(
        network: NetworkConditions(loss: 0.05, delay: .milliseconds(40), jitter: .milliseconds(10)))
      simulation.run(for: .seconds(2))
      var publisher = StatePublisher<[Point]>()
      var subscriber = StateSubscriber<[Point]>()
      #expect(subscriber.frame(at: simulation.time) == nil)
      let start = simulation.time
      var (frames, off, last) = (0, 0, -1.0)
      for step in 0..<1000 {
        if step % 5 == 0 {
          _ = publisher.take(simulation.server.takeEvents())
          publisher.take(simulation.server.takeReceipts())
          // A point that moves by 1 a second.
          publisher.publish([Point(id: 1, x: start.duration(to: simulation.time).inSeconds)], to: simulation.server)
          simulation.server.flush()
        }
        simulation.run(for: .milliseconds(10))
        _ = subscriber.take(client.takeEvents(), from: client)
        guard let shown = subscriber.blended(at: simulation.time)?.first, step > 200 else { continue }
        let meant = (start.duration(to: simulation.time) - subscriber.delay).inSeconds
        // Times travel in milliseconds.
        if abs(shown.x - meant) > 0.006 { off += 1 }
        #expect(shown.x >= last, "seed \(seed), step \(step)")
        last = shown.x
        frames += 1
      }
      #expect(frames == 799 && off < 20, "seed \(seed): \(off) of \(frames)")
      #expect(subscriber.delay > .milliseconds(100) && subscriber.delay < .milliseconds(250), "\(subscriber.delay)")
    }
  }
}

@Suite struct PredictionTests {
  @Test func theConfirmedStateWinsAndTheRestIsDoneAgain() {
    var me = Prediction(0) { (state: inout Int, input: Int) in state += input }
    let numbers = [5, 7, 1].map { me.predict($0) }
    #expect(numbers == [1, 2, 3] && me.state == 13 && me.confirmed == 0 && me.pending == 3)
    // The server had something in the way.
    me.confirm(3, through: 1)
    #expect(me.state == 11 && me.confirmed == 3 && me.pending == 2)
    me.confirm(99, through: 0)
    me.confirm(99, through: 4)
    #expect(me.state == 11 && me.confirmedNumber == 1)
    me.confirm(11, through: 3)
    #expect(me.state == 11 && me.pending == 0 && me.lastNumber == 3)
  }

  @Test func inputsThatNobodyConfirmsAreBounded() {
    var me = Prediction(0, limit: 4) { (state: inout Int, input: Int) in state += input }
    for _ in 0..<100 { _ = me.predict(1) }
    #expect(me.pending == 4 && me.state == 100)
    me.confirm(10, through: 90)
    #expect(me.state == 14 && me.lastNumber == 100)
  }
}
