import Planets
import Roamkey

/// The tick that a screen shows: it runs evenly while views come unevenly, and a little faster or slower where it is
/// off.
struct Playhead: Hashable, Sendable {
  /// What is made up for in a second, of what it is off.
  private static let correction = 2.0
  /// Beyond so many ticks it jumps.
  private static let mostOff = 20.0
  private static let rate = Double(Rules.ticksASecond)
  /// How far it runs on when no views come, in ticks.
  private static let patience = 20.0

  private struct Moment: Hashable {
    var tick: Double
    var time: GameTime
  }

  private var shown: Moment?
  private var newest: Moment?
  private var isRunning = false

  /// A view has come, which was true at `time`. Where the match's time stands still, so does the playhead.
  mutating func take(tick: Int, at time: GameTime, isRunning: Bool) {
    newest = Moment(tick: Double(tick), time: time)
    if !isRunning { shown = nil }
    self.isRunning = isRunning
  }

  /// The tick for this moment: between whole ones, and never back.
  mutating func tick(at now: GameTime) -> Double {
    guard let newest else { return 0 }
    guard isRunning else { return newest.tick }
    let ahead = max(0, newest.time.duration(to: now).inSeconds) * Self.rate
    let target = newest.tick + min(ahead, Self.patience)
    guard let last = shown, abs(target - last.tick) <= Self.mostOff else {
      shown = Moment(tick: target, time: now)
      return target
    }
    let seconds = max(0, last.time.duration(to: now).inSeconds)
    let expected = last.tick + seconds * Self.rate
    let corrected = expected + (target - expected) * min(1, seconds * Self.correction)
    let tick = max(last.tick, min(corrected, newest.tick + Self.patience))
    shown = Moment(tick: tick, time: now)
    return tick
  }
}
