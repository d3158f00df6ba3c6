import Planets
import Roamkey
import RoamkeySimulator
import Testing

@testable import PlanetsNet

@Suite struct PlayheadTests {
  private let start = Simulation(seed: 1).time
  private func at(_ milliseconds: Int) -> GameTime { start.advanced(by: .milliseconds(milliseconds)) }

  /// Views that come late, early and not at all: the screen's time runs evenly, and never back.
  @Test(arguments: 0..<20 as Range<UInt64>)
  func timeRunsEvenly(seed: UInt64) {
    var playhead = Playhead()
    var random = SeededGenerator(seed: seed)
    var last = 0.0
    for millisecond in stride(from: 0, to: 20_000, by: 20) {
      // One of three views is lost; what a view says of its time is off by up to 20 ms.
      if millisecond.isMultiple(of: 100) && Int.random(in: 0..<3, using: &random) > 0 {
        playhead.take(
          tick: millisecond / 50, at: at(millisecond + Int.random(in: -20...20, using: &random)), isRunning: true)
      }
      let tick = playhead.tick(at: at(millisecond))
      #expect(
        tick >= last && (millisecond < 1000 || tick - last < 0.9),
        "seed \(seed), at \(millisecond) ms: \(last) to \(tick)")
      if millisecond > 1000 { #expect(abs(tick - Double(millisecond) / 50) < 1, "seed \(seed), at \(millisecond) ms") }
      last = tick
    }
    // Nothing comes any more: it runs on for a second, and waits.
    #expect(playhead.tick(at: at(60_000)) <= 400 + 20)
  }

  @Test func whereTimeStandsStillSoDoesIt() {
    var playhead = Playhead()
    playhead.take(tick: 77, at: at(0), isRunning: false)
    #expect(playhead.tick(at: at(0)) == 77 && playhead.tick(at: at(9000)) == 77)
    // Another match begins: it jumps.
    playhead.take(tick: -60, at: at(10_000), isRunning: true)
    #expect(playhead.tick(at: at(10_050)) == -59)
  }
}
